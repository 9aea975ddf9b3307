"""The commands of a service as the `shell` block of a job."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from tocsin.importing.doubt import Doubts, Place
from tocsin.importing.systemd.units import Setting, Unit
from tocsin.importing.systemd.words import (
    expand_specifiers,
    has_variable,
    shell_word,
    split_words,
)

_PREFIXES: Final = re.compile(r"[-@:+!|]*")
_SERVICE: Final = "Service"
_PRIVILEGES: Final = frozenset("+!")


class _Command(msgspec.Struct, frozen=True):
    words: list[str]
    may_fail: bool
    replaces: bool
    """Whether `$` stands for variables."""


class CommandsError(Exception):
    """What a service starts cannot be told; the message says why."""


def shell_block(unit: Unit, place: Place, doubts: Doubts) -> dict[str, Any]:
    """The shell block that does what the service's start commands do.

    Raises:
        CommandsError: a command line cannot be understood, or there is none.
    """
    keys = ("ExecStartPre", "ExecStart", "ExecStartPost")
    before, main, after = (_commands(unit, key, place, doubts) for key in keys)
    files = unit.all(_SERVICE, "EnvironmentFile")
    if not before + main + after:
        raise CommandsError("the service starts nothing: it has no ExecStart")
    for setting in files:
        doubts.check(
            setting.place.of(place.job),
            f"EnvironmentFile={setting.value}",
            "/bin/sh reads it as a script, which for plain NAME=value lines is the same",
            "that it has no other lines; it must be on the agents that run the job",
        )
    if after and unit.text(_SERVICE, "Type") not in {"oneshot", ""}:
        doubts.check(
            place, "ExecStartPost", "run when ExecStart has ended; systemd runs it once that is up"
        )
    block: dict[str, Any] = {}
    alone = main[0] if len(main) == 1 and not before + after + files else None
    if alone and not alone.may_fail and not _needs_shell(alone):
        words = alone.words
        block["argv"] = [word.replace("$$", "$") for word in words] if alone.replaces else words
    else:
        block["command"] = _script(before + main + after, files, unit)
    if cwd := _working_directory(unit, place, doubts):
        block["cwd"] = cwd
    return block


def _needs_shell(command: _Command) -> bool:
    return command.replaces and any(has_variable(word.replace("$$", "")) for word in command.words)


def _script(commands: list[_Command], files: list[Setting], unit: Unit) -> str:
    lines = []
    for setting in files:
        name = expand_specifiers(setting.value, unit)[0]
        path = shell_word(name.removeprefix("-"), replace=False)
        optional = f"[ ! -r {path} ] || " if name.startswith("-") else ""
        lines += ["set -a", f"{optional}. {path}", "set +a"]
    lines.append("set -ef" if len(commands) > 1 else "set -f")
    for command in commands:
        line = " ".join(shell_word(word, replace=command.replaces) for word in command.words)
        if command.may_fail:
            line += " || true"
        elif command is commands[-1]:
            line = f"exec {line}"
        lines.append(line)
    return "\n".join(lines)


def _commands(unit: Unit, key: str, place: Place, doubts: Doubts) -> list[_Command]:
    return [
        _command(words, setting, place, doubts)
        for setting in unit.all(_SERVICE, key)
        for words in _split(setting, unit, place, doubts)
    ]


def _split(setting: Setting, unit: Unit, place: Place, doubts: Doubts) -> list[list[str]]:
    """The commands of one setting: a lone `;` stands between them."""
    try:
        words = split_words(setting.value)
    except ValueError as error:
        raise CommandsError(f"{setting.key}={setting.value}: {error}") from error
    expanded = [expand_specifiers(word, unit) for word in words]
    unknown = [one for _, missing in expanded for one in missing]
    if unknown:
        doubts.lost(
            setting.place.of(place.job),
            f"{setting.key}={setting.value}",
            f"{', '.join(unknown)} depends on the host or user, and stands as it is",
            "what belongs there",
        )
        raise CommandsError(f"{', '.join(unknown)} in {setting.key} cannot be replaced here")
    commands: list[list[str]] = [[]]
    for word, _ in expanded:
        if word == ";":
            commands.append([])
        else:
            commands[-1].append(";" if word == r"\;" else word)
    return [command for command in commands if command]


def _command(words: list[str], setting: Setting, place: Place, doubts: Doubts) -> _Command:
    found = _PREFIXES.match(words[0])
    prefixes = found[0] if found else ""
    words = [words[0][len(prefixes) :], *words[1:]]
    where = setting.place.of(place.job)
    about = f"{setting.key}={setting.value}"
    if not words[0]:
        raise CommandsError(f"{about}: no program is named")
    if "@" in prefixes:
        doubts.lost(where, about, f"the name {' '.join(words[1:2])!r} that @ gives it is left out")
        words = [words[0], *words[2:]]
    if _PRIVILEGES & set(prefixes):
        doubts.check(where, about, "+ and ! mean other privileges: it runs as the agent's user")
    if "|" in prefixes:
        doubts.check(where, about, "| runs it in the user's login shell: here it is run by /bin/sh")
        words = ["/bin/sh", "-c", " ".join(words)]
    if "-" in prefixes:
        doubts.note(where, about, "- lets it fail: carried over as || true")
    return _Command(words, "-" in prefixes, ":" not in prefixes)


def _working_directory(unit: Unit, place: Place, doubts: Doubts) -> str:
    text = expand_specifiers(unit.text(_SERVICE, "WorkingDirectory"), unit)[0]
    if text.startswith("-"):
        doubts.note(place, f"WorkingDirectory={text}", "it has to be there, in spite of the -")
        text = text[1:]
    if text == "~" or (not text and unit.of_user):
        return ""
    return text or "/"


def environment(unit: Unit, place: Place, doubts: Doubts) -> dict[str, str]:
    """The variables of a service, those of its files not among them."""
    env: dict[str, str] = {}
    for setting in unit.all(_SERVICE, "Environment"):
        unknown = expand_specifiers(setting.value, unit)[1]
        where = setting.place.of(place.job)
        if unknown:
            doubts.check(
                where,
                f"Environment={setting.value}",
                f"{', '.join(unknown)} depends on the host or user, and stands as it is",
                "what belongs there",
            )
        try:
            words = [expand_specifiers(word, unit)[0] for word in split_words(setting.value)]
        except ValueError as error:
            doubts.lost(where, f"Environment={setting.value}", f"left out: {error}")
            continue
        for word in words:
            name, equals, value = word.partition("=")
            if equals and name:
                env[name] = value
            else:
                doubts.lost(where, f"Environment={name}", "left out: it has no value")
    return env
