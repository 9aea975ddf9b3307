"""The palette: anything by some letters of its name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, screen, shown, until
from tests.tui.hosts import hosts
from tocsin.messages.client_link import PauseJobs

Test = Callable[[Pilot[None], Coordinator], Awaitable[None]]


def _drive(test: Test, size: tuple[int, int] = (100, 30)) -> None:
    async def drive() -> None:
        async with shown(serving, size) as pilot:
            await pilot.press("2")
            await expect(pilot, "[2 Jobs]", "etl-orders", "● live")
            await test(pilot, serving)

    with hosts() as serving:
        asyncio.run(drive())


def test_an_action_is_done_to_what_the_cursor_is_on() -> None:
    """As its key would."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("ctrl+p")
        await expect(pilot, "Find an action", "run now")
        await pilot.press(*"paus", "enter")
        await expect(pilot, "[2 Jobs]", "✓ pause backup-db")
        assert [ask for ask in coordinator.asks if isinstance(ask, PauseJobs)] == [
            PauseJobs(["backup-db"])
        ]

    _drive(test)


def test_an_agent_is_gone_to() -> None:
    """By letters that are somewhere in its name, in order; the arrows choose another."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("ctrl+p", *"agent etl")
        await expect(pilot, "nothing is called so")
        await pilot.press(*["backspace"] * 9, *"wb7")
        await expect(pilot, "> agent    ✗ web-017")
        await pilot.press(*["backspace"] * 3, *"et3")
        await expect(pilot, "> agent    ● etl-03")
        await pilot.press("backspace")
        await expect(pilot, "etl-01")
        await pilot.press("down", "up", "enter")
        await expect(pilot, "[4 Agents]", "/name:etl-0")

    _drive(test)


def test_escape_does_nothing() -> None:
    """And the keys go back to where they went."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("down", "ctrl+p")
        await expect(pilot, "Find an action")
        await pilot.press("escape")
        await expect(pilot, "> ✗  billing-sync")
        await pilot.press("ctrl+p")
        await expect(pilot, "Find an action")
        await pilot.press("ctrl+p")
        await expect(pilot, "> ✗  billing-sync")
        await pilot.press("down")
        await expect(pilot, "> ●  cert-renew")

    _drive(test)


def test_no_more_than_twenty_rows_are_drawn() -> None:
    """However much is found and however high the terminal is."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("ctrl+p")
        await expect(pilot, "Find an action", " found")
        await until(pilot, lambda: screen(pilot).count("  action   ") == 19)
        assert "> action" in screen(pilot)

    _drive(test, (100, 60))
