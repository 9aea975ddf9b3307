"""The lines of a crontab, each for what cron takes it for."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_SETTING: Final = re.compile(
    r"""[ \t]*(?:"([^"=]*)"|'([^'=]*)'|([^\s"'=][^\s=]*))\s*=\s*
        (?:"([^"]*)"\s*|'([^']*)'\s*|(?!["'])(.*))""",
    re.VERBOSE | re.DOTALL,
)
_FIELDS: Final = 5
_BLANKS: Final = re.compile(r"[ \t]+")
_USER: Final = re.compile(r"[a-z_][a-z0-9_.-]*\$?(?:[:/][\w-]+)?", re.ASCII)
_USERS_OF_SYSTEMS: Final = frozenset(
    {
        "root", "www-data", "nobody", "postgres", "mysql", "daemon", "list", "munin", "backup",
        "mail", "news", "man", "apache", "nginx",
    }
)  # fmt: skip


class Comment(msgspec.Struct, frozen=True):
    """A comment, without its `#`."""

    line: int
    text: str


class Blank(msgspec.Struct, frozen=True):
    """An empty line."""

    line: int


class Setting(msgspec.Struct, frozen=True):
    """An environment setting; it holds for the entries below it."""

    line: int
    name: str
    value: str


class Entry(msgspec.Struct, frozen=True):
    """A line that starts something: `when` is five fields or one name with `@`.

    `rest` is all behind it: the user and the command, or the command alone.
    """

    line: int
    when: tuple[str, ...]
    rest: str
    quiet: bool
    """It began with `-`: cron writes no line to syslog."""
    text: str


class Bad(msgspec.Struct, frozen=True):
    """A line that is nothing of these; `why` is for people."""

    line: int
    text: str
    why: str


Line = Comment | Blank | Setting | Entry | Bad


def read_lines(text: str) -> list[Line]:
    """All lines; a carriage return at the end of one is not part of it."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [_line(number, line.removesuffix("\r")) for number, line in enumerate(lines, 1)]


def _line(number: int, text: str) -> Line:
    body = text.strip(" \t")
    if not body:
        return Blank(number)
    if body.startswith("#"):
        return Comment(number, body[1:].strip())
    if setting := _SETTING.fullmatch(text):
        name = setting[1] or setting[2] or setting[3] or ""
        quoted = setting[4] if setting[4] is not None else setting[5]
        return Setting(number, name, setting[6].rstrip() if quoted is None else quoted)
    return _entry(number, body)


def _entry(number: int, body: str) -> Entry | Bad:
    quiet = body.startswith("-")
    left = body[1:] if quiet else body
    if left.startswith("@"):
        when, _, rest = _BLANKS.sub(" ", left, count=1).partition(" ")
        fields = [when]
    else:
        fields = _BLANKS.split(left, _FIELDS)
        rest = fields.pop() if len(fields) > _FIELDS else ""
    if len(fields) not in {1, _FIELDS} or not rest:
        return Bad(number, body, "it is no setting, and has no five fields with a command behind")
    return Entry(number, tuple(fields), rest, quiet, body)


def split_user(rest: str) -> tuple[str, str]:
    """User and command of a system crontab's entry; the command may be empty."""
    user, _, command = _BLANKS.sub(" ", rest, count=1).partition(" ")
    return user, command


def looks_like_system(lines: list[Line]) -> bool:
    """Whether every entry has a user before its command, as far as one can see."""
    words = []
    for line in lines:
        match line:
            case Entry(rest=rest):
                user, command = split_user(rest)
                if not command or not _USER.fullmatch(user):
                    return False
                words.append(user)
    return any(word in _USERS_OF_SYSTEMS for word in words)
