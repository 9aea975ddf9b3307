"""Every command line of the docs is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tocsin.cli.root import root

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(tocsin [^`]+)`")
_COMMAND = re.compile(r"^\s*(?:\$ |# )?(?:sudo )?(?:[\w./]*/)?(tocsin .*)$")
_UNKNOWN = (click.UsageError, click.NoSuchOption)
"""What a line in a sentence must not be; its values may be missing, or stand for others."""


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page(page: Path) -> None:
    """Each exists, with its options; those in blocks have all that they need."""
    text = page.read_text(encoding="utf-8")
    wrong = [
        f"{line}: {error.format_message()}"
        for line in in_blocks(text)
        for error in faults(words_of(line))
    ]
    wrong += [
        f"{' '.join(words)}: {error.format_message()}"
        for words in in_sentences(text)
        for error in faults(words)
        if type(error) in _UNKNOWN and "COMMAND" not in words
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("```\nsudo tocsin agent joins j1:x\n```", True),
        ("```\ntocsin run list \\\n  --stat failed | wc -l\n```", True),
        ("```\ntocsin run list --state failed | wc -l --nothing\n```", False),
        ("Say `tocsin run logs ID --tails N`.", True),
        ("Say `tocsin import crontab\\|dkron FILE…`.", False),
    ],
)
def test_a_wrong_command_is_found(text: str, *, wrong: bool) -> None:
    """In a block and in a sentence."""
    lines = [*map(words_of, in_blocks(text)), *in_sentences(text)]
    assert [bool(list(faults(words))) for words in lines] == [wrong]
