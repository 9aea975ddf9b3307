"""The real agent service on a simulated machine: real journal, real output files, no sockets."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random  # noqa: TID251 - a seeded one
from typing import Any, Protocol, cast

from tocsin import wire
from tocsin.agent.config import AgentConfig
from tocsin.agent.hosts import Hosts
from tocsin.agent.machine.events import Event
from tocsin.agent.machine.machine import Machine
from tocsin.agent.machine.profile import Profile
from tocsin.agent.machine.records import Record
from tocsin.agent.output import Outputs
from tocsin.agent.prober import Prober
from tocsin.agent.service import Service
from tocsin.execution import AttemptKey
from tocsin.link import Dialer, Waiter
from tocsin.log import Log
from tocsin.messages.agent_link import ToAgent

from .agent_ports import EXECUTOR, SimAgentWaiter, SimDialer, SimHosts, SimProber, SimSpool
from .coordinator import Asleep, Crash, Fuse, SimLog
from .evidence import End, Ending, Start
from .executor_host import PIPE_US, Process, SimHost
from .network import Line
from .plan import AgentPlan

HOST_START_US = 400_000
DRAIN_S = 5.0


class _Config:
    """What the loop asks its settings for."""

    endpoint = "simulated"


class SimService(Service):
    """The real loop, on ports of the simulated machine."""

    def __init__(self, machine: SimMachine, spool: SimSpool) -> None:  # its own parts
        self.sim_machine = machine
        self.sim_waiter = SimAgentWaiter()
        self.sim_hosts = SimHosts(machine)
        self._waiter = cast("Waiter", self.sim_waiter)
        self._hosts = cast("Hosts", self.sim_hosts)
        self._prober = cast("Prober", SimProber(machine.probe_dice, machine.probed))
        self._log = cast("Log", SimLog())
        self._spool = spool
        self._config = cast("AgentConfig", _Config())
        self._exit_code: int | None = None
        self._events: deque[Event] = deque()
        self._records: list[Record] = []
        self._outputs = Outputs(str(machine.out_dir), self._log)
        profile = Profile(
            version="sim",
            tags=machine.plan.tags,
            slots=machine.plan.slots,
            executors=[EXECUTOR],
            drain_s=DRAIN_S,
        )
        self._machine = Machine(spool.memory, profile, {EXECUTOR}, machine.port.new_id)
        self._events += self.sim_hosts.seek(EXECUTOR)
        self._dialer = self._dial()

    def _dial(self) -> Dialer:
        self._connected = self._refused = False
        self.sim_dialer = SimDialer(self.sim_machine.line, self.sim_machine.fuse)
        self.sim_waiter.add(self.sim_dialer)
        return cast("Dialer", self.sim_dialer)

    @property
    def exit_code(self) -> int | None:
        """Set when it is to end."""
        return self._exit_code

    @property
    def held(self) -> list[AttemptKey]:
        """The attempts that it holds."""
        return list(self._spool.memory.attempts)

    @property
    def may_find(self) -> bool:
        """Whether a next host may find what goes on, and whose output is kept for that."""
        return bool(self._machine._state.unseen)

    @property
    def session(self) -> str:
        """The session that it asked for last."""
        return self._machine._state.link.session

    @property
    def epoch(self) -> int:
        """The highest epoch it has seen."""
        return self._spool.memory.epoch

    def shut(self) -> None:
        """End in good order."""
        self._hosts.close()
        self._spool.close(complete=not self._records and not self._machine.has_unwritten)


class Port(Protocol):
    """The world around a machine."""

    now_us: int

    def at(self, when_us: int, label: str, action: Callable[[], None]) -> None:
        """Do something at a true instant."""
        ...

    def on_clock(self, offset_us: int) -> None:
        """From now on, clocks show what this machine's clocks show."""
        ...

    def wall_of(self, offset_us: int) -> int:
        """What a wall clock that is wrong by so much shows."""
        ...

    def new_id(self) -> str:
        """An id of its own."""
        ...

    def began(self, start: Start) -> None:
        """A process bears witness to its start."""
        ...

    def over(self, end: End) -> None:
        """A process bears witness to its end."""
        ...

    def printed(self, key: AttemptKey, stream: int, data: bytes) -> None:
        """A process bears witness to its output."""
        ...

    def excuse(self, kind: str, agent_id: str) -> object:
        """Something happened that may cost knowledge of runs."""
        ...

    def agent_changed(self, agent_id: str, *, up: bool) -> None:
        """An agent's process began or ended."""
        ...

    def absence(self, agent_id: str, why: str, *, begins: bool) -> None:
        """An agent begins, or ceases, to be out of reach for one reason."""
        ...


class SimMachine:
    """One host of the fleet: an agent, executor hosts, processes, a disk, clocks."""

    def __init__(
        self, port: Port, plan: AgentPlan, folder: Path, dice: Random, failure_share: float
    ) -> None:
        self.port = port
        self.plan = plan
        self.agent_id = plan.id
        self.failure_share = failure_share
        self.fuse = Fuse()
        self.host: SimHost | None = None
        self.skew_us = plan.skew_us
        self.is_frozen = False
        self.disk_is_full = False
        self.hosts_fail = 0.0
        self.outlives = False
        self.hosts_killed = 0
        self.units: dict[AttemptKey, Process] = {}
        self.line: Line = cast("Line", None)
        self.service: SimService | None = None
        self._folder = folder
        self._spool: SimSpool | None = None
        self.out_dir = folder / "output"
        self.out_dir.mkdir(parents=True)
        self._dice = dice
        self.probe_dice = Random(f"probe {plan.id}")
        self._boot = 1
        self._hosts_started = 0
        self._last_epoch = 0
        self._wake_us: int | None = None
        """When the next turn is planned."""

    # What processes see of it.

    @property
    def now_us(self) -> int:
        """True time."""
        return self.port.now_us

    @property
    def wall_us(self) -> int:
        """What its wall clock shows."""
        return self.port.wall_of(self.skew_us)

    @property
    def epoch(self) -> int:
        """The highest epoch its agent has seen."""
        if self.service is not None:
            self._last_epoch = self.service.epoch
        return self._last_epoch

    def later(self, after_us: int, label: str, action: Callable[[], None]) -> None:
        """Do something after a while, unless the machine is down by then."""
        boot = self._boot

        def act() -> None:
            if boot == self._boot:
                action()

        self.port.at(self.now_us + after_us, f"{self.agent_id} {label}", act)

    def began(self, start: Start) -> None:
        """A process bears witness to its start."""
        self.port.began(start)

    def over(self, end: End) -> None:
        """A process bears witness to its end."""
        self.port.over(end)

    def opens(self, key: AttemptKey) -> None:
        """The output files of a unit are there before it begins."""
        for stream in (1, 2):
            self._output_file(key, stream).touch()

    def prints(self, key: AttemptKey, stream: int, data: bytes) -> None:
        """A process writes to its output file; a unit has it open, even if it was deleted."""
        path = self._output_file(key, stream)
        if not self.outlives or path.exists():
            with path.open("ab") as file:
                file.write(data)
            os.utime(path, ns=(0, self.wall_us * 1000))
        self.port.printed(key, stream, data)

    def _output_file(self, key: AttemptKey, stream: int) -> Path:
        return self.out_dir / f"{key}{'.out' if stream == 1 else '.err'}"

    # Hosts.

    def start_host(self, hosts: SimHosts) -> None:
        """Start a host process, which takes a while, or fails."""
        fails = self._dice.random() < self.hosts_fail

        def listen() -> None:
            if self.service is None or self.service.sim_hosts is not hosts:
                if self.host is None or not self.host.is_alive:
                    self._new_host()  # nobody waits for it any more, and it is there
            elif fails:
                self.port.absence(self.agent_id, "broken", begins=True)
                hosts.host_failed()
            else:
                if self.host is None or not self.host.is_alive:
                    self._new_host()
                assert self.host is not None
                hosts.host_started(self.host)

        self.later(self._dice.randrange(PIPE_US, HOST_START_US), "host listens", listen)

    def _new_host(self) -> None:
        self._hosts_started += 1
        self.host = SimHost(self, f"{self._boot}:{self._hosts_started}", self._dice)

    def probed(self) -> None:
        """The executor was looked at, and works."""
        self.port.absence(self.agent_id, "broken", begins=False)

    # The agent's process.

    def start(self) -> None:
        """Start the agent."""
        if self.service is not None:
            return
        self.port.on_clock(self.skew_us)
        self.fuse.left = None
        self._spool = SimSpool(
            self.fuse, self._folder / "spool", f"boot-{self._boot}", self.port.new_id
        )
        self._spool.is_full = self.disk_is_full
        self.service = SimService(self, self._spool)
        self.port.agent_changed(self.agent_id, up=True)
        self.wake()

    def crash(self) -> None:
        """The agent is killed."""
        if self.service is None or self._spool is None:
            return
        self.port.excuse("agent", self.agent_id)
        self._last_epoch = self.service.epoch
        self.service.sim_hosts.close()
        if self._dice.random() < 0.3:
            self._spool.tear(self._dice)
        self._spool.let_go()
        self._ended()

    def _ended(self) -> None:
        self.line.hang_up()
        self.service = self._spool = None
        self.is_frozen = False
        self._wake_us = None
        self.port.agent_changed(self.agent_id, up=False)

    def go_down(self) -> None:
        """The machine loses power."""
        if self._spool is not None:
            self._spool.lose_unsynced(self._dice)
        self.crash()
        if self.host is not None and self.host.is_alive:
            self.host.crash(orphans=False)
        self.host = None
        for process in self.units.values():
            process.host.exit(process, Ending.CRASH, None)
        self.units.clear()
        self._boot += 1

    def forget(self) -> None:
        """Its memory is deleted."""
        self.crash()
        shutil.rmtree(self._folder / "spool", ignore_errors=True)

    def fill_disk(self, *, full: bool) -> None:
        """Let journal writes fail, or work again."""
        self.disk_is_full = full
        if self._spool is not None:
            self._spool.is_full = full

    def terminate(self) -> None:
        """Ask the agent to end in good order."""
        if self.service is not None:
            self.service.sim_waiter.signals.append(15)
            self.wake()

    def link_changed(self, up: bool) -> None:  # noqa: FBT001 - the one thing it says
        """The line says whether the coordinator can be reached."""
        if self.service is not None:
            self.service.sim_dialer.connected = up
            self.wake()

    def hear(self, data: bytes) -> None:
        """A message arrived."""
        if self.service is not None:
            self.service.sim_dialer.inbox.append(data)
            self.wake()

    # Turns.

    def wake(self) -> None:
        """Something happened: take a turn soon."""
        self._turn_at(self.now_us + self._dice.randrange(300))

    def _turn_at(self, when_us: int) -> None:
        if self._wake_us is not None and self._wake_us <= when_us:
            return
        self._wake_us = when_us

        def turn() -> None:
            if self._wake_us == when_us:
                self._wake_us = None
                self._turn()

        self.port.at(when_us, f"{self.agent_id} turn", turn)

    def thaw(self) -> None:
        """It goes on."""
        self.is_frozen = False
        self.wake()

    def _turn(self) -> None:
        service = self.service
        if service is None or self.is_frozen:
            return
        self.port.on_clock(self.skew_us)
        try:
            service.turn()
        except Crash:
            self.crash()
            self.later(self._dice.randrange(3_000_000), "restart", self.start)
            return
        if service.exit_code is not None:
            service.shut()
            self._ended()
            self.later(self._dice.randrange(3_000_000), "restart", self.start)
            return
        self._sleep(service)

    def _sleep(self, service: SimService) -> None:
        service.sim_waiter.peeking = True
        until_us = None
        try:
            service.turn()
        except Asleep as asleep:
            until_us = asleep.steady_us
        finally:
            service.sim_waiter.peeking = False
        if service.sim_dialer.inbox or service.sim_waiter.signals:
            until_us = 0
        if until_us is not None:
            self._turn_at(max(until_us, self.now_us))

    def tell(self, message: ToAgent) -> bytes:
        """A message as it travels."""
        return wire.encode(message)

    @property
    def session(self) -> str:
        """The session that its agent asked for last."""
        return "" if self.service is None else self.service.session

    @property
    def leftovers(self) -> list[str]:
        """What should be gone when all is over."""
        found: list[Any] = []
        if self.service is None:
            found.append(f"{self.agent_id} is down")
        elif self.service.held:
            found.append(f"{self.agent_id} still holds {self.service.held}")
        if self.host is not None and self.host.is_alive and not self.host.is_empty:
            found.append(f"the host of {self.agent_id} is not empty")
        files = sorted(path.name for path in self.out_dir.iterdir())
        if files and not (self.service is not None and self.service.may_find):
            found.append(f"{self.agent_id} left output files {files}")
        return found
