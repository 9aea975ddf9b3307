"""The screens of a job and of why, on a coordinator and an agent that are processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.fleet import Fleet, until
from tests.tui.driving import expect
from tocsin.config import find_context, find_places
from tocsin.keys import read_keypair
from tocsin.link import Hub
from tocsin.tui.app import TocsinApp
from tocsin.tui.session import Session, Target

Test = Callable[[Pilot[None]], Awaitable[None]]
JOBS = """
jobs:
  broken:
    timeout: {timeout}
    shell: 'exit 3'
  resting:
    schedule: "* * * * * *"
    shell: 'true'
  quiet:
    schedule: "30 2 * * *"
    timezone: Europe/Berlin
    shell: 'true'
"""


@asynccontextmanager
async def shown(fleet: Fleet) -> AsyncIterator[Pilot[None]]:
    """The app as the operator would start it."""
    environ = fleet.environ(fleet.operator)
    context = find_context(None, environ, find_places(environ))
    target = Target(context.endpoint, context.server_key, read_keypair(context.key_file))
    hub = Hub()
    app = TocsinApp(lambda tell: Session(hub, target, tell), name=context.name)
    try:
        async with app.run_test(size=(140, 40)) as pilot:
            await pilot.press("2")
            await expect(pilot, "● live", "resting")
            yield pilot
    finally:
        hub.close()


def drive(fleet: Fleet, test: Test) -> None:
    """Run a test of what is shown."""

    async def run() -> None:
        async with shown(fleet) as pilot:
            await test(pilot)

    asyncio.run(run())


def test_a_job_with_its_versions_failures_and_the_way_back(fleet: Fleet) -> None:
    """Versions, differences, agents and failures are real; a revert is done, and undone."""
    fleet.join("one")
    fleet.start_agent("one")
    fleet.apply(JOBS.format(timeout="1m"))
    (run,) = fleet.json("job", "run", "broken")
    assert fleet.call("run", "wait", run["id"]).returncode == 1
    fleet.apply(JOBS.format(timeout="2m"))

    async def test(pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        await expect(
            pilot, "Jobs > broken", "Config v2", "→ 1 match, 1 up: one", "timeout: 1m → 2m",
            "created", "1 x  failed, exit 3", "streak: 1 fail",
        )  # fmt: skip
        await pilot.press("d")
        await expect(pilot, "-timeout: 1m", "+timeout: 2m")
        await pilot.press("escape", "V")
        await expect(pilot, "Make broken what it was in version 1?", "timeout: 2m → 1m")
        await pilot.press("y")
        await expect(pilot, "✓ revert broken", "Config v3", "timeout: 2m → 1m")
        await pilot.press("U")
        await expect(pilot, "✓ undone: revert broken", "Config v4")

    drive(fleet, test)
    timeouts = [row["changed"].get("timeout") for row in fleet.json("job", "history", "broken")]
    assert timeouts[:3] == [
        {"old": "1m", "new": "2m"}, {"old": "2m", "new": "1m"}, {"old": "1m", "new": "2m"},
    ]  # fmt: skip


def test_why_it_did_what_it_did(fleet: Fleet) -> None:
    """The story of a run, of a due time that was skipped, and of one that was never there."""
    fleet.join("one")
    fleet.start_agent("one")
    fleet.apply(JOBS.format(timeout="1m"))
    (run,) = fleet.json("job", "run", "broken")
    assert fleet.call("run", "wait", run["id"]).returncode == 1
    assert fleet.call("job", "pause", "resting", "--reason", "new disk").returncode == 0
    until(
        lambda: [row for row in fleet.runs("--job", "resting") if row["reason"] == "paused"],
        "a due time to be skipped",
    )

    async def test(pilot: Pilot[None]) -> None:
        await pilot.press("w")
        await expect(pilot, "broken > why", "It ran on one and failed", "exit code 3", "Runs 1")
        await pilot.press("escape", "down", "w")
        await expect(pilot, "quiet > why", "quiet, due", "02:30 CE")
        await pilot.press("a", *"2020-01-01 00:00", "enter")
        await expect(pilot, "quiet, at Wed 2020-01-01 00:00 CET", "There was no job")
        await pilot.press("right")
        await expect(pilot, "quiet, at Wed 2020-01-01 02:30 CET")
        await pilot.press("escape", "down", "w")
        await expect(pilot, "resting > why", "the job was paused by admin: new disk", "✗")
        await pilot.press("escape", "enter")
        await expect(pilot, "Jobs > resting", "paused by admin: new disk", "skipped: paused")

    drive(fleet, test)
