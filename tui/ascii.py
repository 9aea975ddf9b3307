"""What stands for a glyph where a terminal has none but ASCII. The only place that knows.

It is applied to finished lines, so nothing draws in two ways. Each stand-in is as wide as what it
stands for. States stay apart, as each is a glyph and a word.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

from rich.cells import get_character_cell_size

_FROM: Final = "●○◐►✗✓‖◇█▓▒░▌▐▀▄·•…→←↑↓↻×±≤≥≠‹›«»–—“”µ°"  # noqa: RUF001 - meant
_TO: Final = 'o.%>x+=^##:.||^_.*~><^v@x+<>!<><>--""uo'
_LINES: Final = "─━═│┃║┄┆┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝╌╎"
_LINES_TO: Final = "--=|||-|" + "+" * 17 + "-|"
_BARS: Final = "▁▂▃▅▆▇"
_BARS_TO: Final = "123567"
STAND_INS: Final[Mapping[str, str]] = dict(
    zip(_FROM + _LINES + _BARS, _TO + _LINES_TO + _BARS_TO, strict=True)
)
_UNKNOWN: Final = "?"
_C_LOCALES: Final = frozenset({"C", "POSIX"})


@functools.lru_cache(4096)
def to_ascii(text: str) -> str:
    """The text in ASCII, as wide as it was."""
    if text.isascii():
        return text
    return "".join(_stand_in(char) for char in text)


def _stand_in(char: str) -> str:
    if char.isascii():
        return char
    return STAND_INS.get(char) or _UNKNOWN * get_character_cell_size(char)


def charset(environ: Mapping[str, str], otherwise: str, *, utf8_mode: bool) -> str:
    """The character set of the locale that the user set; `otherwise` where it names none.

    Args:
        environ: of this process.
        otherwise: the character set that Python works with.
        utf8_mode: whether Python is in its UTF-8 mode. Then what it found was the C locale, and it
            may have put C.UTF-8 into `LC_CTYPE` itself (PEP 538).
    """
    coerced = utf8_mode and "PYTHONUTF8" not in environ
    names = ("LC_ALL", "LANG") if coerced else ("LC_ALL", "LC_CTYPE", "LANG")
    found = next((environ[name] for name in names if environ.get(name)), "")
    if found in _C_LOCALES:
        return "ASCII"
    return found.partition(".")[2].partition("@")[0] or otherwise


def wanted(charset: str, term: str) -> bool:
    """Whether a terminal with this character set is likely not to show more than ASCII.

    The Linux console has UTF-8 and few glyphs.
    """
    return charset.lower().replace("-", "").replace("_", "") != "utf8" or term.startswith("linux")
