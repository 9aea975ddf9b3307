"""The screen of events: the audit page by page, what was seen besides, and where it leads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from tests.tui import history
from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, lines, screen, shown, until
from tests.tui.fleet import RUNNING, at
from tests.tui.hosts import ETL, hosts
from tocsin.messages.client_answers import Declined
from tocsin.messages.client_link import Ask, ListAudit
from tocsin.model import AgentState, AuditEntry

Test = Callable[[Pilot[None], Coordinator], Awaitable[None]]

PAUSED = AuditEntry(at_us=at(-5000), by="ana", act="pause job", subject="cleanup-tmp")
KILLED = AuditEntry(
    at_us=at(-500), by="bo", act="kill run", subject="etl-orders",
    detail={"runs": [RUNNING.id], "count": 1},
)  # fmt: skip
CHANGED = AuditEntry(
    at_us=at(-400), by="bo", act="change job", subject="gone",
    detail={"version": 3, "keys": ["schedule"]},
)  # fmt: skip
DRAINED = AuditEntry(
    at_us=at(-300), by="ana", act="drain agent", subject="etl-03", detail={"reason": "disks"}
)
NEWEST = [KILLED, CHANGED, DRAINED]


def _drive(test: Test, entries: list[AuditEntry], **how: Any) -> None:
    async def drive() -> None:
        async with shown(serving, **how) as pilot:
            await pilot.press("6")
            await expect(pilot, "[6 Events]", "● live")
            await test(pilot, serving)

    with hosts() as serving:
        serving.note(*entries)
        asyncio.run(drive())


def _pages(coordinator: Coordinator) -> list[int]:
    return [ask.before for ask in coordinator.asks if isinstance(ask, ListAudit)]


def test_who_did_what_newest_first() -> None:
    """With particulars in words."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "events 3", "drain agent", "v3, changed schedule", "run 0016NB")
        rows = [line.split()[1:3] for line in lines(pilot)[3:6]]
        assert rows[1:] == [["bo", "change"], ["bo", "kill"]]

    _drive(test, NEWEST)


def test_enter_opens_what_it_is_about() -> None:
    """An agent, a run."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "drain agent")
        await pilot.press("enter")
        await expect(pilot, "[4 Agents]", "/name:etl-03")
        await pilot.press("6", "down", "down", "enter")
        await expect(pilot, "► RUNNING  etl-orders")

    _drive(test, NEWEST)


def test_a_removed_job_is_brought_back_from_what_was_done_to_it() -> None:
    """It is told of as it was last, from its versions alone."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.answers = history.answer
        await expect(pilot, "drain agent")
        await pilot.press("down", "enter")
        await expect(pilot, "Jobs > gone", "removed; its runs stay on record")
        await pilot.press("V")
        await expect(pilot, "Bring billing-sync back as it was in version 3?")

    _drive(test, NEWEST)


def test_from_a_run_to_its_job_and_its_agent() -> None:
    """On an event, in the list of runs and on a run: J and A, and esc comes back."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "kill run")
        await pilot.press("down", "down")
        await expect(pilot, "J job", "A agent")
        await pilot.press("J")
        await expect(pilot, "Jobs > etl-orders")
        await pilot.press("escape", "A")
        await expect(pilot, "[4 Agents]", "/name:etl-03")
        for keys in (["3"], ["3", "enter"]):
            await pilot.press(*keys)
            await expect(pilot, "J job")
            await pilot.press("J")
            await expect(pilot, "Jobs > ")
            await pilot.press("escape")
            await expect(pilot, "J job")
            await pilot.press("A")
            await expect(pilot, "[4 Agents]", "/name:")

    _drive(test, NEWEST)


def test_filter_by_who_and_by_what() -> None:
    """`by:`, `job:`, `agent:` and any word."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("slash", *"by:bo", "enter")
        await expect(pilot, "/by:bo  2 of 3")
        await pilot.press("slash", *[*["backspace"] * 5, *"agent:etl"], "enter")
        await expect(pilot, "/agent:etl  1 of 3", "drain agent")
        await pilot.press("escape")
        await expect(pilot, "events 3")

    _drive(test, NEWEST)


def test_older_ones_come_when_the_end_is_near() -> None:
    """Page by page, and none twice."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "events 200+")
        assert _pages(coordinator) == [0]
        await pilot.press("G")
        await expect(pilot, "events 400+")
        await pilot.press("G")
        await expect(pilot, "events 503")
        assert _pages(coordinator) == [0, 304, 104]

    _drive(test, [PAUSED] * 500 + NEWEST)


def test_a_filter_looks_in_older_ones_too() -> None:
    """As far as some pages reach, and it says that there are more."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("slash", *"drain", "enter")
        await expect(pilot, "/drain  1 of 603", "drain agent")
        await pilot.press("slash", *["backspace"] * 5, *"zzz", "enter")
        await expect(pilot, "nothing matches 'zzz'")
        assert _pages(coordinator) == [0, 404, 204, 4]

    _drive(test, [DRAINED, *[PAUSED] * 602])


def test_what_is_done_meanwhile_appears_and_moves_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor stays on its event."""
    monkeypatch.setattr("tocsin.tui.screens.events.ASK_S", 0.0)

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("down")
        await expect(pilot, "> 13:56:42", "change job")
        coordinator.note(*[PAUSED] * 300)
        coordinator.change(ETL)
        await expect(pilot, "events 303")
        await expect(pilot, "> 13:56:42")

    _drive(test, NEWEST)


def test_what_nobody_did_is_there_too() -> None:
    """An agent that went away while somebody watched."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        away = msgspec.structs.replace(ETL, state=AgentState.DOWN, down_since_us=at(-20))
        coordinator.change(away)
        await expect(pilot, "14:03:02", "agent went away", "it is not heard any more", "events 4")

    _drive(test, NEWEST)


def test_the_newest_is_under_the_cursor_until_it_is_moved() -> None:
    """Whatever was known before the audit was read; below the list stands all of it."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "> 13:58:22", "ana: drain agent etl-03")
        away = msgspec.structs.replace(ETL, state=AgentState.DOWN, down_since_us=at(-20))
        coordinator.change(away)
        await expect(pilot, "> 14:03:02", "tocsin: agent went away etl-03")

    _drive(test, NEWEST)


def test_what_cannot_be_read_is_told() -> None:
    """And the rest of the screen goes on."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "events: the store is away", "nobody has done anything yet")

    async def drive() -> None:
        async with shown(serving) as pilot:
            await pilot.press("6")
            await test(pilot, serving)

    def decline(ask: Ask) -> Declined | None:
        return Declined("the store is away") if isinstance(ask, ListAudit) else None

    with hosts() as serving:
        serving.decline = decline
        asyncio.run(drive())


def test_an_empty_audit() -> None:
    """It says so."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "nobody has done anything yet")
        assert "events 0" in screen(pilot)
        await until(pilot, lambda: _pages(coordinator) == [0])

    _drive(test, [])
