"""What holds for many runs at a time, by the words of the jobs: pools, roll-outs, punctuality.

A process is under way from its first word to its last, so what is counted here is never too much.
An attempt that was once lost is left out: its place was free, though it may have gone on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tests.sim.evidence import Violation
from tocsin.instants import SECOND_US
from tocsin.model import TERMINAL, DependencyOn, Job, Run, RunState, SkipReason, Target, Trigger

from .drill import Drill
from .jobs import POOLS
from .ledger import Case
from .witness import Account

GRAIN_US: Final = 20_000
"""Witnesses read a clock of hundredths of a second."""
HEARD_US: Final = 5 * SECOND_US
"""So long a coordinator may not know of an end while nothing is wrong."""


class Span(NamedTuple):
    """A process under way, in true time."""

    from_us: int
    until_us: int
    run: Run


def nothing_starts_early(drill: Drill, case: Case) -> Iterator[Violation]:
    """No process of a due time begins before it."""
    for start in case.evidence.starts:
        run = case.attempts.get(start.key)
        if run is None or run.due_us is None:
            continue
        if drill.fleet.clock.reached_us(run.due_us) > start.at_us + GRAIN_US:
            yield Violation("early", f"began at {start.at_us}, before it was due", run.id)


def pools_are_never_too_full(drill: Drill, case: Case) -> Iterator[Violation]:  # noqa: ARG001
    """No more processes of a pool's jobs are under way than it has slots."""
    jobs = _jobs(case)
    for pool, slots in POOLS.items():
        spans = [span for span in _spans(case) if _pool(jobs, span.run) == pool]
        worst = _fullest(spans)
        if len(worst) > slots:
            keys = ", ".join(run.id for run in worst)
            yield Violation("pool", f"{pool} has {slots} slots, and held {keys}", worst[-1].id)


def _pool(jobs: dict[tuple[int, int], Job], run: Run) -> str:
    job = jobs.get((run.job_id, run.job_version))
    return "" if job is None else job.pool


def roll_outs_go_host_by_host(drill: Drill, case: Case) -> Iterator[Violation]:
    """Bounds, canaries and stops hold in every fire that goes to several agents."""
    jobs = _jobs(case)
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in case.evidence.runs:
        groups[run.group].append(run)
    spans: dict[str, list[Span]] = defaultdict(list)
    for span in _spans(case):
        spans[span.run.group].append(span)
    lost = {loss.key.rpartition(".")[0] for loss in case.evidence.losses}
    for group, runs in groups.items():
        job = jobs.get((runs[0].job_id, runs[0].job_version))
        if job is None or job.target.agents == 1 or lost & {run.id for run in runs}:
            continue
        limit = job.target.max_parallel
        worst = _fullest(spans[group])
        if limit is not None and len(worst) > limit:
            yield Violation("rollout", f"{len(worst)} at a time, not {limit}", worst[-1].id)
        yield from _canaries(job.target, spans[group])
        yield from _stops(drill, job.target, runs)
        yield from _stopped(job.target, runs)


def _canaries(target: Target, spans: list[Span]) -> Iterator[Violation]:
    first: dict[str, Span] = {}
    for span in sorted(spans, key=lambda span: span.from_us):
        first.setdefault(span.run.id, span)
    begun = list(first.values())
    for canary in begun[: target.canary]:
        over_us = max(span.until_us for span in spans if span.run.id == canary.run.id)
        for other in begun[target.canary :]:
            if canary.run.state is not RunState.SUCCEEDED or other.from_us + GRAIN_US < over_us:
                yield Violation("rollout", f"began before canary {canary.run.id}", other.run.id)


def _stops(drill: Drill, target: Target, runs: list[Run]) -> Iterator[Violation]:
    """After so many failures none is begun any more."""
    if target.stop_after is None:
        return
    # Who fails is told of soon, unless somebody is cut off; who is given an order later is wrong.
    good = {RunState.SUCCEEDED, RunState.SKIPPED}
    known = sorted(_known_us(drill, run) for run in runs if run.state not in good)
    if len(known) < target.stop_after:
        return
    for run in runs:
        given = drill.fleet.clock.true_instants_us(run.dispatched_us or 0)
        if run.attempt == 1 and given and min(given) > known[target.stop_after - 1]:
            yield Violation("rollout", f"began after {target.stop_after} failures", run.id)


def _stopped(target: Target, runs: list[Run]) -> Iterator[Violation]:
    """Who was left out because others had failed."""
    failed = [r for r in runs if r.state not in {RunState.SKIPPED, RunState.SUCCEEDED}]
    limit = 1 if target.canary else target.stop_after
    for run in runs:
        if run.reason == SkipReason.STOPPED and (limit is None or len(failed) < limit):
            yield Violation("reason", f"was stopped after {len(failed)} failures", run.id)


def _known_us(drill: Drill, run: Run) -> int:
    clock = drill.fleet.clock
    over = clock.true_instants_us(run.finished_us or 0)
    over += [(run.finished_us or 0) - clock.shown_us(0)]
    until_us = max(over) + HEARD_US
    for happening in drill.happenings:
        if happening.from_us <= until_us and happening.until_us >= max(over) - HEARD_US:
            until_us = max(until_us, happening.until_us + 2 * HEARD_US)
    return until_us


def ends_are_followed(drill: Drill, case: Case) -> Iterator[Violation]:  # noqa: ARG001
    """When a fire has ended as a job without a schedule asks, that job has a record for it."""
    lost = {loss.key.rpartition(".")[0] for loss in case.evidence.losses}
    fires: dict[str, list[Run]] = defaultdict(list)
    for run in case.evidence.runs:
        fires[run.group].append(run)
    followed = {(run.job, run.cause) for run in case.evidence.runs if run.trigger is Trigger.AFTER}
    for term in case.evidence.terms:
        if term.paused or term.job.schedule or len(term.job.after) != 1:
            continue
        before = term.job.after[0]
        for group, members in fires.items():
            if members[0].job != before.job or lost & {run.id for run in members}:
                continue
            ended = _ended(members)
            asked = ended if before.on is DependencyOn.ANY else before.on
            if ended and ended is asked and (term.job.name, group) not in followed:
                yield Violation("after", f"{term.job.name} did not follow", group)


def _ended(members: list[Run]) -> DependencyOn | None:
    """How a fire has ended; a skip is no end, unless a roll-out was stopped before it."""
    ran = [r for r in members if r.state is not RunState.SKIPPED]
    stopped = any(run.reason == SkipReason.STOPPED for run in members)
    if not ran or any(run.state not in TERMINAL for run in ran):
        return None
    good = all(run.state is RunState.SUCCEEDED for run in ran) and not stopped
    return DependencyOn.SUCCESS if good else DependencyOn.FAILURE


def _jobs(case: Case) -> dict[tuple[int, int], Job]:
    return {(term.job_id, term.version): term.job for term in case.evidence.terms if term.version}


def _spans(case: Case) -> Iterator[Span]:
    lost = {loss.key for loss in case.evidence.losses}
    runs = {run.id: run for run in case.evidence.runs}
    for key, account in case.accounts.items():
        run = runs.get(key.rpartition(".")[0])
        if run is not None and account.started_us and key not in lost:
            yield Span(account.started_us[0], _last_us(account), run)


def _last_us(account: Account) -> int:
    ends = [account.end[0]] if account.end is not None else []
    ends += [account.term_us] if account.term_us is not None else []
    return min(ends, default=account.last_us)


def _fullest(spans: Iterable[Span]) -> list[Run]:
    """The most that were under way at one instant."""
    steps = [(span.from_us, 1, span) for span in spans] + [
        (span.until_us, 0, span) for span in spans
    ]
    under_way: dict[int, Span] = {}
    worst: list[Run] = []
    for _, begins, span in sorted(steps, key=lambda step: step[:2]):
        if begins and span.until_us > span.from_us:
            under_way[id(span)] = span
        elif not begins:
            under_way.pop(id(span), None)
        if len(under_way) > len(worst):
            worst = [each.run for each in under_way.values()]
    return worst
