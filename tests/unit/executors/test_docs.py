"""The pages on executors say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tocsin.execution import Executor, check_config, executor_entry_points
from tocsin.executors.checking import Specimen
from tocsin.executors.checking.static_checks import STATIC
from tocsin.executors.checking.suite import RUN
from tocsin.executors.exec import Exec
from tocsin.executors.exec.lines import Line
from tocsin.executors.exec.request import Request
from tocsin.executors.scripted import Scripted
from tocsin.executors.shell import Shell

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "executors.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    """The page of an executor, or its part of the common page."""
    own = DOCS / "executors" / f"{name}.md"
    if own.exists():
        return own.read_text(encoding="utf-8")
    return re.split(r"^## ", PAGE.partition(f"\n## {name}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("executor", [Shell, Scripted, Exec])
def test_every_key_is_on_the_page(executor: type[Executor]) -> None:
    """The first table of a section has the keys of the schema, all of them, and the main one."""
    table = section(executor.name).partition("| key |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", table, flags=re.MULTILINE))
    assert set(rows) == set(executor.config.__struct_fields__)
    assert [key for key, row in rows.items() if "The main key." in row] == [executor.main_key]


@pytest.mark.parametrize("executor", [Shell, Scripted, Exec])
def test_the_examples_are_taken(executor: type[Executor]) -> None:
    """Each example block of a section passes the check of its executor."""
    examples = re.findall(r"```yaml\n(.*?)```", section(executor.name), flags=re.DOTALL)
    assert examples
    for example in map(yaml.safe_load, examples):
        if executor.name in example:
            check_config(executor, example[executor.name])


def test_every_check_is_on_the_page() -> None:
    """The page on writing executors lists the checks, with the sentences that they print."""
    page = (DOCS / "executors" / "writing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", page.partition("| check |")[2], re.MULTILINE)
    checks = [(it.name, it.sentence) for it in STATIC] + [(it.name, it.sentence) for it in RUN]
    assert rows == checks


def test_every_block_of_a_specimen_is_on_the_page() -> None:
    """So are the blocks of a specimen, and what belongs to them."""
    page = (DOCS / "executors" / "writing.md").read_text(encoding="utf-8")
    for name in Specimen.__struct_fields__:
        assert f"`{name}`" in page, name


def test_every_key_of_the_request_is_on_the_page() -> None:
    """The page on exec has the keys of its two documents."""
    request = re.findall(
        r"`(\w+)`", section("exec").partition("## What it reads")[2].partition("**Secrets")[0]
    )
    assert set(Request.__struct_fields__) <= set(request)
    line = re.findall(
        r"`(\w+)`", section("exec").partition("## What it writes")[2].partition("```")[0]
    )
    assert set(Line.__struct_fields__) <= set(line)


def test_every_executor_is_in_the_table() -> None:
    """The page begins with all of them, and what they run."""
    table = PAGE.partition("## What all of them share")[0]
    rows = re.findall(r"^\| \[`(\w+)`\]\(\S+\) \| .* \| `(\w+)` \|$", table, re.MULTILINE)
    ours = {
        name: point.load().main_key
        for name, point in executor_entry_points().items()
        if point.value.startswith("tocsin.")
    }
    assert dict(rows) == ours
