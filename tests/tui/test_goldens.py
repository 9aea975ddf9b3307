"""Whole screens as text, beside what they should be.

To accept what they are now: TOCSIN_ACCEPT_GOLDENS=1 pytest tests/tui/test_goldens.py
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, fleet, lines, shown, until
from tests.tui.fleet import RUNNING, at, run
from tocsin.model import RunState

GOLDENS = Path(__file__).with_name("goldens")
SIZES = [(100, 30), (80, 24)]


async def _jobs(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("2", "down", "space")
    await expect(pilot, " *✗  billing-sync")


async def _runs(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("3")
    await expect(pilot, "runs 5")


async def _command(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("2", "colon", *"pause ")
    await expect(pilot, "tab: pause backup-db")


async def _run(pilot: Pilot[None], coordinator: Coordinator) -> None:
    coordinator.write(RUNNING.id, "etl.orders 4.2.0 starting\n", "connected to db-02\n")
    coordinator.write(RUNNING.id, "WARN slow query 3.1s: select * from order_item\n", stream=2)
    coordinator.held = [
        run(-number, "etl-orders", RunState.FAILED if number == 3 else RunState.SUCCEEDED,
            started_us=at(-3600 * number), finished_us=at(-3600 * number + 1070 + number),
            exit_code=3 if number == 3 else 0)
        for number in range(1, 6)
    ]  # fmt: skip
    coordinator.attempts = [
        run(5, "etl-orders", RunState.FAILED, agent="etl-01", started_us=at(-1100), exit_code=3)
    ]
    coordinator.change(msgspec.structs.replace(RUNNING, attempt=2))
    await pilot.press("3", "enter")
    await expect(pilot, "WARN slow", "connected to db-02", "before  ", "try 1 ✗")


async def _log(pilot: Pilot[None], coordinator: Coordinator) -> None:
    texts = [f"batch {number:3d}/240  2000 rows\n" for number in range(240)]
    texts[200:200] = ["WARN reject ratio 0.03% above 0.02%\n", "load: 18,000/43,988\n"]
    coordinator.page_pieces = 100
    coordinator.write(RUNNING.id, *texts)
    coordinator.write(RUNNING.id, "WARN slow query 3.1s: select * from order_item\n", stream=2)
    await pilot.press("3", "enter")
    await expect(pilot, "WARN slow query")
    await pilot.press("ampersand", *"!batch", "enter", "slash", *"warn", "enter", "m", "n")
    await expect(pilot, "hidden by filter !batch", "'warn': 2 of 2", "WARN reject")


async def _failed(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("3", "down", "enter")
    await expect(pilot, "✗ FAILED", "it printed nothing", "its program ended with 1")


async def _kill(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("3", "x")
    await expect(pilot, "Kill run")


async def _help(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("question_mark")
    await expect(pilot, "ctrl+c leaves")


Act = Callable[[Pilot[None], Coordinator], Awaitable[None]]
SCENES: dict[str, Act] = {
    "jobs": _jobs,
    "command": _command,
    "runs": _runs,
    "run": _run,
    "log": _log,
    "failed": _failed,
    "kill": _kill,
    "help": _help,
}


async def _picture(act: Act, size: tuple[int, int], coordinator: Coordinator) -> list[str]:
    async with shown(coordinator, size) as pilot:
        await expect(pilot, "● live", "1 queued")
        await act(pilot, coordinator)
        taken: list[list[str]] = [[]]

        def still() -> bool:
            taken.append(lines(pilot))
            return taken[-1] == taken[-2]

        await until(pilot, still)
        return taken[-1]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", list(SCENES))
def test_screen(scene: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen is the stored one, to the letter, and no line is wider than the screen."""
    monkeypatch.setattr("tocsin.tui.connection.LAG_SHOWN_S", 3600.0)
    check_screen(scene, SCENES[scene], size)


def check_screen(
    scene: str, act: Act, size: tuple[int, int], made: Callable[[], Coordinator] = fleet
) -> None:
    """Do something, and hold the screen to the stored one; `made` is the fleet that it shows."""
    with made() as coordinator:
        picture = asyncio.run(_picture(act, size, coordinator))
    assert len(picture) == size[1]
    assert max(cell_len(line) for line in picture) <= size[0]
    golden = GOLDENS / f"{scene}-{size[0]}x{size[1]}.txt"
    text = "\n".join(picture) + "\n"
    if os.environ.get("TOCSIN_ACCEPT_GOLDENS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
