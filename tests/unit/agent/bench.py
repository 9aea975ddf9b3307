"""A machine on the bench: events go in by hand, records go to a list, commands are kept."""

from __future__ import annotations

from itertools import count
from typing import Any, TypeVar

from tocsin.agent.machine.commands import Command, Journal, Send, ToHost
from tocsin.agent.machine.events import (
    Event,
    HostFailed,
    HostGone,
    HostMet,
    HostSaid,
    LinkUp,
    OutputRead,
    Stored,
    Tick,
    Told,
)
from tocsin.agent.machine.machine import Machine
from tocsin.agent.machine.memory import Memory, doubt, replay
from tocsin.agent.machine.profile import Profile
from tocsin.agent.machine.records import Opened, Record
from tocsin.execution import AttemptKey, Order, Outcome, Status
from tocsin.hosting import HostHello, HostReport, RunBegan, RunEnded, StartRuns
from tocsin.instants import SECOND_US, Now
from tocsin.messages.agent_link import (
    Ack,
    AttemptReport,
    Chunk,
    Dispatch,
    FromAgent,
    Heartbeat,
    Hello,
    Pulse,
    Report,
    Resume,
    Welcome,
)

T = TypeVar("T")
WALL_US = 1_700_000_000_000_000
PROFILE = Profile(version="1", tags={}, slots=10, executors=["shell", "http"], drain_s=20.0)
DONE = Outcome(Status.SUCCEEDED, 0)


def key(n: int) -> AttemptKey:
    """The key of attempt n."""
    return AttemptKey(f"R{n}.1")


def order(n: int, executor: str = "shell") -> Order:
    """The order for attempt n."""
    return Order(key(n), "job", executor, {"command": "x"}, {}, None, 60.0, 1.0, 1000)


def orders(*numbers: int, executor: str = "shell") -> list[Order]:
    """Orders for these attempts."""
    return [order(n, executor) for n in numbers]


def chunk(n: int, data: bytes, offset: int = 0) -> Chunk:
    """Output of attempt n."""
    return Chunk(key(n), 1, offset, WALL_US, data)


class Bench:
    """One machine, its journal and its clock."""

    def __init__(self, journal: list[Record] | None = None, sought: tuple[str, ...] = ()) -> None:
        self.journal: list[Record] = [Opened("SPOOL", "BOOT")] if journal is None else journal
        self.steady_us = 100 * SECOND_US
        self.failure = ""
        """Why the journal cannot be written."""
        self.commands: list[Command] = []
        """All since the last look."""
        self._sought = sought
        self._ids = count(1)
        self._records: list[Record] = []
        self.machine = self._made(sure=True)

    def _made(self, *, sure: bool) -> Machine:
        memory = Memory()
        replay(memory, self.journal)
        if not sure:
            doubt(memory)
        return Machine(memory, PROFILE, self._sought, lambda: f"S{next(self._ids)}")

    def restart(self, *sought: str, sure: bool = True) -> None:
        """Kill the agent, and start it again; not `sure`: the journal may have gaps."""
        self._sought = sought
        self._records, self.commands = [], []
        self.machine = self._made(sure=sure)

    @property
    def now(self) -> Now:
        """Both clocks."""
        return Now(WALL_US + self.steady_us, self.steady_us)

    # What happens.

    def feed(self, *events: Event) -> None:
        """Events of one turn, the write of its records, and what follows it."""
        for event in events:
            self._handle(event)
        records, self._records = self._records, []
        if not self.failure:
            self.journal += records
        self._handle(Stored(self.failure if records else ""))

    def _handle(self, event: Event) -> None:
        for command in self.machine.handle(event, self.now):
            if isinstance(command, Journal):
                self._records.append(command.record)
            self.commands.append(command)

    def wait(self, seconds: float) -> None:
        """Let time pass, with a turn whenever the machine wants one."""
        until_us = self.steady_us + round(seconds * SECOND_US)
        while (due_us := self.machine.deadline()) is not None and due_us <= until_us:
            self.steady_us = max(self.steady_us, due_us)
            self.feed(Tick())
        self.steady_us = until_us

    def link_up(self) -> Hello:
        """The coordinator can be reached: the hello that follows."""
        self.feed(LinkUp())
        return self.last(Hello)

    def open(self, *resume: Resume, epoch: int = 1) -> str:
        """Open a session; its id. Hello and welcome are not kept among the commands."""
        session = self.link_up().session
        self.welcome(session, *resume, epoch=epoch)
        self.commands.clear()
        return session

    def welcome(self, session: str, *resume: Resume, epoch: int = 1) -> None:
        """Answer a hello."""
        self.tell(Welcome(session, epoch, "A", "a", 1.0, list(resume)))

    def tell(self, *messages: Any) -> None:
        """The coordinator says something."""
        self.feed(*(Told(message) for message in messages))

    def dispatch(self, session: str, *numbers: int, first: int = 1, epoch: int = 1) -> None:
        """The coordinator gives orders."""
        self.tell(Dispatch(session, epoch, first, orders(*numbers)))

    def pulse(self, session: str) -> None:
        """The coordinator answers a heartbeat."""
        self.tell(Pulse(session, WALL_US))

    def ack(self, session: str, number: int) -> None:
        """The coordinator has reports up to a number."""
        self.tell(Ack(session, number))

    def met(
        self,
        identity: str = "1:1",
        running: tuple[int, ...] = (),
        ended: tuple[int, ...] = (),
        executor: str = "shell",
    ) -> None:
        """A host answers."""
        began = [RunBegan(key(n), WALL_US) for n in running]
        over = [RunEnded(key(n), WALL_US, WALL_US + 1, DONE) for n in ended]
        self.feed(HostMet(executor, identity, HostHello(1, began, over)))

    def gone(
        self,
        *unsent: int,
        executor: str = "shell",
        reason: str = "exit code 70",
        left_handles: bool = False,
    ) -> None:
        """A host is gone."""
        self.feed(HostGone(executor, reason, [key(n) for n in unsent], left_handles))

    def failed(self, reason: str, executor: str = "shell") -> None:
        """A host cannot be started."""
        self.feed(HostFailed(executor, reason))

    def began(self, *numbers: int) -> None:
        """The shell host says that attempts run."""
        self.feed(HostSaid("shell", HostReport([RunBegan(key(n), WALL_US) for n in numbers], [])))

    def ended(self, *numbers: int, outcome: Outcome = DONE, over: bool = True) -> None:
        """The shell host says that attempts are over, and (if `over`) their output is read."""
        ends = [RunEnded(key(n), WALL_US, WALL_US + 1, outcome) for n in numbers]
        read = [OutputRead([], [key(n) for n in numbers])] if over else []
        self.feed(HostSaid("shell", HostReport([], ends)), *read)

    def over(self, *numbers: int) -> None:
        """All output of attempts has been read."""
        self.feed(OutputRead([], [key(n) for n in numbers]))

    def running(self, *numbers: int) -> str:
        """Open a session and have attempts run in host 1:1; the session."""
        session = self.open()
        self.dispatch(session, *numbers)
        self.met()
        self.began(*numbers)
        self.wait(0.01)
        self.ack(session, self.last(Report).number)
        self.commands.clear()
        return session

    # What the machine wants.

    def take(self, kind: type[T]) -> list[T]:
        """The commands of a kind since the last look at any; the others are dropped."""
        commands: list[Any] = self.commands
        found = [command for command in commands if isinstance(command, kind)]
        self.commands = []
        return found

    def said(self, kind: type[T]) -> list[T]:
        """What was said to the coordinator, of one kind."""
        sent: list[FromAgent] = [c.message for c in self.commands if isinstance(c, Send)]
        return [message for message in sent if isinstance(message, kind)]

    def last(self, kind: type[T]) -> T:
        """The last of it."""
        return self.said(kind)[-1]

    def reported(self) -> list[AttemptReport]:
        """All attempts in all reports."""
        return [said for report in self.said(Report) for said in report.attempts]

    def outcomes(self) -> dict[AttemptKey, tuple[Status, str]]:
        """How attempts ended, by the reports."""
        said = [(a.key, a.outcome) for a in self.reported()]
        return {k: (o.status, o.message) for k, o in said if o is not None}

    def started(self) -> list[AttemptKey]:
        """The attempts that hosts were given."""
        to_hosts = [c.message for c in self.commands if isinstance(c, ToHost)]
        return [o.key for m in to_hosts if isinstance(m, StartRuns) for o in m.orders]

    def to_hosts(self, kind: type[T]) -> list[T]:
        """What was said to hosts, of one kind."""
        return [
            c.message
            for c in self.commands
            if isinstance(c, ToHost) and isinstance(c.message, kind)
        ]

    def beats(self) -> list[Heartbeat]:
        """The heartbeats."""
        return self.said(Heartbeat)
