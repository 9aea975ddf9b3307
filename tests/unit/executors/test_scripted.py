"""The scripted executor plays what it is told to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tocsin.execution import AttemptKey, Order, Outcome, Status
from tocsin.executors.output_files import OutputFiles
from tocsin.executors.scripted import Scripted, ScriptedConfig


def play(tmp_path: Path, attempt: int = 1, **config: Any) -> Outcome:
    """Run it to its end."""
    key = AttemptKey(f"R.{attempt}")
    order = Order(key, "job", "scripted", config, {}, None, 1.0, 1.0, 0)
    sink = OutputFiles(str(tmp_path / key), 1 << 20)

    async def run() -> Outcome:
        block = msgspec.convert(config, ScriptedConfig)
        running = await Scripted().start(order, block, sink)
        return await running.wait()

    try:
        return asyncio.run(run())
    finally:
        sink.close()


def test_silence_costs_no_file(tmp_path: Path) -> None:
    """A run without output leaves no file."""
    assert play(tmp_path) == Outcome(Status.SUCCEEDED, 0)
    assert play(tmp_path, run_for=0.001) == Outcome(Status.SUCCEEDED, 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("interval", [0, "1ms"])
def test_lines(tmp_path: Path, interval: float | str) -> None:
    """Lines are counted, and each stream has its own number of them."""
    play(tmp_path, lines=5, stderr_lines=2, line="<{n}>", interval=interval)
    assert (tmp_path / "R.1.out").read_text() == "<1>\n<2>\n<3>\n<4>\n<5>\n"
    assert (tmp_path / "R.1.err").read_text() == "<1>\n<2>\n"


def test_many_lines(tmp_path: Path) -> None:
    """A great many lines are all there."""
    play(tmp_path, lines=5000)
    lines = (tmp_path / "R.1.out").read_text().splitlines()
    assert lines == [f"line {n}" for n in range(1, 5001)]


def test_attempts_that_fail(tmp_path: Path) -> None:
    """The first attempts fail, later ones do not."""
    statuses = [play(tmp_path, n, fail_attempts=2).status for n in (1, 2, 3)]
    assert statuses == [Status.FAILED, Status.FAILED, Status.SUCCEEDED]


def test_a_failure_code(tmp_path: Path) -> None:
    """The exit code is the one asked for."""
    outcome = play(tmp_path, exit_code=9, lines=1)
    assert (outcome.status, outcome.exit_code) == (Status.FAILED, 9)
