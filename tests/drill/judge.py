"""Judges a drill: the simulator's checker, and what only a ledger with its instants can tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Final

from tests.sim import checker
from tests.sim.evidence import Evidence, Term, Violation
from tests.sim.monitor import DECIDED_AT_ONCE, NOT_OF_POLICY, is_for_agents
from tests.sim.oracle import dues_us
from tests.sim.policies import Debt, expected
from tests.sim.upkeep import is_blacked_out, is_of_job
from tocsin.instants import SECOND_US
from tocsin.model import Incident, IncidentKind, Pause, Run, RunState, Scope, SkipReason, Trigger

from .drill import Drill
from .faults import Fault, Happening
from .fleetwide import (
    ends_are_followed,
    nothing_starts_early,
    pools_are_never_too_full,
    roll_outs_go_host_by_host,
)
from .ledger import BackAgain, Case
from .members import COORDINATOR
from .requester import paused_surely

EDGE_US: Final = SECOND_US
"""So long before and after a request is answered it may have been decided."""
OVERLAP_SLACK_US: Final = 5 * SECOND_US
"""An agent's word that a run is over may take so long, without any fault."""


def judge(drill: Drill, case: Case) -> list[Violation]:
    """Every broken promise."""
    violations = [*drill.violations, *drill.requester.violations, *drill.watcher.violations]
    violations += checker.check(case.evidence)
    if not case.evidence.starts:
        violations.append(Violation("live", "nothing was run"))
    for ask in ASKED:
        violations += ask(drill, case)
    return violations


def verdicts_follow_the_policy(drill: Drill, case: Case) -> Iterator[Violation]:  # noqa: ARG001
    """The due times of a job that were decided together got what its `missed` policy owes them."""
    terms = _definitions(case.evidence)
    together: dict[tuple[int, int], list[Run]] = defaultdict(list)
    for run in case.evidence.runs:
        if run.due_us is not None and run.slot == 0:
            together[run.job_id, run.created_us].append(run)
    for (job_id, created_us), runs in together.items():
        term = terms.get((job_id, runs[0].job_version))
        if term is None:
            continue
        verdicts = dict(_verdicts(term, runs))
        if len(verdicts) >= DECIDED_AT_ONCE or any(r.job_version != term.version for r in runs):
            continue
        owed = expected(Debt(term.job, _barred(term, verdicts), sorted(verdicts), created_us))
        if verdicts != owed:
            wrong = {due: (verdicts[due], owed[due]) for due in owed if owed[due] != verdicts[due]}
            message = f"(decided, owed) at {created_us}: {wrong}"
            yield Violation("reason", message, runs[0].id)


def _definitions(evidence: Evidence) -> dict[tuple[int, int], Term]:
    return {(term.job_id, term.version): term for term in evidence.terms if term.version}


def _verdicts(term: Term, runs: list[Run]) -> Iterator[tuple[int, str]]:
    for run in runs:
        assert run.due_us is not None
        skipped = run.state is RunState.SKIPPED
        is_fire = not skipped or run.reason in _SERVED or is_for_agents(run)
        for due_us in dues_us(term.job.schedule, run.due_us - 1, run.due_last_us or run.due_us):
            yield due_us, "fire" if is_fire else run.reason


_SERVED: Final = NOT_OF_POLICY | {SkipReason.STOPPED}
"""Reasons of due times that were to be served, and then were not."""


def _barred(term: Term, verdicts: dict[int, str]) -> dict[int, str]:
    """The due times with which no policy has to do."""
    # Whether the job may have been paused then, the checker asks; whether it surely was not, too.
    paused = {due: reason for due, reason in verdicts.items() if reason == SkipReason.PAUSED}
    dark = {due: SkipReason.BLACKOUT for due in verdicts if is_blacked_out(term.job, due)}
    return {**dark, **paused}


def _surely_paused(drill: Drill, name: str) -> list[tuple[int, int]]:
    """Spans of the coordinator's wall clock in which a job was paused beyond doubt."""
    clock = drill.fleet.clock
    spans = []
    for from_us, until_us in paused_surely(drill.requester.acts, name):
        until_us = min(until_us, drill.stopped_us)
        if not clock.steps_between(from_us - EDGE_US, until_us + EDGE_US):
            spans.append((clock.shown_us(from_us), clock.shown_us(until_us)))
    return spans


def paused_jobs_start_nothing(drill: Drill, case: Case) -> Iterator[Violation]:
    """Nothing that falls due while a job is paused beyond doubt is run."""
    kept = list(_surely_kept(drill))
    jobs = _definitions(case.evidence)
    for run in case.evidence.runs:
        if run.due_us is None or run.state is RunState.SKIPPED:
            continue
        term = jobs.get((run.job_id, run.job_version))
        spans = _surely_paused(drill, run.job)
        spans += [k[1:] for k in kept if term is not None and is_of_job(k[0], term.job)]
        for low, high in spans:
            if low + EDGE_US < run.due_us < high - EDGE_US and run.created_us > low + EDGE_US:
                yield Violation("paused", f"was due at {run.due_us}, in a pause", run.id)


def paused_agents_get_nothing(drill: Drill, case: Case) -> Iterator[Violation]:
    """No order is given to an agent while it is paused beyond doubt."""
    kept = [k for k in _surely_kept(drill) if k[0].scope is Scope.AGENT]
    for run in case.attempts.values():
        for pause, low, high in kept:
            inside = low + EDGE_US < (run.dispatched_us or 0) < high - EDGE_US
            if inside and fnmatchcase(run.agent, pause.value):
                yield Violation("paused", f"was given to {run.agent}, which is paused", run.id)


def _surely_kept(drill: Drill) -> Iterator[tuple[Pause, int, int]]:
    """Maintenance, and between which readings of the coordinator's clock it surely was."""
    clock = drill.fleet.clock
    for act in drill.requester.acts:
        end_us = act.from_us + round(act.seconds * SECOND_US)
        if act.what != "maintain" or not act.done or end_us <= act.until_us:
            continue
        if not clock.steps_between(act.from_us - EDGE_US, end_us + EDGE_US):
            pause = Pause(id="", scope=act.scope, value=act.name, since_us=0)
            yield pause, clock.shown_us(act.until_us), clock.shown_us(end_us)


def overlaps_have_another_run(drill: Drill, case: Case) -> Iterator[Violation]:
    """Who is skipped because of an earlier run had one that was not over."""
    runs: dict[int, list[Run]] = defaultdict(list)
    for run in case.evidence.runs:
        if run.state is not RunState.SKIPPED or run.reason == SkipReason.NO_AGENT:
            runs[run.job_id].append(run)
    for run in case.evidence.runs:
        if run.state is RunState.SKIPPED and run.reason == SkipReason.OVERLAP:
            others = [r for r in runs[run.job_id] if r.group != run.group]
            if not any(_was_open(drill, other, run.created_us) for other in others):
                yield Violation("reason", "there was no earlier run to overlap with", run.id)


def _was_open(drill: Drill, run: Run, at_us: int) -> bool:
    # Instants on either side of a step of the clock cannot be compared as they stand.
    clock = drill.fleet.clock
    begun_us = min(clock.true_instants_us(run.created_us), default=0)
    over = [1 << 62]
    if run.finished_us is not None:
        # Agents say when a process ended, and theirs is the machine's own clock.
        over = [*clock.true_instants_us(run.finished_us), run.finished_us - clock.shown_us(0)]
    known_us = _known_us(drill, run.agent, max(over))
    return any(begun_us <= at <= known_us for at in clock.true_instants_us(at_us))


def _known_us(drill: Drill, agent: str, ended_us: int) -> int:
    """Until when the coordinator may not know yet that a process of an agent has ended."""
    back_us = BackAgain(drill)
    until_us = ended_us + OVERLAP_SLACK_US
    for happening in drill.happenings:
        concerns = happening.who in {agent, COORDINATOR}
        begins = happening.from_us <= until_us
        if concerns and begins and happening.until_us >= ended_us - OVERLAP_SLACK_US:
            back_at_us = back_us(happening.who, happening.until_us)
            until_us = max(until_us, back_at_us + OVERLAP_SLACK_US)
    return until_us


def misses_have_a_cause(drill: Drill, case: Case) -> Iterator[Violation]:
    """A due time is missed only because the coordinator could not act on it."""
    clock = drill.fleet.clock
    for run in case.evidence.runs:
        if run.state is not RunState.SKIPPED or run.reason not in _LATE_REASONS:
            continue
        due_us = clock.reached_us(run.due_us or 0)
        decided = [at for at in clock.true_instants_us(run.created_us) if at >= due_us - EDGE_US]
        if not any(_had_cause(drill, due_us, at) for at in decided):
            yield Violation("reason", "was missed without a cause", run.id)


_NO_ROOM: Final = frozenset({Fault.FULL_DISK, Fault.LOCK_STORE})
_LATE_REASONS: Final = frozenset({SkipReason.MISSED, SkipReason.CATCHUP_LIMIT})
_MUTE: Final = frozenset(
    {
        Fault.KILL_COORDINATOR, Fault.FREEZE_COORDINATOR, Fault.TERMINATE, Fault.FULL_DISK,
        Fault.LOCK_STORE, Fault.STEP,
    }
)  # fmt: skip


def _had_cause(drill: Drill, from_us: int, until_us: int) -> bool:
    exits = [e.at_us for e in drill.exits if e.who == COORDINATOR]
    return any(
        happening.fault in _MUTE
        and happening.who == COORDINATOR
        and happening.from_us <= until_us + EDGE_US
        and happening.until_us + OVERLAP_SLACK_US >= from_us
        for happening in drill.happenings
    ) or any(from_us - OVERLAP_SLACK_US <= at <= until_us + EDGE_US for at in exits)


def incidents_have_happened(drill: Drill, case: Case) -> Iterator[Violation]:
    """What is said to have befallen the coordinator's time is what was done to it."""
    for incident in case.incidents:
        if not any(_was(drill, incident, happening) for happening in drill.happenings):
            yield Violation("incident", f"never happened: {incident}")


def _was(drill: Drill, incident: Incident, happening: Happening) -> bool:
    if happening.who != COORDINATOR or happening.fault not in _BEFELL[incident.kind]:
        return False
    if incident.kind is IncidentKind.STEP:
        by_us = abs(happening.amount) * SECOND_US
        return abs(abs(incident.amount_us) - by_us) <= STEP_SLACK_US
    low, high = happening.from_us - EDGE_US, happening.until_us + NOTICED_US
    return any(low <= at <= high for at in drill.fleet.clock.true_instants_us(incident.until_us))


NOTICED_US: Final = 15 * SECOND_US
"""A coordinator is at work again so soon after it may be."""
STEP_SLACK_US: Final = SECOND_US * 3 // 2
_BEFELL: Final[dict[IncidentKind, frozenset[Fault]]] = {
    IncidentKind.DOWN: frozenset({Fault.KILL_COORDINATOR, Fault.TERMINATE, *_NO_ROOM}),
    IncidentKind.STEP: frozenset({Fault.STEP}),
    IncidentKind.STALL: frozenset({Fault.FREEZE_COORDINATOR, *_NO_ROOM}),
    IncidentKind.SUSPEND: frozenset(),
    IncidentKind.ZONES: frozenset(),
    IncidentKind.RESTORE: frozenset(),
}


def members_end_for_a_reason(drill: Drill, case: Case) -> Iterator[Violation]:  # noqa: ARG001 - one signature for all
    """No member ends by itself, unless its disk is full or its store is locked as it starts."""
    for ended in drill.exits:
        if not any(
            happening.fault in {Fault.FULL_DISK, Fault.LOCK_STORE}
            and happening.who == ended.who
            and happening.from_us <= ended.at_us <= happening.until_us + OVERLAP_SLACK_US
            for happening in drill.happenings
        ):
            at_s = ended.at_us / SECOND_US
            yield Violation("crash", f"{ended.who} ended by itself at {at_s:.3f} with {ended.code}")


def triggers_say_whether_it_was_late(drill: Drill, case: Case) -> Iterator[Violation]:  # noqa: ARG001
    """A run of a due time that is served late is a catch-up, and no other is."""
    for run in case.evidence.runs:
        if run.due_us is None or run.state is RunState.SKIPPED:
            continue
        late = run.created_us - run.due_us > 10 * SECOND_US
        if (run.trigger is Trigger.CATCHUP) is not late:
            yield Violation("reason", f"is {run.trigger}, late: {late}", run.id)


Asked = Callable[[Drill, Case], Iterator[Violation]]
ASKED: Final[list[Asked]] = [
    verdicts_follow_the_policy,
    paused_jobs_start_nothing,
    paused_agents_get_nothing,
    overlaps_have_another_run,
    misses_have_a_cause,
    incidents_have_happened,
    members_end_for_a_reason,
    triggers_say_whether_it_was_late,
    nothing_starts_early,
    pools_are_never_too_full,
    ends_are_followed,
    roll_outs_go_host_by_host,
]
