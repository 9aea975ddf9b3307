"""One seed's world, step by step: what happens next on a true clock that nobody else can see."""

from __future__ import annotations

import gc
import heapq
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 - a seeded one
from typing import Final, NoReturn

from tocsin import clock, wire
from tocsin.coordinator import catalogue
from tocsin.coordinator.machine.commands import SaveAgent
from tocsin.coordinator.store.port import PeerRow
from tocsin.errors import ExecutorError, StoreError
from tocsin.keys import KeyPair, load_or_make_keypair
from tocsin.messages.agent_link import FromAgent, ToAgent, Welcome
from tocsin.messages.client_answers import Answer
from tocsin.messages.client_link import Ask, EndPause, KillRuns, PauseJobs, UncordonAgents
from tocsin.model import Agent, Role

from . import checker, reader, waking
from .agent import SimMachine
from .agent_ports import EXECUTOR
from .chains import is_held
from .client import Client, ask_for
from .coordinator import Coordinator, Crash
from .evidence import Evidence, Violation
from .gathering import gather
from .happening import Happening
from .memory_check import compare
from .monitor import Monitor
from .network import LATE_US, Line
from .oracle import SECOND_US
from .plan import Fault, Plan
from .swap import swapped
from .timeline import START_US
from .trouble import TROUBLES
from .witnesses import Witnesses

OUTLIVING_SHARE: Final = 0.4
READ: Final = {3, 4}
"""Of seven worlds, in those of these seeds somebody follows what runs print."""
"""Of the machines, those on which systemd runs the jobs."""
QUIET_US: Final = 400 * SECOND_US
"""After it healed, the world has this long to come to rest."""
STEPS_AT_ONCE: Final = 2_000
"""More steps than this without any time passing: somebody spins."""
COMPARE_EVERY: Final = 40
"""Commits between two comparisons of the memory with what a restart would find."""


class Failure(Exception):  # noqa: N818 - named for the fact
    """A world in which a promise was broken."""

    def __init__(self, plan: Plan, world: World, violation: Violation) -> None:
        super().__init__(str(violation))
        self.plan = plan
        self.world = world
        self.violation = violation


class World(Witnesses):
    """A fleet, a coordinator, a client, and time.

    It has more methods than a class should: each is one thing that befalls a part, and all of them
    share one clock and one queue, which nobody else may touch or a seed would not repeat.
    """

    def __init__(self, plan: Plan, folder: Path, watch: type[Monitor] = Monitor) -> None:
        patience_us = round(plan.policy.unplaced_s * SECOND_US)
        rejoin_us = round(plan.policy.rejoin_s * SECOND_US)
        super().__init__(watch(patience_us, rejoin_us, even=Fault.STEP not in plan.faults))
        self.plan = plan
        self._offset_us = 0
        self.is_healed = False
        self.is_frozen = False
        self._wake: tuple[int, int] = (0, 0)
        self.judged: Evidence | None = None
        self._compared = 0
        self._held_asks: list[tuple[int, Ask]] = []
        """What the client's link keeps for a coordinator that is away."""
        self.down_us = 0
        """How long the coordinator stays away after its next crash."""
        self.coordinator = Coordinator(
            self, self.monitor, plan.policy, folder / "key", self._dice("coordinator")
        )
        load_or_make_keypair(folder / "key", lambda: KeyPair("ab" * 32, "cd" * 32))
        if Fault.LOSE in plan.faults:  # hellos too, several in a row
            self.excuse("absent", "")
        loss = 0.1 if Fault.LOSE in plan.faults else 0.0
        self.client = Client(self, self._dice("client"), loss)
        self.machines: dict[str, SimMachine] = {}
        for agent in plan.agents:
            self._build(agent.id, folder)

    def _dice(self, what: str) -> Random:
        return Random(f"{self.plan.seed} {what}")

    def _build(self, agent_id: str, folder: Path) -> None:
        plan = next(agent for agent in self.plan.agents if agent.id == agent_id)
        machine = SimMachine(
            self, plan, folder / agent_id, self._dice(agent_id), self.plan.failure_share
        )
        machine.hosts_fail = 0.2 if Fault.NO_HOST in self.plan.faults else 0.0
        machine.outlives = self._dice(f"units of {agent_id}").random() < OUTLIVING_SHARE
        machine.line = Line(
            self,
            self.plan.faults,
            self._dice(f"line {agent_id}"),
            to_agent=lambda data: self._arrived(agent_id, data),
            to_coordinator=lambda connection, data: self._heard(agent_id, connection, data),
            link_changed=machine.link_changed,
        )
        self.machines[agent_id] = machine

    # The run of the world.

    def run(self) -> None:
        """Live through the plan, heal, come to rest, and be judged.

        Raises:
            Violation: a promise was broken.
        """
        self._begin()
        self._live(until_us=self.plan.active_us)
        self._heal()
        self._live(until_us=self.now_us + QUIET_US, is_enough=self._is_quiet)
        self._judge()

    def _begin(self) -> None:
        store = self.coordinator.store
        for agent_id in self.machines:
            agent = Agent(id=agent_id, key=agent_id, name=agent_id, executors=[EXECUTOR])
            store.stage([SaveAgent(agent)])
            store.stage_peer(PeerRow(agent_id, Role.AGENT, agent_id, agent_id))
            self.monitor.fleet.saved(agent)
        store.commit()
        self._start_coordinator()
        for machine in self.machines.values():
            machine.start()
        if self.plan.seed % 7 in READ:
            reader.read_on(self, self.monitor.active)
        for happening in self.plan.happenings:
            self.at(happening.at_us, happening.kind, partial(self._happen, happening))

    def _live(self, until_us: int, is_enough: Callable[[], bool] = lambda: False) -> None:
        at_once = 0
        while self._queue and self._queue[0][0] <= until_us:
            when_us, _, label, action = heapq.heappop(self._queue)
            at_once = at_once + 1 if when_us <= self.now_us else 0
            if at_once > STEPS_AT_ONCE:
                raise Violation("live", f"nothing but {label} happens, and no time passes")
            self.now_us = max(self.now_us, when_us)
            self.steps += 1
            try:
                action()
            except Violation:
                raise
            except Exception as error:
                raise Violation("crash", f"{label}: {error!r}") from error
            if is_enough():
                return
        self.now_us = until_us

    def _is_quiet(self) -> bool:
        if self.steps % 16 or self.monitor.active or not self.client.is_idle:
            return False
        return not any(machine.leftovers for machine in self.heard_machines())

    def heard_machines(self) -> list[SimMachine]:
        """The machines whose agents were not revoked."""
        gone = self.monitor.fleet.revoked_us
        return [machine for machine in self.machines.values() if machine.agent_id not in gone]

    # The coordinator.

    def _start_coordinator(self) -> None:
        if self.coordinator.is_up:
            return
        self._shown_us = self._offset_us
        try:
            self.coordinator.start()
        except (StoreError, Crash):
            self.coordinator.crash()
            self.at(self.now_us + SECOND_US // 2, "restart", self._start_coordinator)
            return
        self.monitor.reasons.came(self.wall_of(self._offset_us))
        self.note("coordinator", f"starts with epoch {self.coordinator.epochs[-1]}")
        self._compare()
        held, self._held_asks = self._held_asks, []
        for number, ask in held:
            self.coordinator.hear_client(number, ask)
        for machine in self.machines.values():
            machine.line.server_changed(up=True)
        self._wake_at(self.now_us)

    def crash_coordinator(self, down_us: int) -> None:
        if not self.coordinator.is_up:
            return
        self.note("coordinator", "crashes")
        self.monitor.reasons.went(self.wall_of(self._offset_us))
        self.coordinator.crash()
        for machine in self.machines.values():
            machine.line.server_changed(up=False)
        self.at(self.now_us + down_us, "restart", self._start_coordinator)

    def _wake_at(self, when_us: int) -> None:
        """Plan the coordinator's next turn; it replaces the one that was planned."""
        self._wake = (when_us, self._wake[1] + 1)
        wake = self._wake
        self.at(when_us, "coordinator turn", lambda: self._turn() if wake == self._wake else None)

    def _wake_soon(self) -> None:
        soon_us = self.now_us + self._count % 7 * 100
        if self._wake[0] < self.now_us or self._wake[0] > soon_us:
            self._wake_at(soon_us)

    def _turn(self) -> None:
        if not self.coordinator.is_up or self.is_frozen:
            return
        self._shown_us = self._offset_us
        try:
            self.coordinator.turn()
        except Crash:
            self.crash_coordinator(self.down_us)
            return
        self._compare_sometimes()
        self._sleep()

    def _sleep(self) -> None:
        steady_us, wall_us = self.coordinator.sleeps_until()
        instants = [] if steady_us is None else [steady_us]
        if wall_us is not None:
            instants.append(wall_us - START_US - self._offset_us)
        if instants:
            self._wake_at(max(min(instants), self.now_us))

    def _compare_sometimes(self) -> None:
        if self.monitor.commits - self._compared >= COMPARE_EVERY:
            self._compare()

    def _compare(self) -> None:
        self._compared = self.monitor.commits
        coordinator = self.coordinator
        store = coordinator.store
        if coordinator.machine is not None and not store.dirty and not store.outage:
            compare(coordinator.machine, store, self.now())
            waking.check(coordinator.machine)

    # Messages.

    def told(self, agent_id: str, connection: int, message: ToAgent) -> None:
        """The coordinator says something to an agent."""
        self.note(f"to {agent_id}", message)
        machine = self.machines[agent_id]
        if isinstance(message, Welcome) and message.session == machine.session:
            self._heard_of(agent_id)
        line = machine.line
        line.send(wire.encode(message), to_agent=True, connection=connection)

    def _heard_of(self, agent_id: str) -> None:
        silence_us = round(self.plan.policy.agent_silence_s * SECOND_US)
        for excuse in self.excuses:
            if excuse.kind != "absent" and excuse.agent_id == agent_id:
                # A hello of the memory that was lost may still be under way. The session that it
                # opens is given orders until it has been silent for too long.
                late_us = LATE_US + silence_us if excuse.kind == "wipe" else 0
                later_us = self.now_us + late_us
                excuse.until_us = later_us if excuse.until_us is None else excuse.until_us

    def _arrived(self, agent_id: str, data: bytes) -> None:
        self.machines[agent_id].hear(data)

    def _heard(self, agent_id: str, connection: int, data: bytes) -> None:
        if not self.coordinator.is_up:
            return
        message: FromAgent = wire.decode(data, FromAgent)
        self.note(f"from {agent_id}", message)
        self.coordinator.hear_agent(agent_id, connection, message)
        self._wake_soon()

    def asked(self, number: int, ask: Ask) -> None:
        """A client's request arrives."""
        self.note("client asks", ask)
        if self.coordinator.is_up:
            self.coordinator.hear_client(number, ask)
            self._wake_soon()
        elif number % 2:
            self._held_asks.append((number, ask))

    def answered(self, number: int, answer: Answer) -> None:
        """The coordinator answers the client."""
        self.note("client is told", answer)
        if number != reader.NUMBER:
            self.client.answered(number, answer)

    # Trouble.

    def _happen(self, happening: Happening) -> None:
        if self.is_healed:
            return
        self.note("happens", happening)
        kind = happening.kind
        if kind in TROUBLES:
            TROUBLES[Fault(kind)](self, happening)
            return
        runs = list(self.monitor.ledger)
        live = list(self.monitor.active)
        ids = live if live and happening.number % 3 else runs
        ask = ask_for(happening, ids, list(self.monitor.pauses))
        if ask is not None:
            self.client.want(ask)

    def step_wall(self, by_us: int) -> None:
        """The coordinator's wall clock steps."""
        self._offset_us += by_us
        self.monitor.reasons.kinds.add("step")
        if self.coordinator.is_up and not self.is_frozen:
            self._shown_us = self._offset_us
            self._sleep()

    def thaw(self) -> None:
        """The coordinator goes on."""
        self.is_frozen = False
        self._wake_at(self.now_us)

    def _heal(self) -> None:
        self.note("world", "heals")
        self.is_healed = True
        self.coordinator.fuse.left = None
        self.coordinator.store.outage = ""
        self.thaw()
        self._start_coordinator()
        for machine in self.machines.values():
            machine.fuse.left = None
            machine.hosts_fail = 0.0
            machine.fill_disk(full=False)
            self.unblock(machine)
            machine.line.quiet = True
            machine.start()
            self.thaw_agent(machine)
        self.client.be_heard()
        for agent_id in self.machines:
            self.client.want(UncordonAgents([agent_id]))
        for name in sorted(self.client.wishes.keys() | self._job_names()):
            self.client.want(PauseJobs([name], "the end"))
        for seconds in (30, 120):
            self.at(self.now_us + seconds * SECOND_US, "end of waiting", self._end_waiting)
        for seconds in (0, 60):  # what was asked for and is under way comes in between
            self.at(self.now_us + seconds * SECOND_US, "end of pauses", self._end_pauses)

    def _end_waiting(self) -> None:
        """A clock that was set back may not reach the next due time for hours."""
        for run in list(self.monitor.active.values()):
            if is_held(run):
                self.client.want(KillRuns([run.id]))

    def _end_pauses(self) -> None:
        for pause_id in self.monitor.pauses:
            self.client.want(EndPause([pause_id]))

    def unblock(self, machine: SimMachine) -> None:
        """A partition is over."""
        machine.line.unblock()
        self.absence(machine.agent_id, "partition", begins=False)

    def thaw_agent(self, machine: SimMachine) -> None:
        """A frozen agent goes on."""
        machine.thaw()
        self.absence(machine.agent_id, "frozen", begins=False)

    def _job_names(self) -> set[str]:
        return {h.job.name for h in self.plan.happenings if h.job is not None}

    # The end.

    def close(self) -> None:
        """Let go of files and databases."""
        self.coordinator.store.close()
        for machine in self.machines.values():
            machine.crash()

    def _judge(self) -> None:
        self._compare()
        self.judged = gather(self)
        for violation in checker.check(self.judged):
            raise violation


def _load_nothing(name: str) -> NoReturn:
    raise ExecutorError(f"no executor is called {name!r}")


def run_world(plan: Plan, make: Callable[[Plan, Path], World] = World) -> World:
    """Live through a plan, in a world of some kind; the world as it ended.

    Raises:
        Failure: a promise was broken.
    """
    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="tocsin-sim-", dir=shm if shm.is_dir() else None))
    world = make(plan, folder)
    gc.disable()
    try:
        with (
            swapped(clock, "now_us", lambda: world.now().wall_us),
            swapped(clock, "monotonic_s", lambda: (world.now_us + 0.25) / SECOND_US),
            swapped(clock, "boottime_s", lambda: (world.now_us + 0.25) / SECOND_US),
            # Looking for installed executors takes longer than a small world.
            swapped(catalogue, "load_executor", _load_nothing),
        ):
            world.run()
    except Violation as violation:
        raise Failure(plan, world, violation) from violation
    finally:
        world.close()
        gc.enable()
        shutil.rmtree(folder)
    return world
