"""The entries of one crontab, each with the settings and comments that belong to it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tocsin.errors import ConfigError
from tocsin.importing.crontab.fields import RefusedError, read_fields
from tocsin.importing.crontab.lines import (
    Bad,
    Blank,
    Comment,
    Entry,
    Line,
    Setting,
    looks_like_system,
    read_lines,
    split_user,
)
from tocsin.importing.crontab.settings import Settings
from tocsin.importing.doubt import Doubts, Place
from tocsin.importing.draft import Source

_SYSTEM_PATH: Final = re.compile(r"(?:^|/)(?:crontab|cron\.d/[^/]+)$")
_OWNER_PATH: Final = re.compile(r"/(?:cron|crontabs|tabs)/([^/]+)$")
_DIAGRAM: Final = re.compile(r"[|.*]?\s*(?:[|.]|\*\s+\*\s+\*|m\s+h\s+dom\b)|[^\w]*$", re.ASCII)
_COMMAND_CHARS_MAX: Final = 998


class Found(msgspec.Struct, frozen=True):
    """One entry and all that bears on it."""

    place: Place
    entry: Entry
    user: str
    """Who it ran as; empty when that cannot be known."""
    command: str
    settings: Settings
    description: str
    comments: list[str]


def read_crontab(
    source: Source, *, system: bool | None, doubts: Doubts
) -> tuple[list[Found], list[str]]:
    """The entries of a file, and the comments below the last of them.

    Raises:
        ConfigError: the file is no crontab.
    """
    lines = read_lines(source.text)
    _refuse_what_is_none(source, lines)
    _doubt_line_ends(source, lines, doubts)
    walk = _Walk(source, doubts, system=_is_system(source, lines, doubts, told=system))
    for line in lines:
        walk.take(line)
    walk.close()
    return walk.found, walk.loose


def _refuse_what_is_none(source: Source, lines: list[Line]) -> None:
    if "\0" in source.text:
        number = source.text.count("\n", 0, source.text.index("\0")) + 1
        raise ConfigError(f"{source.name}:{number}: a NUL byte stands here: this is no crontab")
    bad = [line for line in lines if isinstance(line, Bad)]
    if bad and not any(isinstance(line, Entry | Setting) for line in lines):
        raise ConfigError(
            f"{source.name}:{bad[0].line}: this is no crontab: {bad[0].why}",
            "expected lines such as: 30 2 * * * /usr/local/bin/backup",
        )


def _doubt_line_ends(source: Source, lines: list[Line], doubts: Doubts) -> None:
    place = Place(source.name, len(lines) or None)
    if source.text and not source.text.endswith("\n") and not isinstance(lines[-1], Blank):
        doubts.check(
            place,
            "the last line has no line end",
            "it is imported; cron ignores it, or the whole file",
            "whether it ever ran",
        )
    if "\r\n" in source.text:
        doubts.check(
            Place(source.name),
            "lines end with carriage returns",
            "they are taken away; cron hands them to the commands",
            "whether these lines ever ran well",
        )


def _is_system(source: Source, lines: list[Line], doubts: Doubts, *, told: bool | None) -> bool:
    if told is not None:
        return told
    by_path = bool(_SYSTEM_PATH.search(source.name))
    if _OWNER_PATH.search(source.name):
        return False
    system = by_path or looks_like_system(lines)
    reason = "its path" if by_path else "what stands before the commands"
    kind = "a system crontab, with a user before each command" if system else "a user's crontab"
    doubts.note(
        Place(source.name),
        "kind of crontab",
        f"taken for {kind}, from {reason}",
        f"if it is not so: {'--no-system' if system else '--system'}",
    )
    return system


class _Walk:
    """Goes down the lines of a file; what it has seen bears on what comes next."""

    def __init__(self, source: Source, doubts: Doubts, *, system: bool) -> None:
        self.found: list[Found] = []
        self.loose: list[str] = []
        """Comments that belong to no entry so far."""
        self._source = source
        self._doubts = doubts
        self._system = system
        owner = _OWNER_PATH.search(source.name)
        self._owner = owner[1] if owner else ""
        self._settings = Settings()
        self._above: list[Comment] = []
        self._loose_lines: list[int] = []

    def take(self, line: Line) -> None:
        place = Place(self._source.name, line.line)
        match line:
            case Comment():
                self._above.append(line)
                return
            case Setting():
                self._let_go()
                self._settings.take(line, place, self._doubts)
            case Entry():
                self._entry(line, place)
            case Bad(text=text, why=why):
                self._let_go()
                self.loose.append(text)
                self._doubts.lost(
                    place, text, f"not imported: {why}", "cron refuses it too, some the whole file"
                )
            case Blank():
                self._let_go()

    def close(self) -> None:
        self._let_go()
        if self._loose_lines:
            numbers = ", ".join(map(str, self._loose_lines))
            self._doubts.note(
                Place(self._source.name, self._loose_lines[0]),
                f"comments in lines {numbers}",
                "they stand directly above no entry, so they are comments of the file only",
            )

    def _entry(self, line: Entry, place: Place) -> None:
        about = self._description()
        user, command = split_user(line.rest) if self._system else (self._owner, line.rest)
        why = ""
        if not command:
            why = "there is no command behind the user" if self._system else "there is no command"
        elif (user if self._system else command).startswith("*"):
            why = "a * stands where the command begins: one field too many"
        if why:
            self.loose += [about] * bool(about) + [line.text]
            self._doubts.lost(place, line.text, f"not imported: {why}", "cron refuses it too")
            return
        if len(command) > _COMMAND_CHARS_MAX:
            self._doubts.check(
                place,
                f"a command of {len(command)} characters",
                "carried over whole; Debian's cron takes 998",
                "whether it ever ran whole",
            )
        found = Found(place, line, user, command, self._settings.copy(), about, self.loose)
        self.found.append(found)
        self.loose = []

    def _let_go(self) -> None:
        """What stands above is no part of an entry."""
        for comment in self._above:
            self._set_loose(comment)
        self._above = []

    def _set_loose(self, comment: Comment) -> None:
        self.loose.append(comment.text)
        if comment.text:
            self._loose_lines.append(comment.line)
        if _is_entry(comment) and not _DIAGRAM.match(comment.text):
            self._doubts.note(
                Place(self._source.name, comment.line),
                f"# {comment.text}",
                "an entry that is commented out: not imported, kept as a comment",
            )

    def _description(self) -> str:
        """The comment directly above, without pictures of the fields and disabled entries."""
        above, self._above = self._above, []
        kept: list[Comment] = []
        for comment in above:
            if _is_entry(comment) or _DIAGRAM.match(comment.text):
                for one in [*kept, comment]:
                    self._set_loose(one)
                kept = []
            else:
                kept.append(comment)
        return " ".join(comment.text for comment in kept)


def _is_entry(comment: Comment) -> bool:
    """Whether a comment is an entry that somebody has switched off."""
    for line in read_lines(comment.text):
        match line:
            case Entry(when=when):
                try:
                    return len(when) == 1 or bool(read_fields(list(when)))
                except RefusedError:
                    return False
    return False
