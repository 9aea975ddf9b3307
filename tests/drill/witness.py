"""What the jobs themselves bear witness to: a file outside Tocsin, one line for each event."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from tocsin import clock
from tocsin.execution import AttemptKey
from tocsin.instants import SECOND_US

SCRIPT: Final = Path(__file__).with_name("witness.sh")
KILLED: Final = 137
"""The exit code of a process that SIGKILL ended."""


class Account(msgspec.Struct):
    """What one attempt's process said. Instants are those of `true_us`."""

    key: AttemptKey
    started_us: list[int] = []
    """More than one: it was started more than once."""
    pids: list[int] = []
    lines: int = 0
    """So many lines it has printed or tried to; perhaps one more."""
    unwritten: list[int] = []
    """Lines that a full disk took nothing of, or a part."""
    last_us: int = 0
    """Alive until then at least."""
    end: tuple[int, int] | None = None
    """When it was about to end by itself, and with which exit code."""
    term_us: int | None = None
    """When it was told to end."""


def true_us() -> int:
    """True time: the machine's steady clock, which no part of the drill ever steps."""
    return round(clock.monotonic_s() * SECOND_US)


def uptime_us() -> int:
    """The clock that witnesses read; it differs from `true_us` by the time spent suspended."""
    return _uptime_us(Path("/proc/uptime").read_text(encoding="ascii").split()[0])


def _uptime_us(text: str) -> int:
    return round(float(text) * SECOND_US)


def read_accounts(file: Path, behind_us: int = 0) -> dict[AttemptKey, Account]:
    """All that is witnessed so far. `behind_us`: how far `true_us` is behind the witnesses' clock.

    A process that is killed may leave no last word, and never half a line: each is one write.
    """
    accounts: dict[AttemptKey, Account] = {}
    if not file.exists():
        return accounts
    for line in file.read_text(encoding="ascii").splitlines():
        what, name, up, number = line.split()
        key = AttemptKey(name)
        account = accounts.setdefault(key, Account(key))
        account.last_us = at_us = _uptime_us(up) - behind_us
        match what:
            case "start":
                account.started_us.append(at_us)
                account.pids.append(int(number))
            case "line":
                account.lines = int(number)
            case "unwritten":
                account.lines = int(number)
                account.unwritten.append(int(number))
            case "end":
                account.end = at_us, int(number)
            case "term":
                account.term_us = at_us
            case _:
                raise ValueError(f"{file}: {line!r} is no testimony")
    return accounts


def printed(account: Account, stream: int, of: int, stored: bytes, stored_end: int) -> bytes:
    """What an attempt wrote to a stream: odd lines to stdout, even ones to stderr.

    Where its own words leave it open, what is stored counts if it is one of the possibilities:
    one more line than it could tell of, or any part of the lines that a full disk did not take.
    """
    numbers = range(stream, account.lines + 1, 2)
    sure = b"".join(_line(account.key, n, of) for n in numbers if n not in account.unwritten)
    if account.unwritten:
        return stored if _pattern(account, stream, of).fullmatch(stored) else sure
    following = account.lines + 1
    if account.end is None and following <= of and following % 2 == stream % 2:
        more = sure + _line(account.key, following, of)
        return more if stored_end == len(more) else sure
    return sure


def _line(key: AttemptKey, number: int, of: int) -> bytes:
    return b"%s line %d of %d\n" % (key.encode(), number, of)


def _pattern(account: Account, stream: int, of: int) -> re.Pattern[bytes]:
    parts = []
    last = account.lines + (account.end is None)
    for number in range(stream, last + 1, 2):
        line = _line(account.key, number, of)
        if number in account.unwritten or number > account.lines:
            parts.append(
                b"(?:" + b"|".join(re.escape(line[:n]) for n in range(len(line) + 1)) + b")"
            )
        else:
            parts.append(re.escape(line))
    return re.compile(b"".join(parts))


def is_alive(account: Account) -> bool:
    """Whether one of its processes runs: one that has its name, and not a stranger's id."""
    mark = f"TOCSIN_RUN_ID={account.key.rpartition('.')[0]}".encode()
    return any(mark in _environ(pid) for pid in account.pids)


def _environ(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
