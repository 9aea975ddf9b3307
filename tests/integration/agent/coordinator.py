"""A coordinator played by the test: a real socket, the protocol's rules, and a memory for all.

It keeps what an agent reports as the real one would: output by offset, states by attempt, and it
settles a hello against what it dispatched. Any breach of the protocol fails the test at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from tocsin import clock, wire
from tocsin.execution import AttemptKey, Order, Outcome, attempt_key
from tocsin.keys import KeyPair
from tocsin.link import Hub, Listener, Peer, Waiter, new_keypair
from tocsin.messages.agent_link import (
    Ack,
    Bye,
    Cancel,
    Chunk,
    Dispatch,
    FromAgent,
    Heartbeat,
    Hello,
    Phase,
    Pulse,
    Report,
    Resume,
    Resync,
    ToAgent,
    Welcome,
)

DEADLINE_S: Final = 60.0
LOOK_S: Final = 0.01


class Run(msgspec.Struct):
    """One attempt as the coordinator knows it."""

    order: Order
    spool: str
    output: tuple[bytearray, bytearray]
    """As stored; a gap is zeros here."""
    phase: Phase | None = None
    outcome: Outcome | None = None
    gaps: list[Chunk] = []
    lost: bool = False
    started_us: int | None = None


class Coordinator:
    """The far end of an agent's link."""

    def __init__(self, endpoint: str = "tcp://127.0.0.1:0") -> None:
        self.own = new_keypair()
        self.agent_key: KeyPair = new_keypair()
        self.epoch = 1
        self.heartbeat_s = 1.0
        self.deaf = False
        """Take nothing in, as if the network were cut."""
        self.acks = True
        self.runs: dict[AttemptKey, Run] = {}
        self.open: set[AttemptKey] = set()
        """Attempts whose end is not known."""
        self.hellos: list[Hello] = []
        self.beats = 0
        self.byes: list[Bye] = []
        self.reports = 0
        self.session = ""
        self.spool = ""
        self._orders = 0
        self._orders_at_beat = 0
        self._reports = 0
        self._route = b""
        self._hub = Hub()
        self.waiter = Waiter()
        self._listener = self._listen(endpoint)
        self.endpoint = self._listener.endpoint

    def _listen(self, endpoint: str) -> Listener:
        listener = Listener(
            self._hub,
            endpoint,
            self.own,
            domain="members",
            allow=lambda key: key == self.agent_key.public,
            bytes_max=wire.FRAME_BYTES_MAX,
        )
        self.waiter.add(listener)
        return listener

    # What a test does.

    def dispatch(self, *orders: Order) -> None:
        """Give the agent orders."""
        for order in orders:
            self.runs[order.key] = Run(order, self.spool, (bytearray(), bytearray()))
            self.open.add(order.key)
        self._send_orders(list(orders))

    def cancel(self, *keys: AttemptKey) -> None:
        """Have attempts ended."""
        self.tell(Cancel(self.session, list(keys)))

    def until(self, holds: Callable[[], object], *, limit_s: float = DEADLINE_S) -> None:
        """Serve the agent until something holds."""
        deadline_s = clock.monotonic_s() + limit_s
        while not holds():
            assert clock.monotonic_s() < deadline_s, f"this never came; open are {self.open}"
            self.serve(LOOK_S)

    def until_over(self) -> None:
        """Serve the agent until every attempt is over."""
        self.until(lambda: not self.open)

    def serve_for(self, span_s: float) -> None:
        """Serve the agent for a while."""
        until_s = clock.monotonic_s() + span_s
        while (left_s := until_s - clock.monotonic_s()) > 0:
            self.serve(left_s)

    def serve(self, wait_s: float) -> None:
        """One turn of the loop."""
        self.waiter.wait(until_steady_us=int((clock.monotonic_s() + wait_s) * 1e6))
        while (got := self._listener.receive()) is not None:
            if not self.deaf:
                self._hear(*got)

    def tell(self, message: ToAgent) -> None:
        """Say something."""
        self._listener.send(self._route, wire.encode(message))

    def close(self) -> None:
        """Be gone."""
        self.waiter.close()
        self._listener.close()
        self._hub.close()

    def outcome(self, key: AttemptKey) -> Outcome:
        """How an attempt ended."""
        outcome = self.runs[key].outcome
        assert outcome is not None
        return outcome

    def stdout(self, key: AttemptKey) -> bytes:
        """What an attempt printed."""
        return bytes(self.runs[key].output[0])

    # What the agent says.

    def _hear(self, peer: Peer, data: bytes) -> None:
        self._route = peer.route
        message: FromAgent = wire.decode(data, FromAgent)
        match message:
            case Hello():
                self._welcome(message)
            case _ if message.session != self.session:
                self.tell(Resync("the session is not known"))
            case Heartbeat(_, orders_seen):
                self.beats += 1
                if orders_seen < self._orders_at_beat:
                    self.tell(Resync("orders were lost"))
                    return
                self._orders_at_beat = self._orders
                self.tell(Pulse(self.session, clock.now_us()))
            case Report():
                self._take(message)
            case Bye():
                self.byes.append(message)

    def _welcome(self, hello: Hello) -> None:
        self.hellos.append(hello)
        self.session, self.spool = hello.session, hello.spool
        self._orders = self._orders_at_beat = self._reports = 0
        resume, stop = [], []
        for said in hello.attempts:
            run = self.runs.get(said.key)
            if run is None or said.key not in self.open:
                resume.append(Resume(said.key, 0, 0, forget=said.phase is Phase.ENDED))
                if said.phase is not Phase.ENDED:
                    stop.append(said.key)
            else:
                stdout, stderr = run.output
                resume.append(Resume(said.key, len(stdout), len(stderr), forget=False))
        self.tell(Welcome(hello.session, self.epoch, "AGENT", "agent", self.heartbeat_s, resume))
        if stop:
            self.tell(Cancel(hello.session, stop))
        listed = {said.key for said in hello.attempts}
        again = []
        for key in sorted(self.open - listed):
            run = self.runs[key]
            if run.spool == hello.spool:
                assert run.phase is None, f"{key} was {run.phase}, and is not known any more"
                again.append(run.order)
            else:
                run.lost = True
                self.open.discard(key)
        self._send_orders(again)

    def _send_orders(self, orders: list[Order]) -> None:
        for first in range(0, len(orders), 500):
            part = orders[first : first + 500]
            self.tell(Dispatch(self.session, self.epoch, self._orders + 1, part))
            self._orders += len(part)

    def _take(self, report: Report) -> None:
        self.reports += 1
        if report.number > self._reports + 1:
            self.tell(Resync("a report was lost"))
            return
        assert report.number == self._reports + 1, "a report came twice in a session"
        self._reports += 1
        for chunk in report.output:
            self._store(chunk)
        for said in report.attempts:
            run = self.runs.get(said.key)
            if run is None or said.key not in self.open:
                continue
            run.phase, run.started_us = said.phase, said.started_us
            if said.phase is Phase.ENDED:
                assert said.outcome is not None
                assert said.ended_us is not None
                run.outcome = said.outcome
                self.open.discard(said.key)
        if self.acks:
            self.tell(Ack(self.session, self._reports))

    def _store(self, chunk: Chunk) -> None:
        run = self.runs.get(chunk.key)
        if run is None:
            return
        assert chunk.key in self.open, "output came after the end"
        stored = run.output[chunk.stream - 1]
        assert chunk.offset == len(stored), "output has a hole, or came twice"
        if chunk.gap_bytes:
            assert not chunk.data
            run.gaps.append(chunk)
        stored += chunk.data + bytes(chunk.gap_bytes)


def order(run: str, executor: str = "scripted", /, attempt: int = 1, **config: Any) -> Order:
    """An order for an attempt."""
    key = attempt_key(run, attempt)
    env = {"TOCSIN_RUN_ID": run, "TOCSIN_ATTEMPT": str(attempt)}
    return Order(key, "job", executor, config, env, None, 3600.0, 5.0, 1 << 20)
