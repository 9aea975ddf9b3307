"""The app on a real coordinator with real agents: what is ordered of them, what comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.fleet import Fleet
from tests.tui.driving import expect, screen, until
from tocsin.config import read_context
from tocsin.link import Hub
from tocsin.tui.app import TocsinApp
from tocsin.tui.contexts import watched

Test = Callable[[Pilot[None]], Awaitable[None]]
JOB = {"shell": "sleep 300", "target": {"tags": {"name": "web-01"}}, "schedule": "@every 10m"}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet with a running coordinator and one agent."""
    made = Fleet(tmp_path)
    try:
        made.start_coordinator()
        made.join("web-01")
        made.start_agent("web-01")
        yield made
    finally:
        made.close()


def _drive(fleet: Fleet, test: Test) -> None:
    async def drive() -> None:
        context = watched(read_context(places / "admin.toml"), hub)
        app = TocsinApp(context.make_session, name=context.name)
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.press("4")
            await expect(pilot, "[4 Agents]", "● live", "web-01")
            await test(pilot)

    places = fleet.home / "coordinator" / "data" / "coordinator"
    hub = Hub()
    try:
        asyncio.run(drive())
    finally:
        hub.close()


def _state(fleet: Fleet, name: str) -> str:
    agents = fleet.json("agent", "list")
    return next((agent["state"] for agent in agents if agent["name"] == name), "")


def test_drain_and_its_undo(fleet: Fleet) -> None:
    """The question names what depends on the agent; the events tell who did it."""
    fleet.apply(json.dumps({"jobs": {"only-here": JOB}}))
    fleet.call("job", "run", "only-here", check=True)

    async def test(pilot: Pilot[None]) -> None:
        await expect(pilot, "1 job can run nowhere else now: only-here", "► running")
        await pilot.press("d")
        await expect(pilot, "Drain web-01?", "the run of only-here", "can run only-here:")
        await pilot.press("y")
        await expect(pilot, "✓ drain web-01  U undoes it", "◐  web-01", "draining by")
        assert await asyncio.to_thread(_state, fleet, "web-01") == "draining"
        await pilot.press("U")
        await expect(pilot, "✓ undone: drain web-01", "►  web-01")
        assert await asyncio.to_thread(_state, fleet, "web-01") == "up"
        await pilot.press("6")
        await expect(pilot, "uncordon agent", "drain agent", "run job", "create job", "web-01")
        await pilot.press("enter")
        await expect(pilot, "[4 Agents]", "/name:web-01  1 of 1")

    _drive(fleet, test)


def test_a_host_asks_is_let_in_and_comes_up(fleet: Fleet) -> None:
    """It appears by itself, and each of its states after it."""
    where = f"j1:127.0.0.1:{fleet.ports[1]}:{_server_key(fleet)}"

    async def test(pilot: Pilot[None]) -> None:
        fleet.start("web-02", "agent", "join", where, "--name", "web-02")
        await expect(pilot, "?  web-02", "1 to let in")
        await pilot.press("g")
        await until(pilot, lambda: "> ?  web-02" in screen(pilot))
        log = (fleet.home / "web-02.log").read_text()
        shown = next(line for line in screen(pilot).splitlines() if "fingerprint" in line)
        assert shown.split()[1] in log
        await pilot.press("a")
        await expect(pilot, "Let in the host that calls itself web-02?")
        await pilot.press("y")
        await expect(pilot, "✓ accept web-02", "✗  web-02")
        await until(pilot, lambda: "to let in" not in screen(pilot))
        await asyncio.to_thread(fleet.processes["web-02"].wait, 30)
        fleet.start("web-02", "agent")
        await expect(pilot, "●  web-02")
        await pilot.press("6")
        await expect(pilot, "accept agent", "agent is back")

    _drive(fleet, test)


def _server_key(fleet: Fleet) -> str:
    data = fleet.home / "coordinator" / "data" / "coordinator"
    return read_context(data / "admin.toml").server_key
