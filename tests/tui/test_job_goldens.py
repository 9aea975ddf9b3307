"""The screens of a job and of why as text, beside what they should be; see `test_goldens`."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect
from tests.tui.history import storied_fleet
from tests.tui.test_goldens import SIZES, Act, check_screen


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
    await expect(pilot, "as of")


async def _removed(pilot: Pilot[None], coordinator: Coordinator) -> None:
    await _job(pilot, coordinator)
    coordinator.change(gone=("billing-sync",))
    await expect(pilot, "removed; its runs stay")


SCENES: dict[str, Act] = {
    "job": _job,
    "job-changes": _changes,
    "job-revert": _revert,
    "job-diff": _diff,
    "job-removed": _removed,
    "why": _why,
}
PICTURES = [*((scene, size) for scene in SCENES for size in SIZES), ("job", (140, 40))]


@pytest.mark.parametrize(
    ("scene", "size"), PICTURES, ids=lambda it: it if isinstance(it, str) else f"{it[0]}x{it[1]}"
)
def test_screen(scene: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen is the stored one, to the letter, and no line is wider than the screen."""
    monkeypatch.setattr("tocsin.tui.connection.LAG_SHOWN_S", 3600.0)
    check_screen(scene, SCENES[scene], size, storied_fleet)
