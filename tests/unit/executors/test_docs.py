"""The page on executors says what the code does."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocsin.execution import AttemptKey, Executor, Order, Outcome, Status, check_config
from tocsin.executors.output_files import OutputFiles
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


@pytest.mark.parametrize("executor", [Shell, Scripted])
def test_every_key_is_on_the_page(executor: type[Executor]) -> None:
    """The first table of a section has the keys of the schema, all of them, and the main one."""
    table = section(executor.name).partition("| key |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", table, flags=re.MULTILINE))
    assert set(rows) == set(executor.config.__struct_fields__)
    assert [key for key, row in rows.items() if "The main key." in row] == [executor.main_key]


@pytest.mark.parametrize("executor", [Shell, Scripted])
def test_the_examples_are_taken(executor: type[Executor]) -> None:
    """Each example block of a section passes the check of its executor."""
    examples = re.findall(r"```yaml\n(.*?)```", section(executor.name), flags=re.DOTALL)
    assert examples
    for example in examples:
        check_config(executor, yaml.safe_load(example)[executor.name])


def test_the_example_executor_runs(tmp_path: Path) -> None:
    """The executor that the page writes does what it says."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {"__name__": "tocsin_touch"}
    exec(compile(code, "tocsin_touch.py", "exec", dont_inherit=True), names)
    touch = names["Touch"]
    target = tmp_path / "made"
    config = names["TouchConfig"](path=str(target))
    order = Order(AttemptKey("R.1"), "job", "touch", {}, {}, None, 1.0, 1.0, 0)

    async def run(after_s: float, *, cancel: bool) -> Outcome:
        sink = OutputFiles(str(tmp_path / "R.1"), 1 << 20)
        block = names["TouchConfig"](path=config.path, after_s=after_s)
        running = await touch().start(order, block, sink)
        if cancel:
            await running.cancel(0.0)
        outcome: Outcome = await running.wait()
        sink.close()
        return outcome

    assert asyncio.run(run(600.0, cancel=True)) == Outcome(Status.CANCELLED)
    assert not target.exists()
    assert asyncio.run(run(0.001, cancel=False)) == Outcome(Status.SUCCEEDED, 0)
    assert target.exists()
