"""A client that asks for one thing at a time, and knows what it may expect of each job."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random  # noqa: TID251 - a seeded one
from typing import Final, Protocol

from tocsin.messages.client_answers import Answer, Declined
from tocsin.messages.client_link import (
    Ask,
    CordonAgents,
    DrainAgents,
    EndPause,
    KillRuns,
    PauseJobs,
    PauseScope,
    PutJobs,
    RemoveJobs,
    RerunRuns,
    ResumeJobs,
    RevokeAgents,
    RunJobs,
    StartPause,
    UncordonAgents,
)
from tocsin.model import Calendar, Job, Pool, Scope

from .evidence import Violation, Wish
from .happening import Happening
from .oracle import SECOND_US
from .upkeep import TODAY

TIMEOUT_US: Final = 4 * SECOND_US
WAY_US: Final = 15_000

State = tuple[Job | None, bool]


class Port(Protocol):
    """The world around the client."""

    now_us: int

    def at(self, when_us: int, label: str, action: Callable[[], None]) -> None:
        """Do something at a true instant."""
        ...

    def asked(self, number: int, ask: Ask) -> None:
        """A request arrives at the coordinator, if that is up."""
        ...


class Client:
    """Asks in turn; what is not answered may or may not have been done."""

    def __init__(self, port: Port, dice: Random, loss: float) -> None:
        self.wishes: dict[str, list[State]] = {}
        self._port = port
        self._dice = dice
        self._loss = loss
        self._queue: deque[Ask] = deque()
        self._pending: Ask | None = None
        self._number = 0
        self._last_arrival_us = 0

    def want(self, ask: Ask) -> None:
        """Ask for this when everything before is settled."""
        self._queue.append(ask)
        self._next()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked for."""
        return self._pending is None and not self._queue

    def be_heard(self) -> None:
        """From now on no message is lost."""
        self._loss = 0.0

    def _next(self) -> None:
        if self._pending is not None or not self._queue:
            return
        ask = self._pending = self._queue.popleft()
        self._number += 1
        number = self._number
        if self._dice.random() >= self._loss:
            self._last_arrival_us = max(
                self._last_arrival_us, self._port.now_us + self._dice.randrange(1, WAY_US)
            )
            self._port.at(self._last_arrival_us, "request", lambda: self._port.asked(number, ask))
        self._port.at(
            self._port.now_us + TIMEOUT_US, "client waits", lambda: self._settle(number, None)
        )

    def answered(self, number: int, answer: Answer) -> None:
        """An answer is on its way."""
        if self._dice.random() >= self._loss:
            self._port.at(
                self._port.now_us + self._dice.randrange(1, WAY_US),
                "reply",
                lambda: self._settle(number, answer),
            )

    def _settle(self, number: int, answer: Answer | None) -> None:
        ask = self._pending
        if number != self._number or ask is None:
            return
        self._pending = None
        if not isinstance(answer, Declined):
            self._note(ask, sure=answer is not None)
        elif isinstance(ask, PutJobs) and not self._may_decline(ask, answer.message):
            raise Violation("client", f"{ask} was declined: {answer.message}")
        self._next()

    def _may_decline(self, ask: PutJobs, said: str) -> bool:
        """Whether a definition can have been refused: for the jobs around it, as they may be."""
        if "disk" in said:
            return True
        if ask.remove or ask.remove_pools or ask.remove_calendars:
            gone = ("there is no ", " is used by job ", " cannot be removed: ")
            if any(words in said for words in gone):
                return True
        for job in ask.jobs:
            for dependency in job.after:
                above = [other for other, _ in self._states(dependency.job)]
                if any(other is None or other.ephemeral for other in above):
                    return True
            for name in self.wishes:
                below = [it.job for other, _ in self._states(name) if other for it in other.after]
                if job.ephemeral and job.name in below:
                    return True
        return False

    def _states(self, name: str) -> list[State]:
        """The states that a job may be in; one that is to run once may be gone by itself."""
        states = self.wishes.get(name, [(None, False)])
        once = any(job is not None and job.ephemeral for job, _ in states)
        return [*states, (None, False)] if once and (None, False) not in states else states

    def _note(self, ask: Ask, *, sure: bool) -> None:
        names: list[str] = []
        if isinstance(ask, PutJobs):
            names = [*(job.name for job in ask.jobs), *ask.remove]
        elif isinstance(ask, RemoveJobs | PauseJobs | ResumeJobs):
            names = ask.names
        for name in names:
            before = self._states(name)
            after = [done for state in before for done in _after(ask, name, state, sure=sure)]
            states = after if sure else [*before, *after]
            self.wishes[name] = [s for i, s in enumerate(states) if s not in states[:i]]

    def all_wishes(self) -> list[Wish]:
        """What to expect of each job."""
        return [Wish(name, states) for name, states in self.wishes.items()]


def _after(ask: Ask, name: str, state: State, *, sure: bool) -> list[State]:
    """The states that a request leads to from a state; none when it cannot have been done."""
    job, paused = state
    match ask:
        case PutJobs(jobs=jobs, remove=removed) if name not in removed:
            return [(next(j for j in jobs if j.name == name), paused)]
        case _ if job is None:
            return [] if sure else [state]
        case RemoveJobs() | PutJobs():
            return [(None, False)]
        case PauseJobs():
            return [(job, True)]
        case ResumeJobs():
            return [(job, False)]
        case _:
            return [state]


CALENDARS: Final = [
    Calendar(name="today", dates=[f"{TODAY} the day of this world"]),
    Calendar(name="never", dates=["2020-02-29"]),
]


def _pools(happening: Happening) -> list[Pool]:
    """The pool that the job of a happening needs; one of them grows and shrinks."""
    slots = {"narrow": 1, "wide": 1 + happening.number % 3}
    name = happening.job.pool if happening.job is not None else ""
    return [Pool(name=name, slots=slots[name])] if name else []


def _applied(happening: Happening) -> PutJobs:
    """A change of several things together."""
    assert happening.job is not None
    number = happening.number
    wanted = {entry.calendar for entry in happening.job.blackout}
    others = [f"job-{i}" for i in range(3) if f"job-{i}" != happening.job.name]
    return PutJobs(
        [happening.job],
        remove=[others[number % 2]] if number % 3 == 0 else [],
        calendars=[calendar for calendar in CALENDARS if calendar.name in wanted],
        pools=[Pool(name=f"pool-{number % 2}", slots=number % 4 + 1), *_pools(happening)],
        remove_pools=[f"pool-{(number + 1) % 2}"] if number % 5 == 0 else [],
        remove_calendars=["never"] if number % 7 == 0 and "never" not in wanted else [],
    )


SCOPES: Final = [
    PauseScope(Scope.ALL),
    PauseScope(Scope.JOB, "job-*"),
    PauseScope(Scope.JOB, "job-1"),
    PauseScope(Scope.LABEL, "team=[ab]"),
    PauseScope(Scope.AGENT, "agent-0"),
    PauseScope(Scope.AGENT, "agent-*"),
    PauseScope(Scope.TAG, "role=d?"),
]


def ask_for(  # noqa: C901, PLR0912 - one case a kind
    happening: Happening, run_ids: list[str], pause_ids: list[str]
) -> Ask | None:
    """The request that a happening stands for."""
    name, number = f"job-{happening.who}", happening.number
    for_s = happening.amount_us / SECOND_US if happening.amount_us else None
    match happening.kind:
        case "put":
            assert happening.job is not None
            return PutJobs([happening.job], pools=_pools(happening))
        case "apply":
            return _applied(happening)
        case "pause_for":
            return PauseJobs([name], "simulated", for_s)
        case "maintain":
            return StartPause([SCOPES[number % len(SCOPES)]], "simulated", for_s)
        case "end_maintenance":
            return EndPause([pause_ids[number % len(pause_ids)]]) if pause_ids else None
        case "pause":
            return PauseJobs([name], "simulated")
        case "resume":
            return ResumeJobs([name])
        case "remove":
            return RemoveJobs([name])
        case "run":
            return RunJobs([name])
        case "rerun":
            ids = [run_ids[number % len(run_ids)]] if run_ids else []
            return RerunRuns(ids, failed_only=number % 3 == 0) if ids else None
        case "kill":
            return KillRuns([run_ids[number % len(run_ids)]]) if run_ids else None
        case "cordon":
            return CordonAgents([f"agent-{happening.who}"], "simulated")
        case "drain" | "drain_by":
            by_s = None if happening.kind == "drain" else number % 8 / 2
            return DrainAgents([f"agent-{happening.who}"], "simulated", by_s)
        case "uncordon":
            return UncordonAgents([f"agent-{happening.who}"])
        case "revoke" | "revoke_now":
            now = happening.kind == "revoke_now"
            return RevokeAgents([f"agent-{happening.who}"], "simulated", lost_now=now)
        case _:
            return None
