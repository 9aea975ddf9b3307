"""A client's conversation with its coordinator: ask, and wait for the answer.

For programs that do one thing at a time, as the command line does. Questions are asked again
when the link breaks; what changes something is not, for nobody could say whether it was done.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self, TypeVar

from tocsin import clock, wire
from tocsin.config import Context
from tocsin.errors import LinkError, ProtocolError, RequestError
from tocsin.keys import read_keypair
from tocsin.link import Dialer, Hub, Waiter
from tocsin.messages.client_answers import (
    Answer,
    Declined,
    JobsPage,
    OutputPage,
    OutputPiece,
    RunsPage,
)
from tocsin.messages.client_link import (
    NEEDED_ROLE,
    PAGE_ROWS_MAX,
    WAIT_S_MAX,
    Ask,
    GetRuns,
    ListJobs,
    ListRuns,
    ReadOutput,
    ReadOutputBack,
    Reply,
    Request,
    ToClient,
)
from tocsin.model import TERMINAL, JobRow, Role, Run, RunState

ANSWER_BYTES_MAX: Final = 64 << 20
_PATIENCE_S: Final = 1.0
"""Without a link for so long, look whether anything listens there at all."""
_PROBE_S: Final = 2.0

_Answer = TypeVar("_Answer", bound=Answer)


class Session:
    """One link to one coordinator. Close it, or use it as a context manager.

    Raises:
        ConfigError: the context's key file is missing or wrong.
        LinkError: the context's endpoint cannot be understood.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        own = read_keypair(context.key_file)
        self._hub = Hub()
        self._waiter = Waiter()
        try:
            self._dialer = Dialer(
                self._hub, context.endpoint, own, context.server_key, bytes_max=ANSWER_BYTES_MAX
            )
        except BaseException:
            self._hub.close()
            raise
        self._waiter.add(self._dialer)
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._waiter.close()
        self._dialer.close()
        self._hub.close()

    def ask(self, ask: Ask, timeout_s: float = 10.0) -> Answer:
        """The answer to a question, waited for `timeout_s` beyond what the question may be held.

        Raises:
            RequestError: the coordinator declined.
            LinkError: no answer came; says why as far as that can be known.
            ProtocolError: the answer cannot be understood.
        """
        until_s = clock.monotonic_s() + timeout_s + float(getattr(ask, "wait_s", 0.0))
        self._last_id += 1
        request = wire.encode(Request(self._last_id, ask))
        if len(request) > wire.FRAME_BYTES_MAX:
            raise RequestError(
                f"the request has {len(request)} bytes, at most {wire.FRAME_BYTES_MAX} are taken",
                "ask for less at once",
            )
        while True:
            self._link_up(until_s)
            if not self._dialer.send(request):
                self._wait_a_little(until_s)
                continue
            answer = self._answer(until_s)
            if isinstance(answer, Declined):
                raise RequestError(answer.message, answer.hint)
            if answer is not None:
                return answer
            if NEEDED_ROLE[type(ask)] is not Role.VIEWER:
                raise LinkError(
                    f"the link to {self.context.endpoint} broke before the answer came: "
                    "it may have been done, or not",
                    "look before you repeat it: tocsin status",
                )

    def answer(self, kind: type[_Answer], ask: Ask, timeout_s: float = 10.0) -> _Answer:
        """As `ask`, for a question whose answer is of one kind."""
        answer = self.ask(ask, timeout_s)
        if not isinstance(answer, kind):
            raise ProtocolError(
                f"{type(answer).__name__} is no answer to {type(ask).__name__}",
                "is the coordinator of the same version? see: tocsin status",
            )
        return answer

    def jobs(self) -> Iterator[JobRow]:
        """All jobs by name."""
        after = ""
        while True:
            page = self.answer(JobsPage, ListJobs(after))
            yield from page.rows
            if not page.more or not page.rows:
                return
            after = page.rows[-1].job.name

    def runs(
        self, job: str = "", states: list[RunState] | None = None, limit: int | None = None
    ) -> Iterator[Run]:
        """Runs, newest first, at most `limit`; empty filters let all pass."""
        before, left = "", limit
        while left is None or left > 0:
            rows_max = PAGE_ROWS_MAX if left is None else min(left, PAGE_ROWS_MAX)
            page = self.answer(RunsPage, ListRuns(job, states or [], before, rows_max))
            yield from page.rows
            if not page.more or not page.rows:
                return
            before = page.rows[-1].id
            left = None if left is None else left - len(page.rows)

    def runs_over(self, ids: list[str], until_s: float | None = None) -> list[Run]:
        """Wait until all of these runs are over, or `until_s` on the steady clock; how they are."""
        while True:
            left_s = WAIT_S_MAX if until_s is None else until_s - clock.monotonic_s()
            held_s = max(min(left_s, WAIT_S_MAX), 0.0)
            rows = self.answer(RunsPage, GetRuns(ids, held_s)).rows
            if left_s <= 0 or all(run.state in TERMINAL for run in rows):
                return rows

    def output(
        self, run_id: str, *, attempt: int, follow: bool, after: int = 0
    ) -> Iterator[OutputPiece]:
        """The output of a run (attempt 0: of all attempts) as it arrived, behind a position.

        With `follow`, until the run is over; without, what there is.
        """
        while True:
            held_s = WAIT_S_MAX if follow else 0.0
            page = self.answer(OutputPage, ReadOutput(run_id, after, attempt, held_s))
            yield from page.pieces
            if page.pieces:
                after = page.pieces[-1].position
            if page.ended or not (page.more or follow):
                return

    def output_back(self, run_id: str) -> Iterator[OutputPiece]:
        """The output of a run that there is, the last piece first."""
        before, more = 0, True
        while more:
            page = self.answer(OutputPage, ReadOutputBack(run_id, before))
            yield from reversed(page.pieces)
            more = page.more
            before = page.pieces[0].position if page.pieces else 0

    def _link_up(self, until_s: float) -> None:
        """Wait until there is a link."""
        probe_s = clock.monotonic_s() + _PATIENCE_S
        while not self._dialer.connected:
            self._check_refused()
            now_s = clock.monotonic_s()
            if now_s >= until_s:
                raise self._unreachable(probe(self.context.endpoint) or self._silence())
            if now_s >= probe_s:
                why = probe(self.context.endpoint)
                if why or self._dialer.failure:
                    raise self._unreachable(why or self._silence())
                probe_s = until_s
            self._waiter.wait(until_steady_us=_us(min(until_s, probe_s)))

    def _answer(self, until_s: float) -> Answer | None:
        """The reply to the last request; None when the link broke first."""
        while True:
            while (data := self._dialer.receive()) is not None:
                message = wire.decode(data, ToClient, bytes_max=ANSWER_BYTES_MAX)
                if isinstance(message, Reply) and message.id == self._last_id:
                    return message.answer
            self._check_refused()
            if not self._dialer.connected:
                return None
            if clock.monotonic_s() >= until_s:
                raise self._unreachable("it took the question and did not answer in time")
            self._waiter.wait(until_steady_us=_us(until_s))

    def _wait_a_little(self, until_s: float) -> None:
        """Its queue is full, or the link has just gone: neither wakes the waiter by itself."""
        now_s = clock.monotonic_s()
        if now_s >= until_s:
            raise self._unreachable("it takes no questions")
        self._waiter.wait(until_steady_us=_us(min(now_s + 0.05, until_s)))

    def _check_refused(self) -> None:
        if self._dialer.refused:
            raise LinkError(
                f"the coordinator at {self.context.endpoint} does not know our key "
                f"({self.context.key_file})",
                "ask its administrator for `tocsin agent token`, then: tocsin agent join",
            )

    def _unreachable(self, why: str) -> LinkError:
        return LinkError(
            f"no answer from the coordinator at {self.context.endpoint}: {why}",
            "is it running? on its host: tocsin coordinator, or systemctl status "
            "tocsin-coordinator",
        )

    def _silence(self) -> str:
        match self._dialer.failure:
            case "protocol":
                return "what listens there is not a coordinator"
            case "no_detail":
                return "it hangs up, as one with another key than the one we expect does"
            case _:
                return "the port is open, and nobody there speaks to us"


def probe(endpoint: str) -> str:
    """Why the port of an endpoint does not answer; empty when it does."""
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S):
            return ""
    except TimeoutError:
        return "the host does not answer"
    except OSError as error:
        return f"the port does not answer ({(error.strerror or str(error)).lower()})"
    except ValueError:
        return ""  # no TCP port, nothing to look at


def _us(steady_s: float) -> int:
    return int(steady_s * 1e6)
