"""What a drill says at its end: figures, and the story of what went wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

import msgspec

from tests.sim.evidence import Violation
from tests.sim.oracle import dues_us
from tocsin.instants import SECOND_US
from tocsin.model import Job, Overlap, RunState, Trigger

from .drill import Drill
from .faults import Fault, Happening
from .ledger import Case
from .members import AGENTS, COORDINATOR

STORY_LINES_MAX: Final = 60
LISTED_MAX: Final = 10
AROUND_US: Final = 15 * SECOND_US


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What there was, and how it went."""

    dues: int
    runs: int
    starts: int
    states: dict[str, int]
    skips: dict[str, int]
    faults: dict[str, int]
    lateness_ms: dict[str, int]
    """Of runs on schedule: from due to the witness of the start."""
    recovery_ms: dict[str, dict[str, int]]
    """By fault: from its heal to the first start on whom it befell."""


def figures(drill: Drill, case: Case) -> Figures:
    """The figures of a drill."""
    runs = case.evidence.runs
    states = Counter(str(run.state) for run in runs)
    skips = Counter(run.reason for run in runs if run.state is RunState.SKIPPED)
    return Figures(
        dues=sum(
            1
            for term in case.evidence.terms
            if term.until_us is not None
            for _ in dues_us(term.job.schedule, term.after_us, term.until_us)
        ),
        runs=len(runs) - states["skipped"],
        starts=len(case.evidence.starts),
        states=dict(states),
        skips=dict(skips),
        faults=dict(Counter(str(happening.fault) for happening in drill.happenings)),
        lateness_ms=_quantiles(list(_lateness_us(drill, case))),
        recovery_ms={f: _quantiles(spans) for f, spans in _recoveries(drill, case).items()},
    )


def _lateness_us(drill: Drill, case: Case) -> Iterator[int]:
    clock = drill.fleet.clock
    waiting = {(t.job_id, t.version) for t in case.evidence.terms if _waits(t.job)}
    for start in case.evidence.starts:
        run = case.attempts.get(start.key)
        if run is None or run.trigger is not Trigger.SCHEDULE or run.attempt > 1:
            continue
        if (run.job_id, run.job_version) in waiting:
            continue  # it waits for another on purpose
        dues = [at for at in clock.true_instants_us(run.due_us or 0) if at <= start.at_us + 20_000]
        if dues:
            yield max(start.at_us - max(dues), 0)


def _waits(job: Job) -> bool:
    """Whether its runs wait for one another, for a slot or for their jitter."""
    return bool(job.overlap is Overlap.QUEUE or job.pool or job.jitter_s or job.after) or (
        job.target.agents != 1
    )


def _recoveries(drill: Drill, case: Case) -> dict[str, list[int]]:
    """For each kind of fault the spans from heal to start; overlapping faults make them longer."""
    spans: dict[str, list[int]] = defaultdict(list)
    starts = sorted(case.evidence.starts, key=lambda start: start.at_us)
    for happening in drill.happenings:
        agent_id = drill.fleet.ids.get(happening.who, "")
        for start in starts:
            if start.at_us >= happening.until_us and agent_id in {"", start.agent_id}:
                spans[happening.fault].append(start.at_us - happening.until_us)
                break
    return dict(spans)


def _quantiles(values: list[int]) -> dict[str, int]:
    if not values:
        return {}
    values.sort()
    places = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        k: values[min(int(len(values) * q), len(values) - 1)] // 1000 for k, q in places.items()
    }


# In words.


def tell(drill: Drill, case: Case, violations: list[Violation]) -> str:
    """The figures, and for a failure its story."""
    told = figures(drill, case)
    lines = [
        f"due times {told.dues}, runs {told.runs}, witnessed starts {told.starts}",
        f"runs: {_counts(told.states)}",
        f"skips: {_counts(told.skips)}",
        f"faults {sum(told.faults.values())}: {_counts(told.faults)}",
        f"lateness: {_spans(told.lateness_ms)}",
        "recovery, from heal to the next start there:",
        *(f"  {fault}: {_spans(spans)}" for fault, spans in sorted(told.recovery_ms.items())),
        f"requests: {_counts(Counter(f'{a.what} {_DONE[a.done]}' for a in drill.requester.acts))}",
    ]
    if violations:
        lines += [f"{len(violations)} promises broken:"]
        lines += [
            f"  {v}" + (f" (run {v.run_id})" if v.run_id else "") for v in violations[:LISTED_MAX]
        ]
        lines += ["story of the first:", *story(drill, case, violations[0])]
    else:
        excused = f"{told.states.get('lost', 0)} lost, each with a fault behind it"
        lines.append(f"0 unrecorded, 0 double, 0 wrong results, 0 false reasons; {excused}")
    return "\n".join(lines)


_DONE: Final = {True: "done", False: "declined", None: "unanswered"}


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _spans(spans: dict[str, int]) -> str:
    return ", ".join(f"{name} {ms} ms" for name, ms in spans.items()) or "none"


def story(drill: Drill, case: Case, violation: Violation) -> list[str]:
    """What is known of the run of a violation, and of the faults around it, in order of time."""
    clock = drill.fleet.clock
    mine = [run for run in case.attempts.values() if run.id == violation.run_id]
    told: list[tuple[int, str]] = []
    for key, account in case.accounts.items():
        if key.rpartition(".")[0] == violation.run_id:
            told += [(at, f"witness: {key} starts") for at in account.started_us]
            told += [(account.last_us, f"witness: {account}")]
    for run in mine:
        for what in ("due_us", "created_us", "dispatched_us", "accepted_us", "started_us"):
            value = getattr(run, what)
            if value is not None:
                at_us = max(clock.true_instants_us(value), default=value - clock.shown_us(0))
                told.append((at_us, f"ledger: attempt {run.attempt} {what} {value}"))
    instants = [at for at, _ in told] or [drill.healed_us]
    for happening in drill.happenings:
        if (
            happening.until_us > min(instants) - AROUND_US
            and happening.from_us < max(instants) + AROUND_US
        ):
            told.append((happening.from_us, f"fault: {happening.name} begins"))
            told.append((happening.until_us, f"fault: {happening.name} is healed"))
    lines = [f"  ledger: {run}" for run in mine]
    lines += [f"  {at / SECOND_US:.3f} {text}" for at, text in sorted(told)]
    return lines[:STORY_LINES_MAX]


def missing(drill: Drill, wanted: list[Fault]) -> list[str]:
    """What cannot happen on this machine, in words."""
    why = {
        Fault.CUT: "no network namespaces (root and `ip netns`)",
        Fault.CUT_ONE_WAY: "no network namespaces (root and `ip netns`)",
        Fault.LOSSY: "no network namespaces, or neither netem nor iptables in them",
        Fault.FULL_DISK: "no right to mount a disk",
        Fault.STEP: "no libfaketime (apt install libfaketime)",
    }
    return [f"{f}: {why.get(f, 'not here')}" for f in wanted if f not in drill.field.faults]


def members() -> str:
    """Who takes part."""
    return f"{COORDINATOR} and agents {', '.join(AGENTS)}"


def happening_line(happening: Happening) -> str:
    """One fault in the list of all."""
    lasted_s = (happening.until_us - happening.from_us) / SECOND_US
    return (
        f"{happening.from_us / SECOND_US:.3f} {happening.name} for {lasted_s:.1f} s {happening.key}"
    )
