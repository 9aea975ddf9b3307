"""Several coordinators: going from one to the other, read-only and careful ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, fleet, screen, shown
from tests.tui.fleet import job
from tocsin.config import Context, find_places, write_context
from tocsin.errors import ConfigError
from tocsin.keys import load_or_make_keypair
from tocsin.link import Hub, new_keypair
from tocsin.messages.client_link import PauseJobs, ResumeJobs
from tocsin.tui.contexts import Contexts, Watched, choose, known_contexts

Test = Callable[[Pilot[None], Coordinator, Coordinator], Awaitable[None]]


def _other() -> Coordinator:
    return Coordinator([job(1, "only-there", "@daily", 42), job(2, "second", "@daily", 99)], [], [])


def _drive(test: Test, *, read_only: bool = False, careful: bool = False) -> None:
    def broken() -> Watched:
        raise ConfigError("client.key: there is no such file", "join it again")

    async def drive() -> None:
        def watch_other() -> Watched:
            return Watched(
                "dev-1", lambda tell: there.session(hub, tell), read_only=read_only, careful=careful
            )

        contexts: Contexts = {
            "prod-eu": lambda: Watched("prod-eu", lambda tell: here.session(hub, tell)),
            "dev": watch_other,
            "broken": broken,
        }
        async with shown(here, contexts=contexts) as pilot:
            await pilot.press("2")
            await expect(pilot, "prod-eu ● live", "etl-orders")
            await test(pilot, here, there)

    hub = Hub()
    try:
        with fleet() as here, _other() as there:
            asyncio.run(drive())
    finally:
        hub.close()


async def _go(pilot: Pilot[None], name: str) -> None:
    await pilot.press("colon", *f"context {name}", "enter")


def test_another_coordinator_and_back() -> None:
    """All is of the one in the header: questions go to it, and nothing of the other stays."""

    async def test(pilot: Pilot[None], here: Coordinator, there: Coordinator) -> None:
        await pilot.press("p")
        await expect(pilot, "✓ pause backup-db")
        await pilot.press("slash", *"etl", "enter")
        await expect(pilot, "/etl  1 of 7")
        await _go(pilot, "dev")
        await expect(pilot, "dev-1 ● live", "✓ watching dev-1")
        await pilot.press("2")
        await expect(pilot, "only-there", "jobs 2")
        assert "etl-orders" not in screen(pilot)
        assert "/etl" not in screen(pilot)
        await pilot.press("U")
        await expect(pilot, "undo: nothing that can be taken back")
        await pilot.press("down", "p")
        await expect(pilot, "✓ pause second")
        assert [ask.names for ask in there.asks if isinstance(ask, PauseJobs)] == [["second"]]
        assert not [ask for ask in (*here.asks, *there.asks) if isinstance(ask, ResumeJobs)]
        here.change(job(5, "too-late", "@daily", 42))
        there.change(job(3, "third", "@daily", 42))
        await expect(pilot, "third", "jobs 3")
        assert "too-late" not in screen(pilot)
        await _go(pilot, "prod-eu")
        await expect(pilot, "prod-eu ● live", "etl-orders", "too-late")

    _drive(test)


def test_what_was_open_on_another_screen_begins_anew() -> None:
    """A run of the first coordinator is nothing to the second."""

    async def test(pilot: Pilot[None], _: Coordinator, __: Coordinator) -> None:
        await pilot.press("3", "enter")
        await expect(pilot, "► RUNNING  etl-orders")
        await _go(pilot, "dev")
        await expect(pilot, "dev-1 ● live", "✓ watching dev-1", "only-there")
        await pilot.press("3")
        await expect(pilot, "[3 Runs]", "runs 0")
        await pilot.press("4")
        await expect(pilot, "[4 Agents]", "no agents yet")

    _drive(test)


def test_what_cannot_be_watched_changes_nothing() -> None:
    """A wrong name, or a key that is missing, is told, with what would help."""

    async def test(pilot: Pilot[None], _: Coordinator, __: Coordinator) -> None:
        await _go(pilot, "deb")
        await expect(pilot, "there is no context 'deb'", 'did you mean "dev"?', "etl-orders")
        await _go(pilot, "broken")
        await expect(pilot, "client.key: there is no such file (join it again)", "etl-orders")
        await pilot.press("p")
        await expect(pilot, "✓ pause backup-db")

    _drive(test)


def test_names_are_completed_and_found() -> None:
    """Behind the colon, and in the palette."""

    async def test(pilot: Pilot[None], _: Coordinator, __: Coordinator) -> None:
        await pilot.press("colon", *"context ")
        await expect(pilot, "context prod-eu  context dev  context broken")
        await pilot.press("escape", "ctrl+p", *"dev")
        await expect(pilot, "> context  dev")
        await pilot.press("enter")
        await expect(pilot, "dev-1 ● live", "only-there")

    _drive(test)


def test_a_read_only_context() -> None:
    """It says so, and changes nothing."""

    async def test(pilot: Pilot[None], _: Coordinator, there: Coordinator) -> None:
        await _go(pilot, "dev")
        await expect(pilot, "dev-1 ● live  READ-ONLY", "only-there")
        await pilot.press("p")
        await expect(pilot, "pause: this context is read-only")
        assert not [ask for ask in there.asks if isinstance(ask, PauseJobs)]

    _drive(test, read_only=True)


def test_a_careful_context_has_its_name_typed() -> None:
    """Also for what would be done at once elsewhere."""

    async def test(pilot: Pilot[None], _: Coordinator, there: Coordinator) -> None:
        await _go(pilot, "dev")
        await expect(pilot, "dev-1 ● live", "only-there", "✓ watching")
        await pilot.press("p")
        await expect(pilot, "Pause only-there?", "type dev-1 and enter")
        await pilot.press(*"dev", "enter")
        await expect(pilot, "type dev-1 and enter")
        assert not [ask for ask in there.asks if isinstance(ask, PauseJobs)]
        await pilot.press(*"-1", "enter")
        await expect(pilot, "✓ pause only-there")

    _drive(test, careful=True)


def test_contexts_are_those_of_the_configuration_directory(tmp_path: Path) -> None:
    """Those in files by their names, the usual one, and the one that was begun with."""
    places = find_places({"TOCSIN_HOME": str(tmp_path)})
    usual = Context(name="home", endpoint="tcp://x:1", server_key="ab", key_file=Path("u.key"))
    for name in ("prod", "test"):
        write_context(places.contexts_dir / f"{name}.toml", usual)
    (places.contexts_dir / "prod.toml").write_text(
        'name = "prod-eu"\nendpoint = "tcp://x:1"\nserver_key = "ab"\nkey_file = "k"\n'
        "read_only = true\n"
    )
    write_context(places.context_file, usual)
    load_or_make_keypair(places.contexts_dir / "k", new_keypair)
    first = Context(name="first", endpoint="tcp://x:1", server_key="ab", key_file=Path("k"))
    hub = Hub()
    try:
        contexts = known_contexts(first, places, hub)
        assert list(contexts) == ["home", "first", "prod", "test"]
        prod = choose(contexts, "prod")
        assert (prod.name, prod.read_only, prod.careful) == ("prod-eu", True, False)
        for name, says in (("test", "u.key"), ("pord", 'did you mean "prod"?')):
            with pytest.raises(ConfigError) as caught:
                choose(contexts, name)
            assert says in f"{caught.value.message} {caught.value.hint}"
    finally:
        hub.close()
