"""The TUI's side of the link: keeps a view up to date, asks questions, follows output.

Everything here lives in one asyncio loop. The link dials again by itself (`tocsin.link`); each
time it is up this subscribes anew, and so it does when an update is missing. Questions that are
under way when the link breaks fail at once: their answers cannot arrive any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from tocsin import clock, wire
from tocsin.errors import LinkError, ProtocolError, RequestError
from tocsin.keys import KeyPair
from tocsin.link import Hub
from tocsin.link.aio import AsyncDialer
from tocsin.messages.client_answers import (
    AgentsPage,
    Answer,
    AuditPage,
    Declined,
    OutputPage,
    RunsPage,
    Status,
)
from tocsin.messages.client_link import (
    PAGE_ROWS_MAX,
    Ask,
    GetStatus,
    ListAgents,
    ListAudit,
    ListRuns,
    ReadOutput,
    Reply,
    Request,
    Subscribe,
    ToClient,
    Update,
)
from tocsin.model import TERMINAL, Run, RunState

from .connection import Connection, Phase
from .state import SNAPSHOT_RUNS, View, add_history, add_older, apply, take_agents

ANSWER_S: Final = 10.0
"""How long an answer is waited for."""
PULSE_S: Final = 5.0
"""How often the coordinator is asked how it is."""
OUTPUT_WAIT_S: Final = 20.0
OUTPUT_PAUSE_S: Final = 0.25
"""Between two readings, so that a run that prints all the time is drawn four times a second."""
REDIAL_S: Final = 1.0
REDIAL_MAX_S: Final = 30.0
RESUBSCRIBE_S: Final = 1.0
"""Two snapshots are at least this far apart, so that a fault cannot make them chase each other."""
HISTORY_RUNS: Final = 100
_ACTIVE: Final = [state for state in RunState if state not in TERMINAL]

Tell: TypeAlias = Callable[[View, Connection], None]
"""Is called with what is new, on the session's loop; must not block."""
_Kind = TypeVar("_Kind", bound=msgspec.Struct)


class Target(msgspec.Struct, frozen=True):
    """The coordinator to talk to, and as whom."""

    endpoint: str
    server_key: str
    own: KeyPair


class Session:
    """One conversation with a coordinator, over as many links as it takes.

    `now_us` is the clock by which ages are told.
    """

    def __init__(
        self,
        hub: Hub,
        target: Target,
        tell: Tell,
        *,
        now_us: Callable[[], int] = clock.now_us,
    ) -> None:
        self.view = View()
        self.connection = Connection(since_us=now_us())
        self._now_us = now_us
        self._hub = hub
        self._target = target
        self.tell = tell
        """Whoever took the conversation over is told from then on."""
        self._dialer: AsyncDialer | None = None
        self._was_up = False
        self._up = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._asked = 0
        self._subscribed_s = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Keep the link and the view until cancelled.

        Raises:
            LinkError: the endpoint cannot be understood.
            ConfigError: a key cannot be understood.
        """
        pause_s = REDIAL_S
        try:
            while True:
                began_s = clock.monotonic_s()
                await self._live()
                if clock.monotonic_s() - began_s > REDIAL_MAX_S:
                    pause_s = REDIAL_S
                self._note(phase=Phase.REFUSED, since_us=self._now_us())
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, REDIAL_MAX_S)
        finally:
            self._hang_up()

    async def ask(self, ask: Ask, *, timeout_s: float = ANSWER_S) -> Answer:
        """Put a question and wait for its answer.

        Raises:
            LinkError: there is no link, it broke, or no answer came in time.
            RequestError: the coordinator declined.
        """
        if self._dialer is None or not self._dialer.connected:
            raise LinkError("there is no link to the coordinator", "it is dialled again by itself")
        self._asked += 1
        number = self._asked
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            if not self._dialer.send(wire.encode(Request(number, ask))):
                raise LinkError("the link broke or is full", "try again")
            async with asyncio.timeout(timeout_s):
                got = await answer
        except TimeoutError as error:
            raise LinkError(
                f"no answer within {timeout_s:.0f}s", "it may have been done: look before you retry"
            ) from error
        finally:
            del self._waiting[number]
        if isinstance(got, Declined):
            raise RequestError(got.message, got.hint)
        return got

    async def linked(self) -> None:
        """Wait until there is a link."""
        await self._up.wait()

    async def follow(self, run_id: str, after: int = 0) -> AsyncIterator[OutputPage]:
        """The output of a run behind `after`, page by page, until the run is over.

        A link that breaks is waited for, and the output goes on where it stopped.

        Raises:
            RequestError: the coordinator knows no such run, or its output is gone.
        """
        while True:
            await self._up.wait()
            ask = ReadOutput(run_id, after, 0, OUTPUT_WAIT_S)
            try:
                answer = await self.ask(ask, timeout_s=OUTPUT_WAIT_S + ANSWER_S)
            except LinkError:
                if self._up.is_set():
                    await asyncio.sleep(REDIAL_S)
                continue
            page = _expect(answer, OutputPage)
            if page.pieces:
                after = page.pieces[-1].position
            yield page
            if page.ended:
                return
            if page.pieces and not page.more:
                await asyncio.sleep(OUTPUT_PAUSE_S)

    async def load_runs(self, job: str) -> None:
        """Add the newest runs of a job to the view.

        Raises:
            LinkError, RequestError: as `ask`.
        """
        await self._add_runs(ListRuns(job=job, limit=HISTORY_RUNS))

    async def load_since(self, from_us: int) -> None:
        """Add all runs from an instant on to the view, page by page, as far as it has room.

        Raises:
            LinkError, RequestError: as `ask`.
        """
        while self.view.has_room(PAGE_ROWS_MAX):
            since_us, before = self.view.since_us, self.view.shown.since
            if since_us is None or since_us <= from_us:
                return
            ask = ListRuns(before=before, limit=PAGE_ROWS_MAX)
            rows = _expect(await self.ask(ask), RunsPage).rows
            self.view = add_older(self.view, before, rows, more=len(rows) == PAGE_ROWS_MAX)
            self.tell(self.view, self.connection)

    async def load_agents(self) -> None:
        """Put all agents into the view as they are now, hosts that ask to be let in included.

        Raises:
            LinkError, RequestError: as `ask`.
        """
        page = _expect(await self.ask(ListAgents()), AgentsPage)
        self.view = take_agents(self.view, page.rows)
        self.tell(self.view, self.connection)

    async def audit(self, before: int, limit: int) -> AuditPage:
        """Who did what, newest first, below the number `before` (0: from the newest on).

        Raises:
            LinkError, RequestError: as `ask`.
        """
        return _expect(await self.ask(ListAudit(before=before, limit=limit)), AuditPage)

    # The link.

    async def _live(self) -> None:
        """Talk until the coordinator refuses our key."""
        target = self._target
        self._dialer = AsyncDialer(
            self._hub,
            target.endpoint,
            target.own,
            target.server_key,
            bytes_max=wire.FRAME_BYTES_MAX,
            on_change=self._link_changed,
        )
        self._link_changed()
        pulse = asyncio.create_task(self._pulse())
        try:
            await self._receive(self._dialer)
        finally:
            pulse.cancel()
            with suppress(asyncio.CancelledError):
                await pulse
            self._hang_up()

    async def _receive(self, dialer: AsyncDialer) -> None:
        while True:
            try:
                data = await dialer.receive()
            except LinkError:
                return
            try:
                self._take(wire.decode(data, ToClient))
            except ProtocolError as error:
                self._note(reason=f"not understood: {error.message} (another version?)")

    def _take(self, message: Reply | Update) -> None:
        self.connection = msgspec.structs.replace(self.connection, heard_us=self._now_us())
        match message:
            case Reply(number, answer):
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
            case Update():
                self.view = apply(self.view, message)
                if self.view.stale:
                    self.subscribe_soon()
                self.tell(self.view, self.connection)

    def _link_changed(self) -> None:
        up = self._dialer is not None and self._dialer.connected
        if up and not self._was_up:
            self._up.set()
            self._note(phase=Phase.UP, since_us=self._now_us(), reason="", status=None)
            self._subscribe()
        elif self._was_up and not up:
            self._broke()
            self._note(phase=Phase.DOWN, since_us=self._now_us(), reason="")
        elif not up:
            self._note(reason=self._why_not_up())
        self._was_up = up

    def _why_not_up(self) -> str:
        failure = self._dialer.failure if self._dialer is not None else ""
        where = self._target.endpoint
        match failure:
            case "":
                return f"dialling {where}"
            case "protocol":
                return f"what listens on {where} is no coordinator"
            case _:
                return f"{where} hung up: it may hold another key than this context says"

    def _hang_up(self) -> None:
        if self._dialer is not None:
            self._dialer.close()
            self._dialer = None
        for task in self._tasks:
            task.cancel()
        self._broke()
        self._was_up = False

    def _broke(self) -> None:
        self._up.clear()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(
                    LinkError("the link broke", "it may have been done: look before you retry")
                )

    # The view.

    def _subscribe(self) -> None:
        self._subscribed_s = clock.monotonic_s()
        self._spawn(self._fetch())

    def subscribe_soon(self) -> None:
        """Ask for a new snapshot now, or leave it to the pulse."""
        if self._up.is_set() and clock.monotonic_s() - self._subscribed_s >= RESUBSCRIBE_S:
            self._subscribe()

    async def _fetch(self) -> None:
        try:
            await self.ask(Subscribe(runs=SNAPSHOT_RUNS))
            await self._add_runs(ListRuns(states=_ACTIVE, limit=PAGE_ROWS_MAX))
            self._note(reason="")
        except (LinkError, RequestError) as error:
            self._note(reason=f"no snapshot: {error.message}")

    async def _add_runs(self, ask: ListRuns) -> None:
        self.add_runs(_expect(await self.ask(ask), RunsPage).rows)

    def add_runs(self, runs: Sequence[Run]) -> None:
        """Add runs that were asked for to the view."""
        self.view = add_history(self.view, runs)
        self.tell(self.view, self.connection)

    async def _pulse(self) -> None:
        """Ask how the coordinator is, and mend a view that is not coming along."""
        while True:
            await self._up.wait()
            asked_s = clock.monotonic_s()
            with suppress(LinkError, RequestError):
                status = _expect(await self.ask(GetStatus()), Status)
                self._note(status=status, lag_s=clock.monotonic_s() - asked_s)
            await asyncio.sleep(PULSE_S)
            behind = self.view.stale or self.view.draft is not None or not self.view.whole
            if behind and self._up.is_set():
                self.subscribe_soon()

    # Small parts.

    def _note(self, **changes: object) -> None:
        self.connection = msgspec.structs.replace(self.connection, **changes)
        self.tell(self.view, self.connection)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _expect(answer: Answer, kind: type[_Kind]) -> _Kind:
    if not isinstance(answer, kind):
        raise RequestError(
            f"the answer was a {type(answer).__name__}, not a {kind.__name__}",
            "is the coordinator of the same version?",
        )
    return answer
