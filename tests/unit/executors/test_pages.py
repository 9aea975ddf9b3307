"""The pages on single executors say what their schemas do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tocsin.execution import Executor, check_config
from tocsin.executors.http import Http

PAGES = Path(__file__).parents[3] / "docs" / "executors"


@pytest.mark.parametrize("executor", [Http])
def test_a_page_has_every_key(executor: type[Executor]) -> None:
    """The first table has the keys of the schema, all of them, and the main one."""
    page = (PAGES / f"{executor.name}.md").read_text(encoding="utf-8")
    table = page.partition("| key |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`[^|]*`) \|(.*)$", table, flags=re.MULTILINE)
    keys = [key for names, _ in rows for key in re.findall(r"`(\w+)`", names)]
    assert sorted(keys) == sorted(executor.config.__struct_fields__)
    assert [names for names, row in rows if "The main key." in row] == [f"`{executor.main_key}`"]


@pytest.mark.parametrize("executor", [Http])
def test_the_examples_of_a_page_are_taken(executor: type[Executor]) -> None:
    """Each passes the check of its executor."""
    page = (PAGES / f"{executor.name}.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert examples
    for example in examples:
        check_config(executor, yaml.safe_load(example)[executor.name])
