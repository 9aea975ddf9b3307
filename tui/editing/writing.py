"""Text under a caret, and what the keys of an editor do to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

_WORD: Final = re.compile(r"\s*\S+")


class Written(NamedTuple):
    """A text and where in it the caret is: before the character of that number."""

    text: str
    caret: int

    @property
    def line(self) -> int:
        """The line that the caret is in."""
        return self.text.count("\n", 0, self.caret)

    @property
    def column(self) -> int:
        """How far into its line the caret is."""
        return self.caret - self.line_start

    @property
    def line_start(self) -> int:
        """Where the caret's line begins."""
        return self.text.rfind("\n", 0, self.caret) + 1

    @property
    def line_end(self) -> int:
        """Where it ends."""
        end = self.text.find("\n", self.caret)
        return len(self.text) if end < 0 else end


def insert(it: Written, text: str) -> Written:
    """Put a text at the caret."""
    return Written(it.text[: it.caret] + text + it.text[it.caret :], it.caret + len(text))


def press(it: Written, key: str) -> Written | None:
    """What a key does; None when it means nothing here, or the caret cannot go further."""
    does = _KEYS.get(key)
    return None if does is None else does(it)


def _to(it: Written, caret: int) -> Written | None:
    return Written(it.text, caret) if 0 <= caret <= len(it.text) else None


def _to_line(it: Written, line: int) -> Written | None:
    lines = it.text.split("\n")
    if not 0 <= line < len(lines):
        return None
    start = sum(len(one) + 1 for one in lines[:line])
    return Written(it.text, start + min(it.column, len(lines[line])))


def _cut(it: Written, start: int, end: int) -> Written:
    start, end = max(start, 0), min(end, len(it.text))
    return Written(it.text[:start] + it.text[end:], start)


def _word_before(it: Written) -> int:
    before = it.text[: it.caret].rstrip()
    return max(before.rfind(" "), before.rfind("\n")) + 1


def _word_behind(it: Written) -> int:
    found = _WORD.match(it.text, it.caret)
    return found.end() if found else len(it.text)


_KEYS: Final[Mapping[str, Callable[[Written], Written | None]]] = {
    "left": lambda it: _to(it, it.caret - 1),
    "right": lambda it: _to(it, it.caret + 1),
    "home": lambda it: Written(it.text, it.line_start),
    "end": lambda it: Written(it.text, it.line_end),
    "ctrl+left": lambda it: _to(it, _word_before(it)),
    "ctrl+right": lambda it: _to(it, _word_behind(it)),
    "up": lambda it: _to_line(it, it.line - 1),
    "down": lambda it: _to_line(it, it.line + 1),
    "backspace": lambda it: _cut(it, it.caret - 1, it.caret),
    "delete": lambda it: _cut(it, it.caret, it.caret + 1),
    "ctrl+w": lambda it: _cut(it, _word_before(it), it.caret),
    "ctrl+u": lambda it: _cut(it, it.line_start, it.caret),
    "ctrl+k": lambda it: _cut(it, it.caret, it.line_end),
}
