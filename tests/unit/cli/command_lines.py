"""Command lines as a page has them, held to the commands there are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click

from tocsin.cli.root import root

_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(tocsin [^`]+)`")
_COMMAND = re.compile(r"^\s*(?:\$ |# )?(?:sudo )?(?:[\w./]*/)?(tocsin .*)$")


def taken(words: list[str]) -> None:
    """Parse a command line, and do nothing.

    Raises:
        click.UsageError: there is no such command, option or argument.
    """
    command: click.Command = root
    ctx: click.Context | None = None
    name: str | None = "tocsin"
    while words:
        ctx = command.make_context(name, words, parent=ctx)
        if not isinstance(command, click.Group):
            return
        words = [*ctx._protected_args, *ctx.args]
        if words:
            name, found, words = command.resolve_command(ctx, words)
            assert found is not None
            command = found


def in_blocks(text: str) -> Iterator[str]:
    """The command lines in blocks of code, each up to a pipe or a redirection."""
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if found := _COMMAND.match(line):
                yield found[1]


def words_of(line: str) -> list[str]:
    """The words of a command line, without those that are the shell's."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    words = list(lexer)
    ends = [at for at, word in enumerate(words) if set(word) <= set("|;&<>")]
    return words[1 : ends[0] if ends else None]


def in_sentences(text: str) -> Iterator[list[str]]:
    """The words of command lines in sentences, in the notation of usage lines."""
    for line in _INLINE.findall(_FENCE.sub("", text)):
        plain = re.sub(r"\s+", " ", line.replace("\\|", "|").replace("…", ""))
        plain = re.sub(r" ?\| ?[-\w]+( [A-Z]+\b)?", "", plain)
        yield shlex.split(re.sub(r"[][]", "", plain))[1:]


def faults(words: list[str]) -> Iterator[click.UsageError]:
    """What is wrong with a command line."""
    try:
        taken(list(words))
    except click.UsageError as error:
        yield error
    except click.exceptions.Exit:
        pass
