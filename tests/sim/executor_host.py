"""A simulated executor host and the processes it starts, with what they bear witness to.

It keeps the promises of `tocsin.hosting`: an attempt that it knows is never started again, an end
is kept until it is confirmed, what was written to it before a connection ended is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 - a seeded one
from typing import Final, Protocol, assert_never

import msgspec

from tocsin.execution import AttemptKey, Order, Outcome, Status
from tocsin.hosting import (
    CancelRuns,
    Confirm,
    HostHello,
    HostReport,
    Retire,
    RunBegan,
    RunEnded,
    StartRuns,
    ToHost,
)

from .evidence import End, Ending, Start
from .oracle import SECOND_US

PIPE_US: Final = 3_000
IDLE_US: Final = 12 * SECOND_US
STATUS_OF: Final = {Ending.TIMEOUT: Status.TIMED_OUT, Ending.CANCEL: Status.CANCELLED}


class Machinery(Protocol):
    """The machine on which hosts and processes are."""

    agent_id: str
    out_dir: Path
    failure_share: float
    outlives: bool
    """Whether processes, and how they ended, outlive their host: systemd runs them."""
    units: dict[AttemptKey, Process]
    """Those that do, until their end is confirmed."""

    @property
    def now_us(self) -> int:
        """True time."""
        ...

    @property
    def wall_us(self) -> int:
        """What its wall clock shows."""
        ...

    @property
    def epoch(self) -> int:
        """The highest epoch its agent has seen."""
        ...

    def later(self, after_us: int, label: str, action: Callable[[], None]) -> None:
        """Do something after a while, unless the machine is gone by then."""
        ...

    def began(self, start: Start) -> None:
        """A process bears witness to its start."""
        ...

    def over(self, end: End) -> None:
        """A process bears witness to its end."""
        ...

    def opens(self, key: AttemptKey) -> None:
        """The output files of a unit are made."""
        ...

    def prints(self, key: AttemptKey, stream: int, data: bytes) -> None:
        """A process writes."""
        ...


class Agent(Protocol):
    """A connection to the agent, as its host sees it."""

    def host_met(self, identity: str, hello: HostHello) -> None:
        """A host said hello."""
        ...

    def host_said(self, report: HostReport) -> None:
        """A host reported."""
        ...

    def host_gone(self, reason: str, *, left_handles: bool) -> None:
        """The host's process is over."""
        ...


class Process(msgspec.Struct):
    """One attempt under way, or over."""

    order: Order
    began_us: int
    host: SimHost
    """The last one that had it."""
    until_us: int
    """True time: its timeout."""
    is_over: bool = False
    stopped_by: Ending | None = None
    end: RunEnded | None = None


class SimHost:
    """One host process."""

    def __init__(self, machinery: Machinery, identity: str, dice: Random) -> None:
        self.identity = identity
        self.is_alive = True
        self._machinery = machinery
        self._dice = dice
        self._agent: Agent | None = None
        self._pipe: deque[ToHost] = deque()
        """Written by the agent, not yet read."""
        self._live: dict[AttemptKey, Process] = {}
        self._unconfirmed: dict[AttemptKey, RunEnded] = {}
        self._began: list[RunBegan] = []
        self._ended: list[RunEnded] = []
        self._retiring = False
        self._busy_us = machinery.now_us
        for process in machinery.units.values():
            self._find_again(process)
        self._watch_idle()

    # The link.

    def connect(self, agent: Agent) -> None:
        """An agent connected: hear an earlier one out, then say hello."""
        self._read_all()
        self._agent = agent
        if not self.is_alive:
            self._say_gone("it ended with exit code 0")
            return
        self._began.clear()
        self._ended.clear()
        running = [RunBegan(key, process.began_us) for key, process in self._live.items()]
        hello = HostHello(1, running, list(self._unconfirmed.values()))
        self._tell(lambda agent: agent.host_met(self.identity, hello))

    def disconnect(self, agent: Agent) -> None:
        """The agent's process ended; what it wrote is still read."""
        if self._agent is agent:
            self._agent = None

    def write(self, message: ToHost) -> None:
        """The agent writes into the socket of a host that is alive."""
        self._pipe.append(message)
        self._machinery.later(self._dice.randrange(1, PIPE_US), "host reads", self._read_one)

    def _tell(self, say: Callable[[Agent], None]) -> None:
        agent = self._agent

        def arrive() -> None:
            if agent is not None and agent is self._agent:
                say(agent)

        self._machinery.later(PIPE_US, "host says", arrive)

    def _read_one(self) -> None:
        if self._pipe and self.is_alive:
            self._take(self._pipe.popleft())

    def _read_all(self) -> None:
        while self._pipe:
            self._take(self._pipe.popleft())

    def _take(self, message: ToHost) -> None:
        match message:
            case StartRuns(orders):
                for order in orders:
                    self._start(order)
            case CancelRuns(keys):
                for key in keys:
                    if key in self._live:
                        self._stop(key, Ending.CANCEL)
            case Confirm(keys):
                for key in keys:
                    self._confirm(key)
                self._busy_us = self._machinery.now_us
            case Retire():
                self._retiring = True
            case _:
                assert_never(message)
        if self._retiring:
            self._end_if_empty()

    def _confirm(self, key: AttemptKey) -> None:
        if self._unconfirmed.pop(key, None):
            self._machinery.units.pop(key, None)

    def _report_soon(self) -> None:
        if len(self._began) + len(self._ended) == 1:
            self._machinery.later(self._dice.randrange(1, PIPE_US), "host reports", self._report)

    def _report(self) -> None:
        report = HostReport(self._began, self._ended)
        self._began, self._ended = [], []
        if self._agent is not None and self.is_alive and (report.began or report.ended):
            self._tell(lambda agent: agent.host_said(report))

    # Processes.

    def _start(self, order: Order) -> None:
        key = order.key
        if key in self._live or key in self._unconfirmed:
            return
        machinery = self._machinery
        until_us = machinery.now_us + round(order.timeout_s * SECOND_US)
        process = self._live[key] = Process(order, machinery.wall_us, self, until_us)
        if machinery.outlives:
            machinery.units[key] = process
            machinery.opens(key)
        machinery.began(Start(key, machinery.agent_id, machinery.now_us, machinery.epoch))
        self._began.append(RunBegan(key, process.began_us))
        self._report_soon()
        fate = Random(f"{key}@{machinery.agent_id}")
        last_us = round(order.config["seconds"] * SECOND_US * fate.uniform(0.2, 1.8))
        for number in range(order.config["lines"]):
            at_us, stream = fate.randrange(last_us + 1), fate.choice([1, 1, 2])
            line = f"{key} says {number}\n".encode()
            machinery.later(at_us, "prints", partial(self._print, process, stream, line))
        code = fate.randrange(1, 256) if fate.random() < machinery.failure_share else 0
        machinery.later(last_us + 1, "exits", lambda: _exit(process, Ending.EXIT, code))
        self._time(process)

    def _find_again(self, process: Process) -> None:
        """Take over what an earlier host has started."""
        key = process.order.key
        if process.end is not None:
            self._unconfirmed[key] = process.end
            return
        process.host = self
        self._live[key] = process
        self._time(process)

    def _time(self, process: Process) -> None:
        left_us = max(process.until_us - self._machinery.now_us, 0)
        key = process.order.key
        self._machinery.later(left_us, "times out", lambda: self._stop(key, Ending.TIMEOUT))

    def _print(self, process: Process, stream: int, data: bytes) -> None:
        if not process.is_over and (self.is_alive or self._machinery.outlives):
            self._machinery.prints(process.order.key, stream, data)

    def _stop(self, key: AttemptKey, ending: Ending) -> None:
        process = self._live.get(key)
        if process is None or process.stopped_by is not None or not self.is_alive:
            return
        process.stopped_by = ending
        grace_us = round(process.order.kill_after_s * SECOND_US)
        after_us = grace_us if self._dice.random() < 0.3 else self._dice.randrange(50_000)
        self._machinery.later(after_us, "killed", lambda: _exit(process, ending, None))

    def exit(self, process: Process, ending: Ending, code: int | None) -> None:
        """One of its processes ends."""
        if process.is_over:
            return
        process.is_over = True
        key, machinery = process.order.key, self._machinery
        machinery.over(End(key, machinery.now_us, ending, code))
        if ending is Ending.EXIT:
            outcome = Outcome(Status.FAILED if code else Status.SUCCEEDED, code)
        else:
            outcome = Outcome(STATUS_OF.get(ending, Status.LOST), message=ending)
        process.end = RunEnded(key, process.began_us, machinery.wall_us, outcome)
        if not self.is_alive:
            return  # an orphan; if systemd does not keep how it ended, nobody will ever know
        del self._live[key]
        end = self._unconfirmed[key] = process.end
        self._ended.append(end)
        self._report_soon()

    # The end.

    def _watch_idle(self) -> None:
        if not self.is_alive:
            return
        if self._machinery.now_us - self._busy_us >= IDLE_US:
            self._end_if_empty()
        self._machinery.later(IDLE_US // 2, "host idles", self._watch_idle)

    def _end_if_empty(self) -> None:
        self._busy_us = self._machinery.now_us
        if self._live or self._unconfirmed:
            return
        self._read_all()
        if not self._live and not self._unconfirmed:
            self._die("it ended with exit code 0")
        elif self._agent is not None:
            self.connect(self._agent)  # it hung up, and the agent finds it alive

    def crash(self, *, orphans: bool) -> None:
        """The process is killed; its own may live on."""
        self._die("it ended with signal 9")
        for process in list(self._live.values()):
            if not orphans and not self._machinery.outlives:
                self.exit(process, Ending.CRASH, None)

    def _die(self, reason: str) -> None:
        self.is_alive = False
        self._pipe.clear()
        if self._agent is not None:
            self._say_gone(reason)

    def _say_gone(self, reason: str) -> None:
        left = bool(self._machinery.units)
        self._tell(lambda agent: agent.host_gone(reason, left_handles=left))

    @property
    def has_read_all(self) -> bool:
        """Whether nothing that the agent wrote is unread."""
        return not self._pipe

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing."""
        return not self._live and not self._unconfirmed and not self._pipe


def _exit(process: Process, ending: Ending, code: int | None) -> None:
    """A process ends, whichever host has it now."""
    process.host.exit(process, ending, code)
