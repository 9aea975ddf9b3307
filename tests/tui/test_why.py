"""The screen that tells why."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, screen, shown, until
from tests.tui.fleet import RUNNING, RUNS, at
from tests.tui.history import SECOND_OF_DUE_S, past_runs, storied_fleet
from tocsin.instants import from_rfc3339
from tocsin.messages.client_answers import Declined, Story
from tocsin.messages.client_link import Explain
from tocsin.model import RunState

Test = Callable[[Pilot[None], Coordinator], Awaitable[None]]
FAILED = RUNS[3]


def _drive(test: Test, *keys: str, until_there: str = "billing-sync > why", **how: Any) -> None:
    async def drive() -> None:
        async with shown(serving, **how) as pilot:
            await pilot.press("2")
            await expect(pilot, "etl-orders", "● live")
            await pilot.press(*(keys or ("down", "w")))
            await expect(pilot, until_there)
            await test(pilot, serving)

    with storied_fleet() as serving:
        asyncio.run(drive())


def _asked(coordinator: Coordinator) -> list[Explain]:
    return [ask for ask in coordinator.asks if isinstance(ask, Explain)]


def test_the_story_of_a_job_is_of_its_last_due_time() -> None:
    """The verdict is on top, then every step with its mark and its time, then the runs."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(
            pilot, "billing-sync, due Tue 2026-03-24 14:00 CET", "as of 14:03:22",
            "it ran on db2 and failed at attempt 2", "✗ 02:31:00 attempt", "✓ 09:12:00 job",
            "Runs 1",
            "same as: tocsin why billing-sync --at 2026-03-24T13:00:00Z",
        )  # fmt: skip
        assert _asked(coordinator) == [Explain("billing-sync")]
        await pilot.press("enter")
        await expect(pilot, "[2 Jobs]", "nightly-backup")
        await pilot.press("escape", "escape")
        await expect(pilot, "jobs 8")

    _drive(test)


def test_due_time_by_due_time() -> None:
    """The brackets and the arrows go to the due times before and after."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "as of")
        await pilot.press("left_square_bracket")
        await expect(pilot, "due Tue 2026-03-24 13:45 CET")
        await pilot.press("left")
        await expect(pilot, "due Tue 2026-03-24 13:30 CET")
        await pilot.press("right", "right_square_bracket", "right")
        await expect(pilot, "due Tue 2026-03-24 14:15 CET")
        dues = [ask.at_us for ask in _asked(coordinator)]
        quarter_us = at(900) - at(0)
        last_us = at(SECOND_OF_DUE_S)
        assert dues[:3] == [None, last_us - quarter_us, last_us - 2 * quarter_us]
        assert dues[-1] == last_us + quarter_us

    _drive(test)


def test_from_a_story_to_the_job_and_the_agent() -> None:
    """The job is in the story's title, the agent in its runs."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "as of", "J job", "A agent")
        await pilot.press("J")
        await expect(pilot, "Jobs > ")
        await pilot.press("escape", "A")
        await expect(pilot, "[4 Agents]", "/name:db2")

    _drive(test)


def test_a_time_is_asked_for_on_the_clock_of_the_job() -> None:
    """As the command line takes it; what is no time is told, and how to write one."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "as of")
        await pilot.press("a")
        await expect(pilot, "when, on the clock of the job:")
        await pilot.press(*"yesterday 02:30", "enter")
        await expect(pilot, "due Mon 2026-03-23 02:30 CET")
        assert _asked(coordinator)[-1].at_us == from_rfc3339("2026-03-23T02:30:00+01:00")
        await pilot.press("a", *"teatime", "enter")
        await expect(pilot, "'teatime' is no time", "yesterday 02:30")
        await pilot.press("colon", *"why_at 2026-03-20T12:00:00Z", "enter")
        await expect(pilot, "due Fri 2026-03-20 13:00 CET")

    _drive(test)


def test_a_run_has_its_own_story() -> None:
    """From the list of runs and from the run itself, w asks about just that run."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        assert _asked(coordinator) == [Explain("etl-orders", None, RUNNING.id)]
        await pilot.press("escape", "enter")
        await expect(pilot, "RUNNING")
        await pilot.press("w")
        await expect(pilot, "etl-orders > why")
        await until(pilot, lambda: len(_asked(coordinator)) == 2)
        assert _asked(coordinator)[1] == Explain("etl-orders", None, RUNNING.id)

    _drive(test, "3", "w", until_there="etl-orders > why")


def test_from_the_screen_of_a_job() -> None:
    """The fire under the cursor, the run under the cursor, or the last due time."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("w")
        await expect(pilot, "billing-sync > why")
        await pilot.press("escape", "left", "w")
        await until(pilot, lambda: len(_asked(coordinator)) == 2)
        await pilot.press("escape", "tab", "enter")
        await until(pilot, lambda: len(_asked(coordinator)) == 3)
        assert _asked(coordinator) == [
            Explain("billing-sync"),
            Explain("billing-sync", None, past_runs()[59].id),
            Explain("billing-sync", at(SECOND_OF_DUE_S + 900)),
        ]

    _drive(test, "down", "enter", until_there="History  61 newest")


def test_without_a_link_it_is_asked_again() -> None:
    """A clear line says so, and the story comes when the link is back."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "as of")
        await pilot.press("escape")
        coordinator.hang_up()
        await expect(pilot, "OFFLINE")
        await pilot.press("w")
        await expect(pilot, "offline: asked again when the link is back")
        coordinator.come_back()
        await expect(pilot, "as of 14:03:22", "it ran on db2")
        coordinator.hang_up()
        await expect(pilot, "OFFLINE", "it ran on db2")
        await pilot.press("left")
        await expect(pilot, "offline: asked again", "it ran on db2")
        coordinator.come_back()
        await expect(pilot, "due Tue 2026-03-24 13:45 CET")

    _drive(test)


def test_a_refusal_is_told() -> None:
    """With its hint, and the way to other times stays."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "as of")
        coordinator.answers = lambda ask: (
            Declined("there is no job billing-sync", "see: tocsin job list")
            if isinstance(ask, Explain)
            else None
        )
        await pilot.press("left")
        await expect(pilot, "there is no job billing-sync (see: tocsin job list)")

    _drive(test)


def test_a_run_that_goes_on_is_asked_about_again() -> None:
    """The story follows what happens to its runs."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "It runs.", "► running")
        coordinator.change(replace(RUNNING, state=RunState.SUCCEEDED, finished_us=at(0)))
        await expect(pilot, "● ok")
        await until(pilot, lambda: len(_asked(coordinator)) == 2)

    async def drive() -> None:
        async with shown(serving) as pilot:
            await pilot.press("3")
            await expect(pilot, "running")
            await pilot.press("w")
            await test(pilot, serving)

    with storied_fleet() as serving:
        serving.answers = lambda ask: (
            Story("etl-orders", RUNNING.due_us, "Europe/Berlin", "It runs.", [], [RUNNING])
            if isinstance(ask, Explain)
            else None
        )
        asyncio.run(drive())


def test_long_texts_wrap_on_a_narrow_screen() -> None:
    """Nothing is cut off: a word that does not fit goes to the next line."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "as of")
        words = " ".join(screen(pilot).split())
        assert "the nearest to 02:31 CET: it ran on db2 and failed at attempt 2 after 1m" in words
        assert max(map(len, screen(pilot).splitlines())) <= 60

    _drive(test, until_there="billing-sync", size=(60, 40))
