"""Every command line of the docs and the examples is one that the command line takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from .command_lines import faults, in_blocks, in_sentences, words_of

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PLAYBOOKS = sorted((ROOT / "docs/ansible").glob("*.yaml"))
COMMAND = "ansible.builtin.command"
_UNKNOWN = (click.UsageError, click.NoSuchOption)
"""What a line in a sentence must not be; its values may be missing, or stand for others."""


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


def values_of(plain: Any, key: str) -> Iterator[Any]:
    """The values of a key, wherever in a document it is."""
    match plain:
        case dict():
            for name, value in plain.items():
                if name == key:
                    yield value
                yield from values_of(value, key)
        case list():
            for value in plain:
                yield from values_of(value, key)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: str(path.name))
def test_commands_of_a_playbook(path: Path) -> None:
    """Each exists, with its options, whatever the templates in it come to."""
    told = values_of(yaml.safe_load(path.read_text(encoding="utf-8")), COMMAND)
    lines = [re.sub(r"{{.*?}}", "1", line, flags=re.DOTALL) for line in told]
    own = [line[line.index("tocsin ") :] for line in lines if "tocsin " in line]
    assert [error.format_message() for line in own for error in faults(words_of(line))] == []
    assert len(own) == {"install": 3, "upgrade": 3, "reboot": 3}.get(path.stem, 0)
