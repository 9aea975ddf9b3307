"""How each class of faults befalls a world."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tocsin.agent.machine.hosts import GONE_MAX

from .happening import Happening
from .oracle import SECOND_US
from .plan import Fault

if TYPE_CHECKING:
    from .agent import SimMachine
    from .world import World

DOWN_US_MAX: Final = 15 * SECOND_US
OUTAGES: Final = ("all", "main", "commit")


def _machine(world: World, happening: Happening) -> SimMachine:
    return list(world.machines.values())[happening.who]


def _crash_coordinator(world: World, happening: Happening) -> None:
    world.down_us = min(happening.amount_us, DOWN_US_MAX)
    if happening.number % 4 == 0:
        world.crash_coordinator(world.down_us)
    else:
        world.coordinator.fuse.left = happening.number % 12


def _crash_agent(world: World, happening: Happening) -> None:
    machine = _machine(world, happening)
    if happening.number % 3 == 0:
        machine.crash()
        machine.later(happening.amount_us, "restart", machine.start)
    else:
        machine.fuse.left = happening.number % 10
    if Fault.CRASH_EXECUTOR in world.plan.faults and happening.number % 5 < 2:
        _crash_executor(world, happening)


def _crash_executor(world: World, happening: Happening) -> None:
    machine = _machine(world, happening)
    host = machine.host
    # What systemd runs is found again, if another host starts; an order nobody read is not.
    machine.hosts_killed += 1
    certain = machine.outlives and Fault.NO_HOST not in world.plan.faults
    certain = certain and machine.hosts_killed <= GONE_MAX  # then the agent gives them up
    if not (certain and (host is None or host.has_read_all)):
        world.excuse("executor", machine.agent_id).until_us = world.now_us
    if host is not None and host.is_alive:
        host.crash(orphans=happening.number % 2 == 0)


def _crash_machine(world: World, happening: Happening) -> None:
    machine = _machine(world, happening)
    world.excuse("machine", machine.agent_id)
    world.excuse("wipe", machine.agent_id)
    machine.go_down()
    machine.later(happening.amount_us, "boots", machine.start)


def _freeze(world: World, happening: Happening) -> None:
    until_us = world.now_us + happening.amount_us
    if happening.number % 4 == 0:
        world.is_frozen = True
        world.monitor.reasons.kinds.add("stall")
        world.at(until_us, "thaw", world.thaw)
        return
    machine = _machine(world, happening)
    if machine.service is None:
        return
    machine.is_frozen = True
    world.absence(machine.agent_id, "frozen", begins=True)
    world.at(until_us, "thaw", lambda: world.thaw_agent(machine))


def _partition(world: World, happening: Happening) -> None:
    machine = _machine(world, happening)
    directions = ({True, False}, {True}, {False})[happening.number % 3]
    machine.line.block(directions, hold=happening.number // 3 % 2 == 0)
    world.absence(machine.agent_id, "partition", begins=True)
    world.at(world.now_us + happening.amount_us, "unblock", lambda: world.unblock(machine))


def _cut(world: World, happening: Happening) -> None:
    _machine(world, happening).line.cut()


def _step(world: World, happening: Happening) -> None:
    world.step_wall(happening.amount_us)


def _skew(world: World, happening: Happening) -> None:
    _machine(world, happening).skew_us += (happening.number % 11 - 5) * SECOND_US


def _outage(world: World, happening: Happening) -> None:
    store = world.coordinator.store
    world.monitor.reasons.kinds.add("stall")
    store.outage = OUTAGES[happening.number % 3]

    def mend() -> None:
        store.outage = ""

    world.at(world.now_us + happening.amount_us, "mended", mend)


def _wipe(world: World, happening: Happening) -> None:
    machine = _machine(world, happening)
    world.excuse("wipe", machine.agent_id)
    machine.forget()
    machine.later(happening.amount_us, "restart", machine.start)


def _disk(world: World, happening: Happening) -> None:
    machine = _machine(world, happening)
    machine.fill_disk(full=True)
    world.at(world.now_us + happening.amount_us, "space", lambda: machine.fill_disk(full=False))


def _terminate(world: World, happening: Happening) -> None:
    _machine(world, happening).terminate()


TROUBLES: Final[dict[Fault, Callable[[World, Happening], None]]] = {
    Fault.CRASH_COORDINATOR: _crash_coordinator,
    Fault.CRASH_AGENT: _crash_agent,
    Fault.CRASH_EXECUTOR: _crash_executor,
    Fault.CRASH_MACHINE: _crash_machine,
    Fault.FREEZE: _freeze,
    Fault.PARTITION: _partition,
    Fault.CUT: _cut,
    Fault.STEP: _step,
    Fault.SKEW: _skew,
    Fault.OUTAGE: _outage,
    Fault.WIPE: _wipe,
    Fault.DISK: _disk,
    Fault.TERMINATE: _terminate,
}
