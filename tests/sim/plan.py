"""What a seed stands for: a small fleet, its jobs, what clients ask, and what goes wrong when."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from random import Random  # noqa: TID251 - everything here comes from one seed

import msgspec
from msgspec.structs import replace

from tocsin.coordinator.machine.state import Policy
from tocsin.model import (
    Blackout,
    Choose,
    Dependency,
    DependencyOn,
    Job,
    Missed,
    MissedPolicy,
    OnLost,
    OutputRule,
    Overlap,
    Retry,
    Target,
)

from .happening import Happening
from .oracle import SECOND_US
from .rolling_plan import with_rolling


class Fault(enum.StrEnum):
    """A class of things that go wrong. A seed has some of them, so that each also goes alone."""

    CRASH_COORDINATOR = "crash_coordinator"
    CRASH_AGENT = "crash_agent"
    CRASH_EXECUTOR = "crash_executor"
    CRASH_MACHINE = "crash_machine"
    """Agent, executor and jobs die together; what was not synced may be gone."""
    FREEZE = "freeze"
    """A process stands still, as under SIGSTOP."""
    PARTITION = "partition"
    CUT = "cut"
    """A connection breaks, with what is under way on it."""
    LOSE = "lose"
    """One message never arrives."""
    DOUBLE = "double"
    DELAY = "delay"
    """One message, and all behind it, arrive late."""
    REORDER = "reorder"
    """One message arrives after later ones."""
    STEP = "step"
    """The coordinator's wall clock steps."""
    SKEW = "skew"
    """Agents' wall clocks are wrong by seconds, and step."""
    OUTAGE = "outage"
    """The store cannot be written, or not even read."""
    WIPE = "wipe"
    """An agent's memory is deleted."""
    DISK = "disk"
    """An agent's journal cannot be written for a while."""
    NO_HOST = "no_host"
    """Executor hosts sometimes do not start."""
    TERMINATE = "terminate"
    """An agent is asked to end in good order, and is started again."""


class AgentPlan(msgspec.Struct, frozen=True):
    """One agent of the fleet."""

    id: str
    slots: int
    tags: dict[str, str]
    skew_us: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A world to be."""

    seed: int
    faults: frozenset[Fault]
    policy: Policy
    agents: list[AgentPlan]
    happenings: list[Happening]
    active_us: int
    """Then everything heals, and all jobs are paused."""
    without: list[str] = []
    """Classes of faults that the seed has, and this plan has not."""
    dropped: list[int] = []
    """Happenings of the seed that this plan has not."""
    failure_share: float
    """How many attempts fail by themselves."""


MESSAGE_FAULTS = frozenset({Fault.LOSE, Fault.DOUBLE, Fault.DELAY, Fault.REORDER})
MUTE = frozenset({Fault.CRASH_COORDINATOR, Fault.FREEZE, Fault.OUTAGE})
"""After these a coordinator may hear a request before it looks at the clock."""
APART = frozenset({Fault.PARTITION, Fault.CUT, Fault.CRASH_AGENT, Fault.CRASH_MACHINE, Fault.WIPE})
"""During these a kill does not reach the agent that runs it."""
RATES = {Fault.LOSE: 0.02, Fault.DOUBLE: 0.04, Fault.DELAY: 0.02, Fault.REORDER: 0.03}
"""How often a message suffers each."""


def make_plan(seed: int, without: Iterable[Fault] = (), dropped: Iterable[int] = ()) -> Plan:
    """The plan of a seed, less some classes of faults and some happenings, for shrinking."""
    dice = Random(seed)
    share = dice.choice([0.0, 0.15, 0.3, 0.5])
    faults = frozenset(fault for fault in Fault if dice.random() < share)
    count = dice.choice([1, 2, 2, 3, 3])
    agents = [_agent(number, dice, skewed=Fault.SKEW in faults) for number in range(count)]
    active_us = dice.randrange(40, 80) * SECOND_US
    steps = _steps(dice, active_us) if Fault.STEP in faults else []
    stepped_us = sum(abs(step.amount_us) for step in steps)
    shortest_s = 1 + stepped_us // SECOND_US // 4_000
    happenings = [*_asks(dice, active_us, shortest_s), *steps]
    for fault in sorted(faults - MESSAGE_FAULTS - {Fault.STEP, Fault.NO_HOST}):
        troubles = _troubles(fault, dice, active_us, count)
        happenings += troubles
        if fault in MUTE:
            happenings += _asks_meanwhile(dice, troubles, happenings[0].job, shortest_s)
        elif fault in APART:
            happenings += _kills_meanwhile(dice, troubles)
    happenings = _with_upkeep(happenings, Random(f"{seed} upkeep"), active_us)
    happenings = _with_chains(happenings, Random(f"{seed} chains"), active_us)
    if seed % 5 == 0:
        happenings = _with_sets(happenings, Random(f"{seed} sets"))
    happenings = with_rolling(happenings, Random(f"{seed} rolling"), active_us, count)
    happenings.sort(key=lambda happening: happening.at_us)
    less, gone = frozenset(without), frozenset(dropped)
    kept = [
        happening
        for number, happening in enumerate(happenings)
        if number not in gone and happening.kind not in less
    ]
    policy = Policy(
        heartbeat_s=dice.choice([1.0, 2.0, 3.0]),
        agent_silence_s=dice.choice([7.0, 10.0]),
        lost_after_s=dice.choice([10.0, 20.0]),
        unplaced_s=dice.choice([10.0, 30.0]),
        rejoin_s=Random(f"{seed} rejoin").choice([2.0, 5.0, 15.0]),
    )
    return Plan(
        seed=seed,
        faults=faults - less,
        policy=policy,
        agents=agents,
        happenings=kept,
        active_us=active_us,
        failure_share=dice.choice([0.0, 0.2, 0.5]),
        without=sorted(less & faults),
        dropped=sorted(gone),
    )


def _agent(number: int, dice: Random, *, skewed: bool) -> AgentPlan:
    skew_us = dice.randrange(-5 * SECOND_US, 5 * SECOND_US) if skewed else 0
    tags = {"role": dice.choice(["db", "web"])}
    return AgentPlan(f"agent-{number}", dice.choice([1, 2, 3, 8]), tags, skew_us)


# Jobs.

SCHEDULES = [
    "@every 2s", "@every 3s", "*/5 * * * * *", "@every 7s", "@every 10s", "4,19,31 * * * * *",
    "*/15 * * * * *", "@every 30s", "* * * * *",
]  # fmt: skip


def _job(name: str, dice: Random, shortest_s: int) -> Job:
    overlap = dice.choice(list(Overlap))
    seconds = dice.choice([0.05, 0.5, 2.0, 4.0, 12.0])
    retries = dice.choice([0, 0, 1, 3])
    if overlap is Overlap.QUEUE:  # what waits at the end must come to an end
        seconds, retries, shortest_s = min(seconds, 2.0), min(retries, 1), max(shortest_s, 11)
    return Job(
        name=name,
        executor="sim",
        config={"seconds": seconds, "lines": dice.randrange(4)},
        schedule=_schedule(dice, shortest_s),
        target=Target(
            tags=dice.choice([{}, {}, {}, {"role": "db"}, {"role": ["d*", "web"]}]),
            agents=dice.choice([1, 1, 1, 1, 2, "all"]),
            choose=dice.choice(list(Choose)),
        ),
        overlap=overlap,
        missed=Missed(
            policy=dice.choice(list(MissedPolicy)),
            within_s=dice.choice([None, None, 5.0, 30.0]),
            limit=dice.choice([1, 3, 10]),
        ),
        on_lost=dice.choice(list(OnLost)),
        timeout_s=dice.choice([1.0, 5.0, 3600.0, 3600.0]),
        kill_after_s=dice.choice([0.2, 2.0]),
        retry=Retry(
            limit=retries,
            delay_s=dice.choice([0.0, 1.0, 3.0]),
            max_delay_s=5.0,
            elsewhere=dice.random() < 0.5,
        ),
        output=OutputRule(keep_bytes=dice.choice([64, 1 << 20])),
        priority=dice.choice([0, 0, 5]),
    )


def _asks_meanwhile(
    dice: Random, troubles: list[Happening], job: Job | None, shortest_s: int
) -> list[Happening]:
    """Requests for the first job that reach a coordinator which has been away."""
    asks = []
    for trouble in troubles:
        at_us = trouble.at_us + dice.randrange(trouble.amount_us + 1)
        kind = dice.choice(["put", "pause", "resume", "remove", "run", "kill"])
        new = _job(job.name, dice, shortest_s) if kind == "put" and job else None
        asks.append(Happening(at_us, kind, number=dice.randrange(1000), job=new))
    return asks


def _kills_meanwhile(dice: Random, troubles: list[Happening]) -> list[Happening]:
    """Kills of runs under way while agents are out of reach."""
    kills = []
    for trouble in troubles:
        at_us = trouble.at_us + dice.randrange(min(trouble.amount_us, 2 * SECOND_US) + 1)
        kills += [Happening(at_us, "kill", number=dice.randrange(1000)) for _ in range(2)]
    return kills


def _schedule(dice: Random, shortest_s: int) -> list[str]:
    if dice.random() < 0.1:
        return []
    if shortest_s > 10 or (shortest_s > 1 and dice.random() < 0.8):
        return [f"@every {dice.choice([max(shortest_s, 10), shortest_s + 7])}s"]
    if dice.random() < 0.1:
        return ["* * * * * *"]
    several = dice.random() < 0.15
    return dice.sample(SCHEDULES, 2) if several else [dice.choice(SCHEDULES)]


def _asks(dice: Random, active_us: int, shortest_s: int) -> list[Happening]:
    """What clients ask: jobs at first, and then changes and requests."""
    names = [f"job-{number}" for number in range(dice.choice([1, 2, 3, 5]))]
    asks = [Happening(0, "put", number, job=_job(name, dice, shortest_s))
            for number, name in enumerate(names)]  # fmt: skip
    for _ in range(dice.choice([0, 3, 8, 15])):
        at_us = dice.randrange(SECOND_US, active_us)
        who = dice.randrange(len(names))
        kind = dice.choice(["put", "pause", "resume", "resume", "remove", "run", "run", "kill"])
        job = _job(names[who], dice, shortest_s) if kind == "put" else None
        asks.append(Happening(at_us, kind, who, number=dice.randrange(1000), job=job))
    return asks


# Upkeep.

BLACKOUTS = [
    ("08:00", "08:01"), ("08:01", "07:00"), ("23:00", "08:00"), ("Fri 08:00", "Fri 08:01"),
    ("Fri 08:01", "Thu 23:59"), ("Sat 09:00", "Sun 10:00"),
]  # fmt: skip
"""The world begins on a Friday at 08:00."""


def _with_upkeep(asks: list[Happening], dice: Random, active_us: int) -> list[Happening]:
    """In some worlds jobs have blackouts and labels, and there is maintenance."""
    if dice.random() < 0.6:
        return asks
    asks = [replace(ask, job=_kept_up(ask.job, dice)) for ask in asks]
    for _ in range(dice.choice([1, 3, 6])):
        kind = dice.choice(["maintain", "maintain", "end_maintenance", "pause_for"])
        length_us = dice.choice([0, 3, 10, 25]) * SECOND_US + dice.randrange(SECOND_US)
        if kind == "maintain" and length_us < SECOND_US:
            length_us = 0  # until somebody ends it
        ask = Happening(
            dice.randrange(SECOND_US, active_us),
            kind,
            dice.randrange(3),
            amount_us=length_us,
            number=dice.randrange(1000),
        )
        asks.append(ask)
    return asks


def _with_sets(asks: list[Happening], dice: Random) -> list[Happening]:
    """In some worlds jobs come with pools and calendars, and others go with them."""
    return [
        replace(ask, kind="apply", job=_with_calendar(ask.job, dice), number=dice.randrange(1000))
        if ask.kind == "put" and ask.job is not None and dice.random() < 0.6
        else ask
        for ask in asks
    ]


def _with_calendar(job: Job, dice: Random) -> Job:
    if dice.random() < 0.7:
        return job
    name = dice.choice(["today", "never"])
    return replace(job, blackout=[*job.blackout, Blackout(calendar=name)])


def _kept_up(job: Job | None, dice: Random) -> Job | None:
    if job is None:
        return None
    labels = {"team": dice.choice(["a", "b", "c"])}
    if dice.random() < 0.6:
        return replace(job, labels=labels)
    start, end = dice.choice(BLACKOUTS)
    return replace(job, labels=labels, blackout=[Blackout(start=start, end=end)])


# One job after another.


def _with_chains(asks: list[Happening], dice: Random, active_us: int) -> list[Happening]:
    """In some worlds jobs come after others, run once or have parameters, and are repeated."""
    if dice.random() < 0.5:
        return asks
    asks = [replace(ask, job=_chained(ask.job, dice)) for ask in asks]
    for _ in range(dice.choice([0, 2, 5])):
        at_us = dice.randrange(SECOND_US, active_us)
        asks.append(Happening(at_us, "rerun", number=dice.randrange(1000)))
    return asks


def _chained(job: Job | None, dice: Random) -> Job | None:
    """A job that may come after those of lower numbers."""
    if job is None:
        return None
    number = int(job.name.removeprefix("job-"))
    others = dice.sample(range(number), min(number, dice.choice([0, 1, 1, 2])))
    ends = dice.choices(list(DependencyOn), k=len(others))
    after = [Dependency(job=f"job-{n}", on=on) for n, on in zip(others, ends, strict=True)]
    return replace(
        job,
        after=after,
        schedule=[] if after and dice.random() < 0.6 else job.schedule,
        ephemeral=dice.random() < 0.1,
        params={"days": "7"} if dice.random() < 0.2 else {},
    )


# Trouble.


def _steps(dice: Random, active_us: int) -> list[Happening]:
    sizes_s = [1, 3, 11, 45, 300, 3_700, 90_000]
    return [
        Happening(
            dice.randrange(SECOND_US, active_us),
            Fault.STEP,
            amount_us=dice.choice(sizes_s) * dice.choice([1, -1]) * SECOND_US + dice.randrange(999),
        )
        for _ in range(dice.choice([1, 1, 2, 4]))
    ]


def _troubles(fault: Fault, dice: Random, active_us: int, agents: int) -> list[Happening]:
    often = 6 if fault is Fault.CRASH_COORDINATOR else 3
    troubles = []
    for _ in range(dice.randrange(1, often)):
        span_us = dice.choice([dice.randrange(SECOND_US), dice.randrange(8 * SECOND_US),
                               dice.randrange(40 * SECOND_US)])  # fmt: skip
        troubles.append(
            Happening(
                dice.randrange(SECOND_US // 2, active_us),
                fault,
                dice.randrange(agents),
                amount_us=span_us,
                number=dice.randrange(1000),
            )
        )
    return troubles
