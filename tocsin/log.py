"""One line a fact, to stderr: `2026-11-21T01:02:03.456Z info coordinator run.dispatched run=…`.

Under journald, which keeps time itself, it is an entry with fields instead: `TOCSIN_EVENT`,
`TOCSIN_PART`, and one for each fact. Where the journal does not take it, it is a line that begins
with its priority (sd-daemon(3)). Writing never raises and never waits: a reader that stops reading
must not stop the daemon, so lines it has no room for are dropped, and the next line that fits says
how many.
"""

from __future__ import annotations

import os
import select
import sys
from typing import Final, Literal, TypeAlias

from tocsin import clock
from tocsin.instants import to_rfc3339
from tocsin.journal import SOCKET, Journal

_STDERR: Final = 2
_LINE_BYTES_MAX: Final = select.PIPE_BUF  # what a pipe that polls as writable takes at once
_PRIORITIES: Final = {"info": 6, "warning": 4, "error": 3}  # syslog(3)
_PLAIN_BREAKERS: Final = frozenset(' "=\\')
_KEYS_MAX: Final = 4096

LogLevel: TypeAlias = Literal["info", "warning", "error"]


class Log:
    """The log of one part of Tocsin; what is less than `level` is not written."""

    def __init__(self, part: str, level: LogLevel = "info", journal: str = SOCKET) -> None:
        self._part = part
        self._is_open = sys.stderr is not None  # else descriptor 2 may be anybody's file
        self._to_journal = _stderr_is_journal()
        self._journal = Journal(part, journal) if self._to_journal else None
        self._lost = 0
        self.set_level(level)

    def set_level(self, level: LogLevel) -> None:
        """Write nothing from now on that is less than this."""
        self._priority_max = _PRIORITIES[level]

    def close(self) -> None:
        """Let go of the journal."""
        if self._journal is not None:
            self._journal.close()

    def info(self, event: str, /, **facts: object) -> None:
        """Something happened as it should."""
        self._write("info", event, facts)

    def warning(self, event: str, /, **facts: object) -> None:
        """Something is wrong that Tocsin copes with."""
        self._write("warning", event, facts)

    def error(self, event: str, /, **facts: object) -> None:
        """Something failed that a person should look at."""
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, object]) -> None:
        if _PRIORITIES[level] > self._priority_max or not self._is_open:
            return
        if self._lost:
            facts = {**facts, "lines_lost": self._lost}
        head = (
            f"<{_PRIORITIES[level]}>"
            if self._to_journal
            else f"{to_rfc3339(clock.now_us())[:-4]}Z {level} "
        )
        texts = {name: _text(value) for name, value in facts.items()}
        words = " ".join((self._part, event, *(f"{name}={text}" for name, text in texts.items())))
        if self._journal is not None and self._journal.take(
            _PRIORITIES[level], event, words, facts
        ):
            self._lost = 0
        else:
            self._lost = 0 if _put(head + words) else self._lost + 1


class Throttle:
    """Lets one of many like events through per key and `per_s` seconds.

    Keys may be chosen by strangers, so only so many are remembered; above that, all new ones
    share one turn.
    """

    def __init__(self, per_s: float = 60.0) -> None:
        self._per_s = per_s
        self._seen: dict[str, tuple[float, int]] = {}

    def allow(self, key: str, now_s: float) -> tuple[bool, int]:
        """Whether to let it through, and how many of its kind were held back since the last."""
        if key not in self._seen and len(self._seen) >= _KEYS_MAX:
            self._forget_old(now_s)
            if len(self._seen) >= _KEYS_MAX:
                key = ""
        since_s, held_back = self._seen.get(key, (now_s - self._per_s, 0))
        if now_s - since_s < self._per_s:
            self._seen[key] = (since_s, held_back + 1)
            return False, held_back + 1
        self._seen[key] = (now_s, 0)
        return True, held_back

    def _forget_old(self, now_s: float) -> None:
        self._seen = {k: v for k, v in self._seen.items() if now_s - v[0] < self._per_s}


def _stderr_is_journal() -> bool:
    """Whether stderr is the stream that systemd named; a redirected one is not, systemd.exec(5)."""
    try:
        status = os.fstat(_STDERR)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _text(value: object) -> str:
    match value:
        case None:
            text = "none"
        case bool():
            text = "true" if value else "false"
        case _:
            text = str(value)
    if text and text.isprintable() and _PLAIN_BREAKERS.isdisjoint(text):
        return text
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else ascii(letter)[1:-1]


def _put(line: str) -> bool:
    """Write one line if stderr takes it without waiting; False: it was lost."""
    data = line.encode("utf-8", "backslashreplace")
    if len(data) >= _LINE_BYTES_MAX:
        data = data[: _LINE_BYTES_MAX - 4].decode("utf-8", "ignore").encode() + b"..."
    data += b"\n"
    try:
        poll = select.poll()
        poll.register(_STDERR, select.POLLOUT)
        if not any(events & select.POLLOUT for _, events in poll.poll(0)):
            return False
        os.write(_STDERR, data)
    except OSError:
        return False
    return True
