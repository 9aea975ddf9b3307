"""Whole screens as text, beside what they should be.

To accept what they are now: TOCSIN_ACCEPT_GOLDENS=1 pytest tests/tui/test_goldens.py
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, fleet, lines, shown, until
from tests.tui.fleet import RUNNING
from tests.tui.history import storied_fleet

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
    await pilot.press("3", "enter")
    await expect(pilot, "WARN slow", "connected to db-02")


async def _kill(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("3", "x")
    await expect(pilot, "Kill run")


async def _help(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("question_mark")
    await expect(pilot, "ctrl+c leaves")


<<<<<<< HEAD
Act = Callable[[Pilot[None], Coordinator], Awaitable[None]]
SCENES: dict[str, Act] = {
=======
async def _job(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("2")
    await expect(pilot, "etl-orders")
    await pilot.press("down", "enter")
    await expect(pilot, "History  61 newest")


async def _changes(pilot: Pilot[None], coordinator: Coordinator) -> None:
    await _job(pilot, coordinator)
    await pilot.press("tab", "tab", "tab", "tab", "tab")
    await expect(pilot, "[Changes]", "v1 10 Dec")


async def _revert(pilot: Pilot[None], coordinator: Coordinator) -> None:
    await _changes(pilot, coordinator)
    await pilot.press("V")
    await expect(pilot, "what it was in version 2?")


async def _diff(pilot: Pilot[None], coordinator: Coordinator) -> None:
    await _changes(pilot, coordinator)
    await pilot.press("d")
    await expect(pilot, "+timeout: 5m")


async def _why(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("2")
    await expect(pilot, "etl-orders")
    await pilot.press("down", "w")
    await expect(pilot, "as of", "Runs 1")


SCENES: dict[str, Callable[[Pilot[None], Coordinator], Awaitable[None]]] = {
>>>>>>> 39e279a (Hold the screens of a job and of why to what they should show)
    "jobs": _jobs,
    "command": _command,
    "runs": _runs,
    "run": _run,
    "kill": _kill,
    "help": _help,
    "job": _job,
    "changes": _changes,
    "revert": _revert,
    "diff": _diff,
    "why": _why,
}
FLEETS = dict.fromkeys(("job", "changes", "revert", "diff", "why"), storied_fleet)
"""Those that are not the usual one."""
PICTURES = [*((scene, size) for scene in SCENES for size in SIZES), ("job", (140, 40))]


async def _picture(act: Act, size: tuple[int, int], coordinator: Coordinator) -> list[str]:
    async with shown(coordinator, size) as pilot:
        await expect(pilot, "● live", "agents 2/3")
        await act(pilot, coordinator)
        taken: list[list[str]] = [[]]

        def still() -> bool:
            taken.append(lines(pilot))
            return taken[-1] == taken[-2]

        await until(pilot, still)
        return taken[-1]


@pytest.mark.parametrize(
    ("scene", "size"), PICTURES, ids=lambda it: it if isinstance(it, str) else f"{it[0]}x{it[1]}"
)
def test_screen(scene: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen is the stored one, to the letter, and no line is wider than the screen."""
    monkeypatch.setattr("tocsin.tui.connection.LAG_SHOWN_S", 3600.0)
<<<<<<< HEAD
    compare(scene, SCENES[scene], size)


def compare(scene: str, act: Act, size: tuple[int, int]) -> None:
    """Do something, and hold the screen to the stored one."""
    with fleet() as coordinator:
        picture = asyncio.run(_picture(act, size, coordinator))
=======
    with FLEETS.get(scene, fleet)() as coordinator:
        picture = asyncio.run(_picture(scene, size, coordinator))
>>>>>>> 39e279a (Hold the screens of a job and of why to what they should show)
    assert len(picture) == size[1]
    assert max(cell_len(line) for line in picture) <= size[0]
    golden = GOLDENS / f"{scene}-{size[0]}x{size[1]}.txt"
    text = "\n".join(picture) + "\n"
    if os.environ.get("TOCSIN_ACCEPT_GOLDENS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
