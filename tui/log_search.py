r"""What is looked for in a log: a text, or between slashes a regular expression (`/5\d\d/`).

Capitals make case count; in an expression those that stand for themselves (`/\S+ ERR/`). Both are
looked for in what is drawn, so colours do not hide anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from tocsin.errors import RequestError

from .cpu_limit import TooLongError, cpu_limit
from .log_line import LogLine

LIMIT_S: Final = 0.2
"""So long may an expression compute, and nothing else happens meanwhile."""
LIMIT_S_PER_BYTE: Final = 0.05 / (1 << 20)
"""And so much longer where it has much to look through."""
_CHARS_MAX: Final = 256
_SLASHES: Final = 2
_ESCAPED: Final = re.compile(r"\\.")


class Needle(msgspec.Struct, frozen=True):
    """What is looked for."""

    typed: str
    exact: bool
    pattern: re.Pattern[str] | None = None
    """None: it is a text."""

    def holds(self, line: LogLine) -> bool:
        """Whether it is in a line."""
        if self.pattern is not None:
            return self.pattern.search(line.text) is not None
        data = line.data
        if self.typed.isascii() and b"\x1b" not in data and b"\r" not in data:
            return self.typed.encode() in (data if self.exact else data.lower())
        return self.typed in (line.text if self.exact else line.text.lower())

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is in a text, from where to where."""
        if self.pattern is not None:
            try:
                with cpu_limit(LIMIT_S):
                    spans = [found.span() for found in self.pattern.finditer(text)]
            except TooLongError:
                return []
            return [(begin, end) for begin, end in spans if end > begin]
        hay = text if self.exact else text.lower()
        spans, at = [], 0
        while len(hay) == len(text) and (at := hay.find(self.typed, at)) >= 0:
            spans.append((at, at + len(self.typed)))
            at += len(self.typed)
        return spans


@lru_cache(maxsize=16)
def needle(typed: str) -> Needle:
    """What a text that was typed means.

    Raises:
        RequestError: it is no regular expression, or a very long one.
    """
    if len(typed) <= _SLASHES or not (typed.startswith("/") and typed.endswith("/")):
        return Needle(typed, typed != typed.lower())
    source = typed[1:-1]
    if len(source) > _CHARS_MAX:
        raise RequestError(f"an expression has at most {_CHARS_MAX} characters", "cut it short")
    plain = _ESCAPED.sub("", source)
    exact = plain != plain.lower()
    try:
        return Needle(typed, exact, re.compile(source, 0 if exact else re.IGNORECASE))
    except re.error as error:
        at = "" if error.pos is None else f" at character {error.pos + 1}"
        raise RequestError(f"{typed} is no regular expression: {error.msg}{at}") from error
    except (OverflowError, RecursionError) as error:
        raise RequestError(f"{typed} is too much for a regular expression") from error


def select(
    lines: Sequence[LogLine], begin: int, wanted: Callable[[LogLine], bool], *, bounded: bool
) -> list[int]:
    """The numbers of the lines that are wanted, of lines from the number `begin` on.

    Raises:
        TooLongError: they are looked through by an expression (`bounded`), and it takes too long.
    """
    if not lines or not bounded:
        return [n for n, line in enumerate(lines, begin) if wanted(line)]
    with cpu_limit(LIMIT_S + LIMIT_S_PER_BYTE * sum(len(line.data) for line in lines)):
        return [n for n, line in enumerate(lines, begin) if wanted(line)]
