"""The session on a real link: snapshot, gaps, broken links, questions, output."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.tui.coordinator import Coordinator
from tests.tui.driving import fleet
from tests.tui.fleet import FAILED, JOBS, RUNNING, at, job, run
from tocsin.errors import LinkError, RequestError
from tocsin.link import Hub, new_keypair
from tocsin.messages.client_answers import Declined, Done
from tocsin.messages.client_link import KillRuns, ReadOutput, RunJobs, Subscribe
from tocsin.model import RunState
from tocsin.tui import session as session_module
from tocsin.tui.connection import Phase
from tocsin.tui.session import Session, Target

DEADLINE_S = 20.0


class Talk:
    """A session that runs, and an event for each thing that it tells."""

    def __init__(self, session: Session, news: asyncio.Event) -> None:
        self.session = session
        self._news = news

    async def until(self, holds: Callable[[Session], bool]) -> None:
        """Wait for news until something holds."""
        async with asyncio.timeout(DEADLINE_S):
            while not holds(self.session):
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def talk(coordinator: Coordinator, target: Target | None = None) -> AsyncIterator[Talk]:
    """A session with this coordinator."""
    hub, news = Hub(), asyncio.Event()
    session = coordinator.session(hub, lambda _view, _connection: news.set())
    if target is not None:
        session = Session(hub, target, lambda _view, _connection: news.set())
    running = asyncio.create_task(session.run())
    try:
        yield Talk(session, news)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        hub.close()


def _run(test: Callable[[Coordinator], Awaitable[Any]], coordinator: Coordinator) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(2 * DEADLINE_S):
            await test(coordinator)

    with coordinator:
        asyncio.run(bounded())


def _whole(session: Session) -> bool:
    return session.view.whole


def test_snapshot_then_changes() -> None:
    """The view becomes whole, in however many parts it comes, and then follows each change."""

    async def test(coordinator: Coordinator) -> None:
        coordinator.parts = 3
        async with talk(coordinator) as t:
            await t.until(_whole)
            assert set(t.session.view.jobs) == {row.job.name for row in JOBS}
            assert len(t.session.view.agents) == 3
            assert t.session.connection.phase is Phase.UP
            coordinator.change(job(9, "new"), run(9, "new"), gone=("reindex",))
            await t.until(lambda s: "new" in s.view.jobs)
            assert "reindex" not in t.session.view.jobs
            await t.until(lambda s: s.connection.status is not None)

    _run(test, fleet())


def test_active_runs_beyond_the_newest_are_seen() -> None:
    """A run under way that is too old for the snapshot is asked for."""
    old = run(0, "etl-orders", RunState.RUNNING, started_us=at(-90_000))

    async def test(coordinator: Coordinator) -> None:
        coordinator.held = [old]
        async with talk(coordinator) as t:
            await t.until(lambda s: old.id in s.view.runs)

    _run(test, fleet())


def test_gap_asks_for_a_new_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a lost update the session subscribes again, and the view is right again."""
    monkeypatch.setattr(session_module, "RESUBSCRIBE_S", 0.0)

    async def test(coordinator: Coordinator) -> None:
        async with talk(coordinator) as t:
            await t.until(_whole)
            coordinator.skip_a_number()
            coordinator.change(job(9, "after-the-gap"))
            await t.until(lambda s: "after-the-gap" in s.view.jobs)
            assert not t.session.view.stale
        assert sum(isinstance(ask, Subscribe) for ask in coordinator.asks) == 2

    _run(test, fleet())


def test_gap_right_after_a_snapshot_is_mended_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots do not chase each other: a gap that comes too soon waits for the pulse."""
    monkeypatch.setattr(session_module, "PULSE_S", 0.05)
    monkeypatch.setattr(session_module, "RESUBSCRIBE_S", 0.2)

    async def test(coordinator: Coordinator) -> None:
        async with talk(coordinator) as t:
            await t.until(_whole)
            coordinator.skip_a_number()
            coordinator.change(job(9, "after-the-gap"))
            await t.until(lambda s: s.view.stale)
            await t.until(lambda s: "after-the-gap" in s.view.jobs)

    _run(test, fleet())


def test_link_that_breaks_and_comes_back() -> None:
    """While the link is down the view stays; when it is back it is brought up to date."""

    async def test(coordinator: Coordinator) -> None:
        async with talk(coordinator) as t:
            await t.until(_whole)
            coordinator.hang_up()
            await t.until(lambda s: s.connection.phase is Phase.DOWN)
            assert len(t.session.view.jobs) == len(JOBS)
            assert t.session.connection.heard_us is not None
            with pytest.raises(LinkError, match="no link"):
                await t.session.ask(RunJobs(["reindex"]))
            coordinator.change(job(9, "meanwhile"))
            coordinator.come_back()
            await t.until(lambda s: "meanwhile" in s.view.jobs)
            assert t.session.connection.phase is Phase.UP

    _run(test, fleet())


def test_question_under_way_fails_with_the_link() -> None:
    """A question whose answer cannot arrive any more fails at once, and says so."""

    async def test(coordinator: Coordinator) -> None:
        async with talk(coordinator) as t:
            await t.until(_whole)
            pages = t.session.follow(RUNNING.id)
            reading = asyncio.ensure_future(anext(pages))
            asking = asyncio.create_task(t.session.ask(RunJobs(["reindex"])))
            coordinator.hang_up()
            with suppress(LinkError):
                await asking
            coordinator.come_back()
            coordinator.write(RUNNING.id, "after the break\n")
            page = await reading
            assert page.pieces[0].data == b"after the break\n"

    _run(test, fleet())


def test_answers_and_refusals() -> None:
    """An answer comes back to its question; what is declined is an error with its hint."""

    async def test(coordinator: Coordinator) -> None:
        async with talk(coordinator) as t:
            await t.until(_whole)
            both = await asyncio.gather(
                t.session.ask(RunJobs(["reindex"])), t.session.ask(KillRuns([RUNNING.id]))
            )
            assert isinstance(both[0], Done)
            assert both[1] == Done([RUNNING.id])
            coordinator.decline = lambda ask: (
                Declined("no", "ask ana") if isinstance(ask, RunJobs) else None
            )
            with pytest.raises(RequestError, match="no") as caught:
                await t.session.ask(RunJobs(["reindex"]))
            assert caught.value.hint == "ask ana"

    _run(test, fleet())


def test_no_answer_in_time() -> None:
    """A question that nobody answers ends with an error that warns against asking twice."""

    async def test(coordinator: Coordinator) -> None:
        async with talk(coordinator) as t:
            await t.until(_whole)
            with pytest.raises(LinkError, match="no answer") as caught:
                await t.session.ask(ReadOutput(RUNNING.id, wait_s=9.0), timeout_s=0.05)
            assert "may have been done" in caught.value.hint

    _run(test, fleet())


def test_output_is_followed_to_its_end() -> None:
    """Output arrives once, in order, until the run is over."""

    async def test(coordinator: Coordinator) -> None:
        coordinator.write(RUNNING.id, "one\n", "two\n")
        async with talk(coordinator) as t:
            await t.until(_whole)
            got = []
            async for page in t.session.follow(RUNNING.id):
                got += [piece.data for piece in page.pieces]
                if len(got) == 2:
                    coordinator.write(RUNNING.id, "three\n")
                    coordinator.change(run(5, "etl-orders", RunState.SUCCEEDED, finished_us=at(0)))
            assert got == [b"one\n", b"two\n", b"three\n"]

    _run(test, fleet())


def test_history_of_a_job() -> None:
    """Older runs of a job are added when asked for."""
    old = run(0, "billing-sync", RunState.LOST)

    async def test(coordinator: Coordinator) -> None:
        coordinator.held = [old]
        async with talk(coordinator) as t:
            await t.until(_whole)
            await t.session.load_runs("billing-sync")
            assert set(t.session.view.runs) >= {old.id, FAILED.id}

    _run(test, fleet())


def test_key_that_is_not_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is told, and asked about again until the key is let in."""
    monkeypatch.setattr(session_module, "REDIAL_S", 0.05)

    async def test(coordinator: Coordinator) -> None:
        coordinator.admits = False
        async with talk(coordinator) as t:
            await t.until(lambda s: s.connection.phase is Phase.REFUSED)
            coordinator.admits = True
            await t.until(_whole)

    _run(test, fleet())


def test_wrong_server_key_is_told() -> None:
    """A coordinator with another key than the context says is named as that."""

    async def test(coordinator: Coordinator) -> None:
        wrong = Target(coordinator.endpoint, new_keypair().public, coordinator.client_pair)
        async with talk(coordinator, wrong) as t:
            await t.until(lambda s: "another key" in s.connection.reason)
            assert t.session.connection.phase is Phase.CONNECTING

    _run(test, fleet())


def test_endpoint_that_is_none() -> None:
    """An endpoint that cannot be understood ends the session with an error."""

    async def test() -> None:
        hub = Hub()
        target = Target("nonsense", new_keypair().public, new_keypair())
        with pytest.raises(LinkError, match="cannot dial nonsense"):
            await Session(hub, target, lambda _view, _connection: None).run()
        hub.close()

    asyncio.run(test())
