"""The manual page: all commands of the command line with their options, as roff.

click-man would write one page for each command, but finds none in a group that imports its
commands when they are used, and leaves dots and backslashes as they are.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Final

import click

from tocsin.cli.root import root

_FILES: Final = (
    ("/etc/tocsin/coordinator.toml", "Settings of the coordinator."),
    ("/etc/tocsin/agent.toml", "Settings of this host's agent."),
    ("/etc/tocsin/secrets", "Values of secrets that jobs of this host ask for, a file each."),
    ("/var/lib/tocsin", "The coordinator's databases and key."),
    ("/var/lib/tocsin-agent", "The agent's journal, output that is not delivered, and key."),
    ("/usr/local/lib/tocsin", "Executors of others, see tocsin plugin."),
    ("/usr/share/doc/tocsin", "All of the documentation."),
)
_ENVIRONMENT: Final = (
    ("TOCSIN_CONTEXT", "Which coordinator to talk to, as --context says."),
    ("TOCSIN_HOME", "A folder for all of Tocsin's files, in place of the usual ones."),
    ("NO_COLOR", "No colours, see no-color.org."),
)


def manual(version: str, date: str) -> str:
    """The page tocsin(1); `date` is YYYY-MM-DD."""
    ctx = click.Context(root, info_name="tocsin", max_content_width=100)
    lines = [f'.TH TOCSIN 1 "{date}" "Tocsin {version}" "Tocsin"', ".SH NAME"]
    lines += [rf"tocsin \- {_text(root.help or '').rstrip('.')}", ".SH SYNOPSIS"]
    lines += [_usage(ctx), ".SH DESCRIPTION", *_prose(root), *_epilog(), ".SH OPTIONS"]
    lines += [*_options(ctx), ".SH COMMANDS", *_commands(ctx)]
    for heading, pairs in (("FILES", _FILES), ("ENVIRONMENT", _ENVIRONMENT)):
        lines.append(f".SH {heading}")
        for term, meaning in pairs:
            lines += [".TP", rf"\fB{_text(term)}\fR", _text(meaning)]
    lines += [".SH SEE ALSO", r"systemd(1), \fI/usr/share/doc/tocsin/install.md\fR"]
    return "\n".join(lines) + "\n"


def _commands(ctx: click.Context) -> Iterator[str]:
    group = ctx.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=ctx)
        yield from (".SS " + _text(inner.command_path), _usage(inner), ".PP", *_prose(command))
        yield from _options(inner)
        if isinstance(command, click.Group):
            yield from _commands(inner)


def _usage(ctx: click.Context) -> str:
    pieces = " ".join(ctx.command.collect_usage_pieces(ctx))
    return rf"\fB{_text(ctx.command_path)}\fR {_text(pieces)}"


def _options(ctx: click.Context) -> Iterator[str]:
    for param in ctx.command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None and "--help" not in record[0]:
            yield from (".TP", rf"\fB{_text(record[0])}\fR", _text(record[1]))


def _prose(command: click.Command) -> Iterator[str]:
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(command.help or ""))
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        if paragraph.startswith("\b\n"):
            yield from (".nf", *map(_text, paragraph.splitlines()[1:]), ".fi")
        else:
            yield _text(" ".join(paragraph.split()))


def _epilog() -> Iterator[str]:
    yield from (".PP", _text(root.epilog or ""))


def _text(text: str) -> str:
    """Words that roff prints as they are."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped
