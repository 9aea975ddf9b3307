"""The job editor as text, beside what it should be; see `test_goldens`."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect
from tests.tui.editing_keys import edit, to, type_text
from tests.tui.test_goldens import Act, check_screen

SIZES = [(100, 30), (80, 24), (140, 40)]


async def _scheduled(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await edit(pilot)
    await to(pilot, "Schedule")
    await pilot.press("ctrl+u")
    await type_text(pilot, "*/15 8-19 * * 1-5")
    await to(pilot, "Time zone")
    await type_text(pilot, "Europe/Berlin")
    await to(pilot, "Blackout")
    await type_text(pilot, "Fri 18:00 - Mon 06:00")
    await expect(pilot, "3 changes")


async def _wrong(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("n")
    await expect(pilot, "(needed)")
    await type_text(pilot, "night ly")
    await to(pilot, "Schedule")
    await type_text(pilot, "30 25 * * *")
    await to(pilot, "Tags")
    await pilot.press("f2")
    await expect(pilot, "not saved: 3 things wrong: Name, command, Schedule", ">Name")


async def _all(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await edit(pilot, "etl-orders")
    await pilot.press("f6")
    await to(pilot, "Clock change")
    await pilot.press("space")
    await expect(pilot, "< skip >", "1 change")


async def _fires(pilot: Pilot[None], coordinator: Coordinator) -> None:
    await _scheduled(pilot, coordinator)
    await pilot.press("f5")
    await expect(pilot, "Next fires", "fires a week")


async def _yaml(pilot: Pilot[None], coordinator: Coordinator) -> None:
    await _scheduled(pilot, coordinator)
    await pilot.press("f3")
    await expect(pilot, "timezone: Europe/Berlin")


async def _save(pilot: Pilot[None], coordinator: Coordinator) -> None:
    await _scheduled(pilot, coordinator)
    await pilot.press("f2")
    await expect(pilot, "Save billing-sync", "y save")


async def _help(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await edit(pilot)
    await to(pilot, "Schedule")
    await pilot.press("f1")
    await expect(pilot, "in a job file: schedule")


SCENES: dict[str, Act] = {
    "editor": _scheduled,
    "editor-wrong": _wrong,
    "editor-all": _all,
    "editor-fires": _fires,
    "editor-yaml": _yaml,
    "editor-save": _save,
    "editor-help": _help,
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", list(SCENES))
def test_screen(
    scene: str, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The screen is the stored one, to the letter, and no line is wider than the screen."""
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path))
    monkeypatch.setattr("tocsin.tui.connection.LAG_SHOWN_S", 3600.0)
    check_screen(scene, SCENES[scene], size)
