"""The checker finds nothing in a sound history, and every fault in one that was spoilt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from msgspec.structs import replace

from tocsin.audit_chain import seal
from tocsin.execution import AttemptKey
from tocsin.messages.client_answers import OutputPiece
from tocsin.model import (
    AuditEntry,
    Blackout,
    Dependency,
    OnLost,
    Run,
    RunState,
    SkipReason,
    Trigger,
)

from .acts import Act
from .checker import check
from .evidence import Ending, Evidence, Excuse, Loss, Term
from .oracle import SECOND_US
from .plan import Fault, make_plan
from .world import run_world

SEED = 166
"""Its jobs retry, print, overlap, are paused and removed; without faults nothing else happens."""


@pytest.fixture(scope="module")
def history() -> Evidence:
    """The evidence of a whole small world in which nothing went wrong."""
    judged = run_world(make_plan(SEED, list(Fault))).judged
    assert judged is not None
    return judged


@pytest.fixture
def evidence(history: Evidence) -> Evidence:
    """That evidence, to be spoilt."""
    return deepcopy(history)


def _at(evidence: Evidence, fits: Callable[[Run], bool]) -> int:
    return next(i for i, run in enumerate(evidence.runs) if fits(run))


def _change(evidence: Evidence, fits: Callable[[Run], bool], **fields: Any) -> None:
    index = _at(evidence, fits)
    evidence.runs[index] = replace(evidence.runs[index], **fields)


def _succeeded(run: Run) -> bool:
    return run.state is RunState.SUCCEEDED


def _skipped(run: Run) -> bool:
    return run.state is RunState.SKIPPED


def _key(run: Run) -> AttemptKey:
    return AttemptKey(f"{run.id}.{run.attempt}")


def _term(evidence: Evidence, run: Run) -> Term:
    return next(t for t in evidence.terms if (t.job_id, t.version) == (run.job_id, run.job_version))


# The ways to spoil it.


def forget_an_act(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    evidence.acts.append(Act("remove job", "job-1", "user"))


def audit_what_was_not_done(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    evidence.acts.pop()


def blame_somebody_else(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    entries = [replace(entry, by="bob") for entry in evidence.audit]
    evidence.audit = [*_chained(entries)]


def alter_an_entry(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    evidence.audit[0] = replace(evidence.audit[0], at_us=0)


def cut_out_an_entry(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    del evidence.audit[1]


def _chained(entries: list[AuditEntry]) -> Iterator[AuditEntry]:
    digest = ""
    for entry in entries:
        sealed = seal(entry, entry.number, digest)
        digest = sealed.digest
        yield sealed


def drop_a_record(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    del evidence.runs[_at(evidence, _skipped)]


def double_a_record(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    skip = evidence.runs[_at(evidence, _skipped)]
    evidence.runs.append(replace(skip, id="copy", group="copy"))


def record_what_was_not_due(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    skip = evidence.runs[_at(evidence, _skipped)]
    assert skip.due_us is not None
    evidence.runs.append(replace(skip, id="new", group="new", due_us=skip.due_us + 1))


def stand_for_too_many(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _skipped, dues=2)


def give_a_request_a_due_time(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _succeeded, trigger=Trigger.MANUAL)


def give_a_false_reason(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, lambda r: r.reason == SkipReason.OVERLAP, reason=SkipReason.PAUSED)


def claim_a_blackout(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(
        evidence,
        lambda run: _skipped(run) and not _term(evidence, run).job.blackout,
        reason=SkipReason.BLACKOUT,
    )


def run_in_a_blackout(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    ran = evidence.runs[_at(evidence, lambda run: _succeeded(run) and run.due_us is not None)]
    for term in evidence.terms:
        if (term.job_id, term.version) == (ran.job_id, ran.job_version):
            term.job = replace(term.job, blackout=[Blackout(start="23:59", end="23:58")])


def give_an_unknown_reason(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _skipped, reason="it rained")


def limit_a_catch_up_that_was_none(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(
        evidence,
        lambda r: _skipped(r) and _term(evidence, r).job.missed.policy != "all",
        reason=SkipReason.CATCHUP_LIMIT,
    )


def tear_a_group(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, lambda r: r.slot == 1, slot=2)


def pin_a_group_to_one_agent(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    index = _at(evidence, lambda r: r.slot == 1)
    group = evidence.runs[index].group
    first = evidence.runs[_at(evidence, lambda r: r.group == group and r.slot == 0)]
    evidence.runs[index] = replace(evidence.runs[index], pin=first.pin)


def start_twice(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    evidence.starts.append(evidence.starts[0])


def start_without_a_record(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    evidence.starts.append(replace(evidence.starts[0], key=AttemptKey("nobody.1")))


def start_again_what_was_lost(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    index = next(
        i
        for i, attempt in enumerate(evidence.attempts)
        if _term(evidence, attempt).job.on_lost is OnLost.REPORT
    )
    evidence.attempts[index] = replace(evidence.attempts[index], state=RunState.LOST)


def begin_a_retry_too_early(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    first = _key(evidence.attempts[0])
    for index, end in enumerate(evidence.ends):
        if end.key == first:
            evidence.ends[index] = replace(end, at_us=end.at_us + 3600 * SECOND_US)


def swap_an_exit_code(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _succeeded, exit_code=3)


def succeed_what_failed(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, lambda r: r.state is RunState.FAILED, state=RunState.SUCCEEDED)


def succeed_without_an_end(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    key = _key(evidence.runs[_at(evidence, _succeeded)])
    evidence.ends = [end for end in evidence.ends if end.key != key]


def succeed_without_a_start(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    key = _key(evidence.runs[_at(evidence, _succeeded)])
    evidence.starts = [start for start in evidence.starts if start.key != key]


def skip_what_started(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _succeeded, state=RunState.SKIPPED, reason=SkipReason.NO_AGENT)


def time_out_what_exited(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _succeeded, state=RunState.TIMED_OUT)


def leave_a_run_open(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _succeeded, state=RunState.RUNNING, finished_us=None)


def leave_something_behind(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    evidence.leftovers.append("agent-0 still holds R1.1")


def overlap(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    runs = [
        run
        for run in evidence.runs
        if run.attempt == 1 and _succeeded(run) and _term(evidence, run).job.overlap != "allow"
    ]
    one, other = next(
        (a, b) for a in runs for b in runs if a.job_id == b.job_id and a.group != b.group
    )
    starts = {start.key: start for start in evidence.starts}
    moved = replace(starts[_key(other)], at_us=starts[_key(one)].at_us + 1)
    evidence.starts = [s for s in evidence.starts if s.key != moved.key] + [moved]


def send_after_a_removal(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    run = evidence.runs[_at(evidence, lambda r: _succeeded(r) and r.attempt == 1)]
    evidence.removed_us[run.job_id] = evidence.ordered_us[_key(run)] - 1


def rule_twice_in_one_epoch(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    evidence.epochs = [1, 2, 2]


def go_back_to_an_epoch(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    last = max(range(len(evidence.starts)), key=lambda i: evidence.starts[i].at_us)
    evidence.starts[last] = replace(evidence.starts[last], epoch=0)


def lose_without_a_cause(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    loss = Loss(AttemptKey("R1.1"), "agent-0", "its agent has not been heard of since", 5, 9)
    evidence.losses.append(loss)
    evidence.excuses.append(Excuse("absent", "agent-1", 0, 10))


def lose_memory_by_absence(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    loss = Loss(AttemptKey("R1.1"), "agent-0", "the agent has lost its memory of it", 5, 9)
    evidence.losses.append(loss)
    evidence.excuses.append(Excuse("absent", "agent-0", 0, 10))


def _piece(evidence: Evidence, **fields: Any) -> None:
    run_id, pieces = next((k, p) for k, p in sorted(evidence.output.items()) if len(p) > 1)
    evidence.output[run_id] = [*pieces[:-1], replace(pieces[-1], **fields)]


def truncate_output(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    run_id, pieces = next((k, p) for k, p in sorted(evidence.output.items()) if len(p) > 1)
    evidence.output[run_id] = pieces[:-1]


def store_output_twice(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    run_id, pieces = next((k, p) for k, p in sorted(evidence.output.items()) if len(p) > 1)
    again: OutputPiece = replace(pieces[-1], position=len(pieces) + 1)
    evidence.output[run_id] = [*pieces, again]


def leave_a_hole_in_output(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _piece(evidence, offset=10_000)


def number_output_wrongly(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _piece(evidence, position=99)


def garble_output(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    run_id, pieces = next((k, p) for k, p in sorted(evidence.output.items()) if p)
    evidence.output[run_id] = [replace(pieces[0], data=b"#" + pieces[0].data[1:]), *pieces[1:]]


def undo_a_change(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    name, (job, paused) = next(iter(evidence.jobs.items()))
    evidence.jobs[name] = (job, not paused)


def forget_the_jobs(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    evidence.jobs.clear()


def begin_by_nobodys_end(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _succeeded, trigger=Trigger.AFTER, cause="nobody")


def begin_twice_by_one_end(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    cause = evidence.runs[_at(evidence, _succeeded)]
    ran = evidence.runs[_at(evidence, lambda r: _succeeded(r) and r.job_id != cause.job_id)]
    for term in evidence.terms:
        if term.job_id == ran.job_id:
            term.job = replace(term.job, after=[Dependency(job=cause.job)])
    fired = replace(ran, trigger=Trigger.AFTER, cause=cause.group, due_us=None)
    evidence.runs += [replace(fired, id=name, group=name) for name in ("one", "other")]


def come_after_nobody(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    job, paused = next(iter(evidence.jobs.values()))
    evidence.jobs[job.name] = replace(job, after=[Dependency(job="nobody")]), paused


def repeat_elsewhere(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    run = evidence.runs[_at(evidence, lambda r: _succeeded(r) and r.agent_id != "")]
    again = replace(run, id="new", group="new", trigger=Trigger.RETRY, due_us=None)
    evidence.runs.append(replace(again, cause=run.group, pin="elsewhere"))


def lose_a_parameter(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    ran = evidence.runs[_at(evidence, _succeeded)]
    term = _term(evidence, ran)
    term.job = replace(term.job, params={**term.job.params, "one_more": "7"})


def stop_what_nothing_stopped(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _skipped, reason=SkipReason.STOPPED, facts={})


def give_up_too_early(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    failed = evidence.runs[_at(evidence, lambda r: r.state is RunState.FAILED)]
    term = _term(evidence, failed)
    term.job = replace(term.job, retry=replace(term.job.retry, limit=failed.attempt))


def miscount_launch_failures(evidence: Evidence) -> None:  # noqa: D103 - its name says it
    _change(evidence, _succeeded, launch_failures=1)


SPOILT: dict[str, list[Callable[[Evidence], None]]] = {
    "due": [
        drop_a_record,
        double_a_record,
        record_what_was_not_due,
        stand_for_too_many,
        give_a_request_a_due_time,
    ],
    "reason": [
        give_a_false_reason,
        claim_a_blackout,
        give_an_unknown_reason,
        limit_a_catch_up_that_was_none,
        stop_what_nothing_stopped,
    ],
    "attempts": [give_up_too_early, miscount_launch_failures],
    "blackout": [run_in_a_blackout],
    "group": [tear_a_group, pin_a_group_to_one_agent],
    "once": [
        start_twice,
        start_without_a_record,
        start_again_what_was_lost,
        begin_a_retry_too_early,
    ],
    "truth": [
        swap_an_exit_code,
        succeed_what_failed,
        succeed_without_an_end,
        succeed_without_a_start,
        skip_what_started,
        time_out_what_exited,
    ],
    "over": [leave_a_run_open, leave_something_behind],
    "overlap": [overlap],
    "removed": [send_after_a_removal],
    "epoch": [rule_twice_in_one_epoch, go_back_to_an_epoch],
    "lost": [lose_without_a_cause, lose_memory_by_absence],
    "output": [
        truncate_output,
        store_output_twice,
        leave_a_hole_in_output,
        number_output_wrongly,
        garble_output,
    ],
    "audit": [
        forget_an_act,
        audit_what_was_not_done,
        blame_somebody_else,
        alter_an_entry,
        cut_out_an_entry,
    ],
    "client": [undo_a_change, forget_the_jobs],
    "after": [begin_by_nobodys_end, begin_twice_by_one_end, come_after_nobody],
    "retry": [repeat_elsewhere],
    "params": [lose_a_parameter],
}


def test_a_sound_history_has_no_violations(evidence: Evidence) -> None:
    """What a world without faults left behind keeps every promise."""
    assert check(evidence) == []
    assert {end.ending for end in evidence.ends} >= {Ending.EXIT, Ending.TIMEOUT}
    assert evidence.attempts


@pytest.mark.parametrize(
    ("invariant", "spoil"),
    [(invariant, spoil) for invariant, ways in SPOILT.items() for spoil in ways],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_spoilt_history_is_flagged(
    evidence: Evidence, invariant: str, spoil: Callable[[Evidence], None]
) -> None:
    """Each kind of broken promise is found, and called by its name."""
    spoil(evidence)

    assert invariant in {violation.invariant for violation in check(evidence)}
