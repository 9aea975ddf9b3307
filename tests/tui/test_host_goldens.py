"""Agents, what happened to them and what is found of them, beside what they should look like."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect
from tests.tui.fleet import RUNNING, at
from tests.tui.hosts import hosts
from tests.tui.test_goldens import SIZES, Act, check_screen
from tocsin.model import AuditEntry


async def _agents(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("4")
    await expect(pilot, "web-018")
    await pilot.press("down", "space")
    await expect(pilot, " *✗  web-017", "cordoned by bo")


async def _agent(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("4")
    await expect(pilot, "web-018")
    await pilot.press("down", "down", "down", "enter")
    await expect(pilot, "esc closes it", "can run nowhere else now")


async def _drain(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("4")
    await expect(pilot, "web-018")
    await pilot.press("down", "down", "down", "d")
    await expect(pilot, "Drain etl-03?")


async def _events(pilot: Pilot[None], coordinator: Coordinator) -> None:
    coordinator.note(
        _did(-5000, "ana", "pause job", "cleanup-tmp", reason="disk work", until_us=at(9000)),
        _did(-900, "token t-7", "enrol agent", "etl-03", id="x", token="t-7"),
        _did(-600, "ana", "change job", "billing-sync", version=12, keys=["retry", "timeout"]),
        _did(-500, "bo", "kill run", "etl-orders", runs=[RUNNING.id], count=1),
        _did(-300, "bo", "cordon agent", "etl-01", reason="new disks"),
        _did(-20, "tocsin", "resume job", "reindex"),
    )
    await pilot.press("6", "down")
    await expect(pilot, "events 6", "> 13:58:22")


def _did(seconds: float, by: str, act: str, subject: str, **detail: object) -> AuditEntry:
    return AuditEntry(at_us=at(seconds), by=by, act=act, subject=subject, detail=detail)


async def _palette(pilot: Pilot[None], _coordinator: Coordinator) -> None:
    await pilot.press("2", "ctrl+p", *"us")
    await expect(pilot, "Find an action", "mouse", "found")


SCENES: dict[str, Act] = {
    "agents": _agents,
    "agent": _agent,
    "drain": _drain,
    "events": _events,
    "palette": _palette,
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", list(SCENES))
def test_screen(scene: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen is the stored one, to the letter."""
    monkeypatch.setattr("tocsin.tui.connection.LAG_SHOWN_S", 3600.0)
    check_screen(scene, SCENES[scene], size, hosts)
