"""The app under a pilot: start it, wait for what it shows, read its screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from tocsin import clock
from tocsin.link import Hub
from tocsin.tui.app import TocsinApp
from tocsin.tui.settings import TuiSettings

from .coordinator import Coordinator
from .fleet import AGENTS, JOBS, NOW_US, RUNS
from .screens import Pair

DEADLINE_S = 20.0
SETTINGS = {"zone": "Europe/Berlin", "theme": "dark"}


def fleet() -> Coordinator:
    """A coordinator with the usual fleet."""
    return Coordinator(JOBS, RUNS, AGENTS)


@asynccontextmanager
async def shown(
    coordinator: Coordinator,
    size: tuple[int, int] = (100, 30),
    first: str = "jobs",
    *,
    pair: Pair | None = None,
    **more: Any,
) -> AsyncIterator[Pilot[None]]:
    """The app on a screen of this size, at an instant that stands still.

    It begins with the screen `first`. `more` are settings (`TuiSettings`) and arguments of the app.
    """
    hub = Hub()
    told = {key: more.pop(key) for key in list(more) if key in TuiSettings.__struct_fields__}
    app = TocsinApp(
        lambda tell: coordinator.session(hub, tell),
        name="prod-eu",
        now_us=lambda: NOW_US,
        settings=TuiSettings(**{**SETTINGS, **told}),
        **more,
    )
    if pair is not None:
        pair.watch(app)
    try:
        async with app.run_test(size=size, headless=pair is None) as pilot:
            if first != app.current_mode:
                await app.switch_mode(first)
            yield pilot
    finally:
        hub.close()


def lines(pilot: Pilot[None]) -> list[str]:
    """What is on the screen, without spaces at the ends of lines."""
    strips = pilot.app.screen._compositor.render_strips()
    return [strip.text.rstrip() for strip in strips]


def screen(pilot: Pilot[None]) -> str:
    """What is on the screen."""
    return "\n".join(lines(pilot))


async def until(
    pilot: Pilot[None], holds: Callable[[], bool], what: Callable[[], str] = lambda: ""
) -> None:
    """Wait until something holds."""
    deadline_s = clock.monotonic_s() + DEADLINE_S
    while not holds():
        assert clock.monotonic_s() < deadline_s, what() or screen(pilot)
        await asyncio.sleep(0.01)
        await pilot.pause()


async def expect(pilot: Pilot[None], *texts: str) -> None:
    """Wait until all of these are on the screen."""
    await until(
        pilot,
        lambda: all(text in screen(pilot) for text in texts),
        lambda: f"not on the screen: {texts}\n{screen(pilot)}",
    )
