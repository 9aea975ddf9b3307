"""The faults: whom each one can befall, for how long, and which losses it excuses."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from random import Random  # noqa: TID251 - a seeded one
from typing import Final

import msgspec

from tests.sim.evidence import Excuse
from tocsin.instants import SECOND_US

from .members import AGENTS, COORDINATOR


class Fault(enum.StrEnum):
    """What can happen to a fleet."""

    KILL_COORDINATOR = "kill-coordinator"
    KILL_AGENT = "kill-agent"
    KILL_HOST = "kill-host"
    """The process that hosts an agent's executor; the jobs below it go on as orphans."""
    KILL_MACHINE = "kill-machine"
    """An agent and its hosts at once."""
    KILL_JOB = "kill-job"
    FREEZE_COORDINATOR = "freeze-coordinator"
    FREEZE_AGENT = "freeze-agent"
    FREEZE_HOST = "freeze-host"
    CUT = "cut"
    CUT_ONE_WAY = "cut-one-way"
    LOSSY = "lossy"
    STEP = "step"
    FULL_DISK = "full-disk"
    TERMINATE = "terminate"
    """SIGTERM and another start, as a service manager does it."""
    LOCK_STORE = "lock-store"


MEMBERS: Final = (COORDINATOR, *AGENTS)
SLACK_US: Final = 2 * SECOND_US
"""From a fault to the moment when everybody has noticed."""


class Happening(msgspec.Struct):
    """One fault, from a true instant to another. `who`: a member."""

    fault: Fault
    who: str
    from_us: int
    until_us: int = 0
    """Healed; 0: not yet."""
    amount: int = 0
    key: str = ""
    """The attempt whose process was killed."""

    @property
    def name(self) -> str:
        """What befell whom."""
        by = f" by {self.amount:+d}" if self.amount else ""
        return f"{self.fault} {self.who}{by}"


class Shape(msgspec.Struct, frozen=True):
    """What a fault is like: whom it befalls, for how long, and by how much."""

    victims: tuple[str, ...]
    resource: str
    """Two faults of one resource and one victim do not happen at once; '' goes with everything."""
    seconds: list[tuple[float, float]]
    """One of these ranges."""
    amounts: tuple[int, ...] = (0,)


_NO_TIME: Final = [(0.0, 0.0)]
_DOWN: Final = [(0.0, 0.0), (0.0, 2.0), (1.0, 8.0)]
_AWAY: Final = [(1.0, 4.0), (2.0, 20.0)]
_FROZEN: Final = [(1.0, 4.0), (2.0, 15.0)]
_COORDINATOR: Final = (COORDINATOR,)
SHAPES: Final[dict[Fault, Shape]] = {
    Fault.KILL_COORDINATOR: Shape(_COORDINATOR, "life", _DOWN),
    Fault.KILL_AGENT: Shape(AGENTS, "life", _DOWN),
    Fault.KILL_HOST: Shape(AGENTS, "", _NO_TIME),
    Fault.KILL_MACHINE: Shape(AGENTS, "life", _DOWN),
    Fault.KILL_JOB: Shape(AGENTS, "", _NO_TIME),
    Fault.FREEZE_COORDINATOR: Shape(_COORDINATOR, "life", _FROZEN),
    Fault.FREEZE_AGENT: Shape(AGENTS, "life", _FROZEN),
    Fault.FREEZE_HOST: Shape(AGENTS, "host", _FROZEN),
    Fault.CUT: Shape(MEMBERS, "net", _AWAY),
    Fault.CUT_ONE_WAY: Shape(MEMBERS, "net", _AWAY, (1, -1)),
    Fault.LOSSY: Shape(MEMBERS, "net", _AWAY, (10, 25, 40)),
    # A clock that was set back is put right soon: nothing falls due meanwhile.
    Fault.STEP: Shape(_COORDINATOR, "clock", [(2.0, 6.0)], (3, 90, 7200, -3, -90, -7200)),
    Fault.FULL_DISK: Shape(MEMBERS, "disk", [(1.0, 8.0)]),
    Fault.TERMINATE: Shape(MEMBERS, "life", [(0.0, 2.0)]),
    Fault.LOCK_STORE: Shape(_COORDINATOR, "disk", [(1.0, 5.0)]),
}


class Planned(msgspec.Struct, frozen=True):
    """A fault that is to be."""

    fault: Fault
    who: str
    seconds: float
    amount: int
    resource: str


def plan(dice: Random, faults: list[Fault]) -> Planned:
    """The next fault."""
    fault = dice.choice(faults)
    shape = SHAPES[fault]
    who, seconds = dice.choice(shape.victims), dice.uniform(*dice.choice(shape.seconds))
    resource = f"{shape.resource} {who}" if shape.resource else ""
    return Planned(fault, who, seconds, dice.choice(shape.amounts), resource)


# Excuses.

_ABSENT: Final = frozenset(
    {
        Fault.KILL_AGENT, Fault.KILL_MACHINE, Fault.FREEZE_AGENT, Fault.CUT, Fault.CUT_ONE_WAY,
        Fault.LOSSY, Fault.TERMINATE, Fault.FULL_DISK,
    }
)  # fmt: skip
"""During these an agent may be out of reach."""
_HURTS: Final = {
    Fault.KILL_HOST: "executor",
    Fault.KILL_MACHINE: "machine",
}
"""After these an agent may not know what became of an attempt."""


def excuses_of(
    happenings: list[Happening], ids: dict[str, str], back_us: BackAgain
) -> list[Excuse]:
    """Which losses the faults excuse: of whom, and when."""
    return [e for happening in happenings for e in _excuses_of(happening, ids, back_us)]


BackAgain = Callable[[str, int], int]
"""When a member was first heard again after a true instant; that instant if it never was away."""


def _excuses_of(happening: Happening, ids: dict[str, str], back_us: BackAgain) -> Iterator[Excuse]:
    who, from_us, until_us = happening.who, happening.from_us, happening.until_us
    agent_id = ids.get(who, "")  # a coordinator that cannot be reached misses all of them
    if happening.fault in _ABSENT and not (who == COORDINATOR and _is_inside(happening.fault)):
        yield Excuse("absent", agent_id, from_us, back_us(who, until_us))
    if happening.fault in _HURTS:
        yield Excuse(_HURTS[happening.fault], agent_id, from_us, until_us + SLACK_US)


def _is_inside(fault: Fault) -> bool:
    """Whether a fault of the coordinator is its own, and none of the way to it."""
    return fault in {Fault.TERMINATE, Fault.FULL_DISK}
