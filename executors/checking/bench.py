"""Where one check runs an executor: a folder of its own, with hosts, agents and orders."""

from __future__ import annotations

import contextlib
import functools
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin import clock
from tocsin.execution import AttemptKey, Order, Status, attempt_key, split_key
from tocsin.hosting import RunEnded, Settings

from .agent_side import AgentSide, HostGone, Overdue
from .fault_text import frames, how_it_ended
from .host_process import HostProcess
from .specimen import Block, Specimen
from .stragglers import end_stragglers
from .subject import Subject
from .verdict import Finding, LeftOut, find

ANSWER_S: Final = 3.0
"""A host that does not greet within this time is taken for blocked."""
GRACE_S: Final = 10.0
KEEP_BYTES: Final = 1 << 20


class Bench:
    """Everything that a check needs; `close` ends what it has started."""

    def __init__(
        self, subject: Subject, folder: Path, environment: Mapping[str, str], deadline_s: float
    ) -> None:
        assert subject.specimen is not None
        self.subject = subject
        self.specimen: Specimen = subject.specimen
        self.folder = folder
        self.deadline_s = deadline_s
        self._environment = environment
        self._hosts: list[HostProcess] = []
        self._orders: list[Order] = []

    # What a check asks for.

    def block(self, name: str) -> Block:
        """A block of the specimen.

        Raises:
            LeftOut: it has none of that name.
        """
        block = self.specimen.blocks().get(name)
        if block is None:
            raise LeftOut(f"the specimen has no `{name}`")
        return block

    def boot(self, **variables: str) -> HostProcess:
        """Start a host, with more variables in its environment.

        Raises:
            Finding: it does not start.
        """
        settings = Settings(use=self.subject.use, name=self.subject.name)
        host = HostProcess(
            self.subject.name,
            self.folder,
            environment={**self._environment, **variables},
            settings=settings,
            deadline_s=self.deadline_s,
        )
        self._hosts.append(host)
        return host

    @functools.cached_property
    def host(self) -> HostProcess:
        """A host, started on first use."""
        return self.boot()

    @functools.cached_property
    def agent(self) -> AgentSide:
        """Its agent."""
        return self.host.connect()

    def order(self, block: Block, **changes: Any) -> Order:  # noqa: ANN401 - fields of an order
        """An order for a new run, or for the attempt of one that `key` names."""
        key: AttemptKey = changes.pop("key", attempt_key(clock.new_ulid(), 1))
        run_id, number = split_key(key)
        env = {
            "TOCSIN_RUN_ID": run_id,
            "TOCSIN_ATTEMPT": str(number),
            "TOCSIN_JOB": "check",
            "TOCSIN_AGENT": "here",
            "TOCSIN_TRIGGER": "manual",
            "TOCSIN_IDEMPOTENCY_KEY": run_id,
        }
        plain = Order(
            key, "check", self.subject.name, block, env, None, 3600.0, GRACE_S, KEEP_BYTES
        )
        order = msgspec.structs.replace(plain, **changes)
        self._orders.append(order)
        return order

    def orders(self, block: Block, count: int) -> list[Order]:
        """Orders for so many runs."""
        return [self.order(block) for _ in range(count)]

    # When it goes wrong.

    def explain(self, error: Exception) -> Finding | None:
        """What is found when a wait was in vain; None for errors of another kind."""
        match error:
            case HostGone():
                return Finding("its host to live on", f"{error}{self._how_the_host_ended()}")
            case Overdue():
                return self._overdue(error)
            case _:
                return None

    def _how_the_host_ended(self) -> str:
        if not self._hosts:
            return ""
        host = self._hosts[-1]
        with contextlib.suppress(Overdue):
            host.await_exit()
        how = "" if host.exit_code is None else f": {how_it_ended(host.exit_code)}"
        said = frames(host.words()) or host.last_words().splitlines()
        return "\n".join([how, *said])

    def _overdue(self, error: Overdue) -> Finding:
        expected = f"{error} within {self.deadline_s:g} s"
        host = self._hosts[-1] if self._hosts else None
        if host is None:
            return Finding(expected, "it never listened", "does its module hang at import?")
        if self._answers(host):
            words = host.last_words()
            return Finding(expected, "nothing" + (f"; its log ends:\n{words}" if words else ""))
        host.signal(signal.SIGABRT)  # its fault handler says where it is
        with contextlib.suppress(Overdue):
            host.await_exit()
        where = "\n".join(["its host does not answer any more: it is stuck", *frames(host.log())])
        hint = "all runs share one event loop: await what takes time, or do it in a thread"
        return Finding(expected, where, hint)

    @staticmethod
    def _answers(host: HostProcess) -> bool:
        try:
            AgentSide(host.socket_path, ANSWER_S).vanish()
        except (Overdue, HostGone):
            return False
        return True

    # The end.

    def close(self) -> None:
        """End the hosts, and the processes of runs that outlive them."""
        for host in self._hosts:
            with contextlib.suppress(Overdue):
                host.end()
        end_stragglers([split_key(order.key)[0] for order in self._orders])


def require(end: RunEnded, status: Status, hint: str = "") -> None:
    """Find an end that is not as it should be.

    Raises:
        Finding: it is another.
    """
    outcome = end.outcome
    if outcome.status is not status:
        said = f": {outcome.message}" if outcome.message else ""
        find(f"a run that {_WORDS[status]}", f"it {_WORDS[outcome.status]}{said}", hint)


_WORDS: Final = {
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.TIMED_OUT: "timed out",
    Status.CANCELLED: "was cancelled",
    Status.LOST: "was lost",
    Status.REFUSED: "was refused",
}
