"""How a job is set up, key by key; of secrets and variables the names alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from tocsin.doubts import hosts_of
from tocsin.instants import to_rfc3339
from tocsin.model import Agent, AgentState, Job, OnLost
from tocsin.units import format_duration, format_percent, format_size

from .job_facts import retry_words, target_words, what
from .plain import fit, one_line
from .widgets.columns import Cell

Row = tuple[str, tuple[Cell, ...]]

LABEL_CELLS: Final = 9
_HOSTS_SHOWN: Final = 6


def config_rows(job: Job, agents: Iterable[Agent], width: int) -> list[Row]:
    """One line for each thing that is set, and for what matters even where it is not."""
    rows: list[Row] = []
    for label, text in _facts(job, list(agents)):
        if text:
            cells = Cell(fit(label, LABEL_CELLS), "quiet"), Cell(_cut(text, width))
            rows.append((label, cells))
    return rows


def hosts_line(job: Job, agents: list[Agent]) -> str:
    """Which agents may run it, and how many of them are up."""
    names = hosts_of(job, agents)
    if not names:
        return "→ no agent matches"
    up = sum(one.state is AgentState.UP for one in agents if one.name in set(names))
    some = ", ".join(one_line(name) for name in names[:_HOSTS_SHOWN])
    more = ", …" if len(names) > _HOSTS_SHOWN else ""
    return f"→ {len(names)} match, {up} up: {some}{more}"


def _facts(job: Job, agents: list[Agent]) -> Iterator[tuple[str, str]]:
    yield "runs", what(job)
    yield "user", one_line(job.run_as)
    yield "target", target_words(job.target)
    yield "agents", hosts_line(job, agents)
    yield "rollout", _rollout(job)
    yield "overlap", str(job.overlap)
    yield "missed", _missed(job)
    yield "retry", retry_words(job)
    yield "timeout", f"{format_duration(job.timeout_s)}, then {format_duration(job.kill_after_s)}"
    yield "limits", _limits(job)
    yield "env", one_line(", ".join(job.env))
    yield "secrets", one_line(", ".join(job.secrets))
    yield "params", one_line(", ".join(job.params))
    yield "expect", "" if job.expect is None else one_line(msgspec.json.encode(job.expect).decode())
    yield "pool", one_line(job.pool)
    yield "priority", str(job.priority) if job.priority else ""
    yield "lost", "tried again" if job.on_lost is OnLost.RETRY else ""
    yield "life", _life(job)


def _rollout(job: Job) -> str:
    target = job.target
    parts = [
        f"canary {target.canary}" if target.canary else "",
        f"{target.max_parallel} at a time" if target.max_parallel else "",
        f"{format_duration(target.stagger_s)} apart" if target.stagger_s else "",
        f"stops after {target.stop_after} failures" if target.stop_after else "",
    ]
    return ", ".join(part for part in parts if part)


def _missed(job: Job) -> str:
    within = (
        "" if job.missed.within_s is None else f" within {format_duration(job.missed.within_s)}"
    )
    return f"{job.missed.policy}{within}"


def _limits(job: Job) -> str:
    limits = job.limits
    parts = [
        f"mem {format_size(limits.memory_bytes)}" if limits.memory_bytes else "",
        f"cpu {format_percent(limits.cpu_percent)}" if limits.cpu_percent else "",
        f"tasks {limits.tasks}" if limits.tasks else "",
    ]
    return "  ".join(part for part in parts if part)


def _life(job: Job) -> str:
    parts = [
        f"from {to_rfc3339(job.starts_at_us)}" if job.starts_at_us is not None else "",
        f"until {to_rfc3339(job.expires_at_us)}" if job.expires_at_us is not None else "",
        "removed once it succeeded" if job.ephemeral else "",
    ]
    return ", ".join(part for part in parts if part)


def _cut(text: str, width: int) -> str:
    return fit(text, max(width - LABEL_CELLS, 0))
