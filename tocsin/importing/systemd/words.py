"""Words of unit files: quotes, escapes, `%` specifiers, and words as a shell would need them."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from tocsin.importing.systemd.units import Unit

_ESCAPES: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
    '"': '"', "'": "'", "s": " ",
}  # fmt: skip
_NUMERIC: Final = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})")
_SPECIFIER: Final = re.compile(r"%(.)", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$\$|\$\{(\w+)\}|\$(\w+)", re.ASCII)
_PLAIN: Final = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def split_words(text: str) -> list[str]:
    """The words of a value; ValueError when a quote is not closed."""
    words: list[str] = []
    word: list[str] | None = None
    quote, position = "", 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "\\":
            taken, position = _escape(text, position)
            word = [*(word or []), taken]
        elif quote:
            if char == quote:
                quote = ""
            else:
                word = [*(word or []), char]
        elif char in "\"'":
            quote, word = char, word or []
        elif char.isspace():
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = [*(word or []), char]
    if quote:
        raise ValueError(f"a quote {quote} is not closed")
    return [*words, "".join(word)] if word is not None else words


def _escape(text: str, position: int) -> tuple[str, int]:
    """What an escape at `position` stands for, and where the text goes on behind it."""
    if found := _NUMERIC.match(text, position):
        base = 8 if found[4] else 16
        return chr(int(found[1] or found[2] or found[3] or found[4], base)), found.end()
    char = text[position : position + 1]
    return _ESCAPES.get(char, "\\" + char), position + len(char)


def expand_specifiers(text: str, unit: Unit) -> tuple[str, list[str]]:
    """The text with its `%` specifiers replaced, and those that depend on the host."""
    unknown: list[str] = []
    known = _specifiers(unit)

    def replaced(found: re.Match[str]) -> str:
        if found[1] in known:
            return known[found[1]]
        unknown.append(found[0])
        return found[0]

    return _SPECIFIER.sub(replaced, text), unknown


def _specifiers(unit: Unit) -> dict[str, str]:
    prefix = unit.stem.partition("@")[0]
    last = prefix.rpartition("-")[2]
    known = {
        "%": "%", "n": unit.name, "N": unit.stem, "p": prefix, "P": _unescaped(prefix),
        "i": unit.instance, "I": _unescaped(unit.instance), "j": last, "J": _unescaped(last),
        "f": "/" + _unescaped(unit.instance or prefix).lstrip("/"), "y": unit.path,
        "Y": posixpath.dirname(unit.path), "T": "/tmp", "V": "/var/tmp",  # noqa: S108 - what they mean
    }  # fmt: skip
    if not unit.of_user:
        known |= {
            "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc",
        }  # fmt: skip
    return known


def _unescaped(text: str) -> str:
    """A name as systemd-escape --unescape gives it."""
    plain = text.replace("-", "/")
    return re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), plain)


def has_variable(word: str) -> bool:
    """Whether systemd would replace something in a word of a command."""
    return bool(_VARIABLE.search(word))


def shell_word(word: str, *, replace: bool) -> str:
    """A word of a command so that /bin/sh, under `set -f`, makes of it what systemd does.

    `replace` is whether variables count. A lone `$NAME` is split into words, `${NAME}` is not.
    """
    if not replace:
        return _quoted(word)
    lone = _VARIABLE.fullmatch(word)
    if lone and lone[2]:
        return f"${{{lone[2]}}}"
    parts, position = [], 0
    for found in _VARIABLE.finditer(word):
        parts.append(_quoted(word[position : found.start()]))
        if found[0] == "$$":
            parts.append("'$'")
        elif found[1]:
            parts.append(f'"${{{found[1]}}}"')
        else:
            parts.append(_quoted(found[0]))  # systemd replaces $NAME only where it stands alone
        position = found.end()
    parts.append(_quoted(word[position:]))
    return "".join(parts) or "''"


def _quoted(text: str) -> str:
    if not text or _PLAIN.fullmatch(text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"
