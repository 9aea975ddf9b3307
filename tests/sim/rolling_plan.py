"""Plans with fires from host to host, pools, jitter, and agents that people hold or revoke."""

from __future__ import annotations

from random import Random  # noqa: TID251 - a seeded one

from msgspec.structs import replace

from tocsin.model import Choose, Job, Overlap, Target

from .happening import Happening
from .oracle import SECOND_US


def with_rolling(
    asks: list[Happening], dice: Random, active_us: int, agents: int
) -> list[Happening]:
    """In some worlds jobs go to several hosts one after the other, and agents are held."""
    if dice.random() < 0.5:
        return asks
    asks = [replace(ask, job=_rolled(ask.job, dice)) for ask in asks]
    for _ in range(dice.choice([0, 1, 3])):
        kind = dice.choice(["cordon", "drain", "drain_by", "uncordon", "uncordon"])
        asks.append(_ask(kind, dice, active_us, agents))
    if agents > 1 and dice.random() < 0.25:
        asks.append(_ask(dice.choice(["revoke", "revoke_now"]), dice, active_us, agents))
    return asks


def _ask(kind: str, dice: Random, active_us: int, agents: int) -> Happening:
    at_us = dice.randrange(SECOND_US, active_us)
    return Happening(at_us, kind, dice.randrange(agents), number=dice.randrange(1000))


def _rolled(job: Job | None, dice: Random) -> Job | None:
    if job is None:
        return None
    target = Target(
        tags=job.target.tags,
        agents=dice.choice([job.target.agents, 2, "all", "all"]),
        choose=dice.choice(list(Choose)),
        max_parallel=dice.choice([None, None, 1, 2]),
        stagger_s=dice.choice([0.0, 0.0, 0.5, 3.0]),
        canary=dice.choice([0, 0, 1, 2]),
        stop_after=dice.choice([None, None, 1, 2]),
    )
    config, pool = job.config, dice.choice(["", "", "narrow", "wide"])
    if job.overlap is Overlap.QUEUE:  # what waits at the end must come to an end
        config = {**config, "seconds": min(config["seconds"], 0.5)}
    elif job.overlap is Overlap.ALLOW and pool:
        config = {**config, "seconds": 0.05}
    return replace(
        job,
        config=config,
        target=target,
        pool=pool,
        jitter_s=dice.choice([0.0, 0.0, 1.0, 4.0]),
    )
