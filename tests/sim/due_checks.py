"""One record for each due time, and its true reason: the promise as questions to the evidence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tocsin.model import MissedPolicy, Overlap, Run, RunState, SkipReason, Trigger

from .evidence import Evidence, Term, Violation
from .oracle import dues_us
from .upkeep import OF_AGENTS, holds, is_blacked_out, is_of_job


def due_times_have_one_record(evidence: Evidence) -> Iterator[Violation]:
    """Each due time of active time has one record, and no record is without a due time."""
    records: dict[tuple[int, int], set[str]] = defaultdict(set)
    for run in evidence.runs:
        covered = list(_covered(evidence, run))
        if run.due_us is not None and len(covered) != run.dues:
            message = f"stands for {run.dues} due times, and {len(covered)} were due"
            yield Violation("due", message, run.id)
        for due_us in covered:
            records[run.job_id, due_us].add(run.group)
    for (job_id, due_us), groups in records.items():
        if len(groups) > 1:
            message = f"job {job_id} has {len(groups)} records for {due_us}"
            yield Violation("due", message, max(groups))
    for term in evidence.terms:
        if term.until_us is None:
            continue
        for due_us in dues_us(term.job.schedule, term.after_us, term.until_us):
            if (term.job_id, due_us) not in records and term.job.enabled:
                yield Violation("due", f"job {term.job.name} has no record for {due_us}")


def _covered(evidence: Evidence, run: Run) -> Iterator[int]:
    """The due times that a run is the record of."""
    if run.due_us is None:
        return
    last_us = run.due_us if run.due_last_us is None else run.due_last_us
    for term in evidence.terms:
        if term.job_id == run.job_id:
            for due_us in dues_us(term.job.schedule, run.due_us - 1, last_us):
                if _within(term, due_us):
                    yield due_us


def _within(term: Term, due_us: int) -> bool:
    after = term.after_us < due_us
    return after and (term.until_us is None or due_us <= term.until_us) and term.job.enabled


def skips_have_true_reasons(evidence: Evidence) -> Iterator[Violation]:
    """A skip says why, and the reason is one that its job can have."""
    terms = {(term.job_id, term.version): term for term in evidence.terms}
    others = Counter(run.job_id for run in evidence.runs)
    for run in evidence.runs:
        term = terms.get((run.job_id, run.job_version))
        if term is None:
            yield Violation("reason", "its job had no such version", run.id)
        elif run.state is RunState.SKIPPED and not _may_skip(run, term, evidence, others):
            yield Violation("reason", f"cannot have been skipped because of {run.reason}", run.id)


def _may_skip(run: Run, term: Term, evidence: Evidence, others: Counter[int]) -> bool:
    match run.reason:
        case SkipReason.PAUSED:
            return _was_paused(run, term, evidence)
        case SkipReason.BLACKOUT:
            return is_blacked_out(term.job, run.created_us if run.due_us is None else run.due_us)
        case SkipReason.OVERLAP:
            return others[run.job_id] > 1 and term.job.overlap in {Overlap.SKIP, Overlap.QUEUE}
        case SkipReason.MISSED:
            return run.due_us is not None
        case SkipReason.CATCHUP_LIMIT:
            return run.due_us is not None and term.job.missed.policy is MissedPolicy.ALL
        case SkipReason.NO_AGENT:
            return run.started_us is None
        case SkipReason.DEPENDENCY:
            return run.due_us is not None and bool(term.job.after)
        case SkipReason.STOPPED:
            return term.job.target.agents != 1 and bool(run.facts.get("failed"))
        case _:
            return False


def _was_paused(run: Run, term: Term, evidence: Evidence) -> bool:
    last_us = run.due_last_us or run.due_us or 0
    if str(run.facts.get("scope", "")).partition(" ")[0] in OF_AGENTS:
        return any(pause.scope in OF_AGENTS for pause in evidence.pauses)
    spans = [t for t in evidence.terms if t.job_id == run.job_id and t.paused]
    if run.trigger is Trigger.AFTER:
        return bool(spans) or any(is_of_job(pause, term.job) for pause in evidence.pauses)
    if any(_within(span, last_us) for span in spans):
        return True
    return any(holds(pause, term.job, last_us) for pause in evidence.pauses)


def blackouts_hold(evidence: Evidence) -> Iterator[Violation]:
    """No due time in a blackout gets a run."""
    terms = {(term.job_id, term.version): term for term in evidence.terms}
    for run in evidence.runs:
        term = terms.get((run.job_id, run.job_version))
        if run.due_us is None or term is None or run.reason == SkipReason.PAUSED:
            continue
        if is_blacked_out(term.job, run.due_us) and run.reason != SkipReason.BLACKOUT:
            yield Violation("blackout", f"is {run.state}, though its job is blacked out", run.id)


def groups_are_whole(evidence: Evidence) -> Iterator[Violation]:
    """The runs of one fire are for the same due time, numbered, and on different agents."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in evidence.runs:
        groups[run.group].append(run)
    for runs in groups.values():
        first = runs[0]
        if sorted(run.slot for run in runs) != list(range(len(runs))):
            yield Violation("group", "its group is not numbered", first.id)
        if any((run.job_id, run.due_us) != (first.job_id, first.due_us) for run in runs):
            yield Violation("group", "its group is for several due times", first.id)
        pins = [run.pin for run in runs]
        if len(runs) > 1 and len(set(pins)) != len(pins):
            yield Violation("group", "two of its group are for the same agent", first.id)
