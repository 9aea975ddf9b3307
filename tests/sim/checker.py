"""The promises, each as a question to the evidence; see `evidence` for what is judged.

Nothing here knows how the product works: due times come from `oracle`, starts and ends from the
jobs themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from tocsin.execution import AttemptKey, split_key
from tocsin.model import (
    TERMINAL,
    DependencyOn,
    Job,
    OnLost,
    Overlap,
    Run,
    RunState,
    Trigger,
)

from .acts import faults
from .due_checks import (
    blackouts_hold,
    due_times_have_one_record,
    groups_are_whole,
    skips_have_true_reasons,
)
from .evidence import End, Ending, Evidence, Excuse, Loss, Start, Violation

Check = Callable[[Evidence], Iterator[Violation]]
RAN: Final = {
    RunState.SUCCEEDED: Ending.EXIT,
    RunState.FAILED: Ending.EXIT,
    RunState.TIMED_OUT: Ending.TIMEOUT,
    RunState.CANCELLED: Ending.CANCEL,
}
"""How a process ended, for each state that says it ran."""


def check(evidence: Evidence) -> list[Violation]:
    """Every broken promise."""
    return [violation for ask in CHECKS for violation in ask(evidence)]


# Starts and ends.


def all_attempts(evidence: Evidence) -> dict[AttemptKey, Run]:
    """Every attempt of the ledger, by its key."""
    runs = [*evidence.attempts, *evidence.runs]
    return {AttemptKey(f"{run.id}.{run.attempt}"): run for run in runs}


def starts_are_recorded_and_single(evidence: Evidence) -> Iterator[Violation]:
    """No attempt starts twice, none starts that has no record, and lost ones stay single."""
    attempts = all_attempts(evidence)
    lost = {key for key, run in attempts.items() if run.state is RunState.LOST}
    times = Counter(start.key for start in evidence.starts)
    for key, count in times.items():
        run_id, number = split_key(key)
        run = attempts.get(key)
        if count > 1:
            yield Violation("once", f"attempt {key} started {count} times", run_id)
        if run is None:
            yield Violation("once", f"attempt {key} started and has no record", run_id)
        elif number > 1 and AttemptKey(f"{run_id}.{number - 1}") in lost:
            job = _job_of(evidence, run)
            if job is not None and job.on_lost is OnLost.REPORT:
                yield Violation("once", "started again, though it may have run", run_id)


def attempts_follow_each_other(evidence: Evidence) -> Iterator[Violation]:
    """The next attempt of a run starts when the one before it is over, unless that was lost."""
    lost = {loss.key for loss in evidence.losses}
    ended = {end.key: end.at_us for end in evidence.ends}
    started = {start.key: start.at_us for start in evidence.starts}
    for key, at_us in started.items():
        run_id, number = split_key(key)
        before = AttemptKey(f"{run_id}.{number - 1}")
        if before in started and before not in lost and ended.get(before, at_us + 1) > at_us:
            yield Violation("once", f"attempt {number} began before the one before ended", run_id)


def _job_of(evidence: Evidence, run: Run) -> Job | None:
    for term in evidence.terms:
        if (term.job_id, term.version) == (run.job_id, run.job_version):
            return term.job
    return None


def states_match_witnesses(evidence: Evidence) -> Iterator[Violation]:
    """What the ledger says of an attempt's end is what the attempt itself saw."""
    starts = {start.key: start for start in evidence.starts}
    ends = {end.key: end for end in evidence.ends}
    for key, run in all_attempts(evidence).items():
        message = _mismatch(run, starts.get(key), ends.get(key))
        if message:
            yield Violation("truth", f"is {run.state} with {run.exit_code}, but {message}", run.id)


def _mismatch(run: Run, start: Start | None, end: End | None) -> str:
    if run.state in {RunState.SKIPPED, RunState.REFUSED} and start is not None:
        return "it started"
    if run.state not in RAN:
        return ""
    if start is None:
        may_not_start = run.state in {RunState.CANCELLED, RunState.TIMED_OUT}
        if run.started_us is not None or not may_not_start:
            return "it never started"
        return ""
    if end is None:
        return "it never ended"
    if end.ending is not RAN[run.state]:
        return f"it ended by {end.ending}"
    if end.ending is Ending.EXIT:
        return _wrong_exit(run, end)
    return ""


def _wrong_exit(run: Run, end: End) -> str:
    if run.exit_code != end.exit_code or (end.exit_code == 0) != (run.state == "succeeded"):
        return f"it exited with {end.exit_code}"
    return ""


def retries_are_used_up(evidence: Evidence) -> Iterator[Violation]:
    """A run fails when its retries are used up; attempts that never began use up none."""
    refused: Counter[str] = Counter()
    for attempt in evidence.attempts:
        refused[attempt.id] += attempt.state is RunState.REFUSED
    for run in evidence.runs:
        job = _job_of(evidence, run)
        never_sent = run.dispatched_us is None
        if job is None or run.cancel_requested or (run.state is RunState.REFUSED and never_sent):
            continue
        last = run.state is RunState.REFUSED
        if run.launch_failures != refused[run.id] + last:
            yield Violation("attempts", f"counts {run.launch_failures} launch failures", run.id)
        if last and refused[run.id] != LAUNCHES_AGAIN:
            yield Violation("attempts", f"gave up after {refused[run.id] + 1} refusals", run.id)
        began = run.attempt - refused[run.id]
        if run.state in {RunState.FAILED, RunState.TIMED_OUT} and began <= job.retry.limit:
            yield Violation("attempts", f"gave up after {began} attempts", run.id)


LAUNCHES_AGAIN: Final = 3
"""So many attempts that were refused are followed by another."""


def everything_is_over(evidence: Evidence) -> Iterator[Violation]:
    """In the end every run is over, and nothing is left behind anywhere."""
    for run in evidence.runs:
        if run.state not in TERMINAL or run.finished_us is None:
            yield Violation("over", f"is still {run.state}: {run.reason}", run.id)
    for attempt in evidence.attempts:
        if attempt.state not in TERMINAL:
            yield Violation("over", f"attempt {attempt.attempt} was left {attempt.state}")
    for what in evidence.leftovers:
        yield Violation("over", what)


def runs_of_a_job_do_not_overlap(evidence: Evidence) -> Iterator[Violation]:
    """Unless a job allows it, its runs never overlap; only one that was lost may go on later."""
    runs = {run.id: run for run in evidence.runs}
    lost = {loss.key for loss in evidence.losses}
    ends = {end.key: end.at_us for end in evidence.ends}
    last: dict[int, tuple[int, Run, AttemptKey]] = {}
    for start in sorted(evidence.starts, key=lambda s: s.at_us):
        run = runs.get(split_key(start.key)[0])
        if run is None or start.key in lost:
            continue
        until_us = ends.get(start.key, 1 << 62)
        earlier = last.get(run.job_id)
        if earlier is not None and start.at_us < earlier[0] and run.group != earlier[1].group:
            jobs = _job_of(evidence, run), _job_of(evidence, earlier[1])
            if not any(job is None or job.overlap is Overlap.ALLOW for job in jobs):
                yield Violation("overlap", f"began while {earlier[1].id} was under way", run.id)
        if earlier is None or until_us > earlier[0]:
            last[run.job_id] = (until_us, run, start.key)


def removed_jobs_start_nothing(evidence: Evidence) -> Iterator[Violation]:
    """When its removal was acknowledged, nothing of a job is sent out that had not begun."""
    runs = {run.id: run for run in evidence.runs}
    for key, at_us in evidence.ordered_us.items():
        run_id, number = split_key(key)
        run = runs.get(run_id)
        removed_us = None if run is None else evidence.removed_us.get(run.job_id)
        if number == 1 and removed_us is not None and at_us > removed_us:
            yield Violation("removed", "was sent out after its job was removed", run_id)


def epochs_rise(evidence: Evidence) -> Iterator[Violation]:
    """Every coordinator has a higher epoch, and an agent never goes back to a lower one."""
    if any(later <= earlier for earlier, later in pairwise(evidence.epochs)):
        yield Violation("epoch", f"the epochs were {evidence.epochs}")
    seen: dict[str, int] = {}
    for start in sorted(evidence.starts, key=lambda s: s.at_us):
        if start.epoch < seen.get(start.agent_id, 0):
            yield Violation("epoch", "started by an epoch that was over", split_key(start.key)[0])
        seen[start.agent_id] = max(start.epoch, seen.get(start.agent_id, 0))


# Loss.


def losses_have_a_fault(evidence: Evidence) -> Iterator[Violation]:
    """Nothing is lost unless something happened that can lose it."""
    for loss in evidence.losses:
        if not any(_excuses(excuse, loss, evidence) for excuse in evidence.excuses):
            run_id = split_key(loss.key)[0]
            yield Violation("lost", f"was lost without a cause: {loss.reason}", run_id)


def _excuses(excuse: Excuse, loss: Loss, evidence: Evidence) -> bool:
    until_us = loss.until_us if excuse.until_us is None else excuse.until_us
    if excuse.agent_id not in {"", loss.agent_id} or excuse.kind not in _kinds(loss.reason):
        return False
    lasted_us = min(until_us, loss.until_us) - excuse.from_us
    overlaps = excuse.from_us <= loss.until_us and until_us >= loss.from_us
    return overlaps and lasted_us >= evidence.patience_us.get(excuse.kind, 0)


def _kinds(reason: str) -> frozenset[str]:
    """The kinds of faults that can be behind a loss of this reason."""
    if reason == "its agent has not been heard of since":
        return frozenset({"absent", "wipe"})
    if reason == "its agent was revoked":
        return frozenset({"revoked"})
    if reason in {"the agent has lost its memory of it", LOST_TRACE}:
        return frozenset({"wipe"})
    return frozenset({"executor", "machine", "agent", "wipe"})


LOST_TRACE: Final = "the agent knows nothing of it any more"


# Output.

KEEP_BYTES_MIN: Final = 64
"""No job of a plan keeps less of a stream."""


def output_is_whole(evidence: Evidence) -> Iterator[Violation]:
    """Stored output is what was printed: in order, without a hole, nothing twice."""
    for run in evidence.runs:
        yield from _check_pieces(evidence, run)
    lost = {loss.key for loss in evidence.losses}
    for key, run in all_attempts(evidence).items():
        if run.state not in RAN or (key in lost and run.state is RunState.LOST):
            continue
        for stream in (1, 2):
            printed = len(evidence.printed.get((key, stream), b""))
            stored = _stored_end(evidence, run, stream)
            if stored != printed:
                message = f"stream {stream} of attempt {run.attempt}: {stored} of {printed} bytes"
                yield Violation("output", message, run.id)
            yield from _check_ends(evidence, run, key, stream)


def _check_ends(evidence: Evidence, run: Run, key: AttemptKey, stream: int) -> Iterator[Violation]:
    """Whatever was watched and let go meanwhile, head and tail of what was printed are there."""
    printed = evidence.printed.get((key, stream), b"")
    stored = bytearray()
    for piece in evidence.output.get(run.id, []):
        if (piece.attempt, piece.stream) == (run.attempt, stream):
            stored += bytes(piece.gap_bytes) + piece.data
    half = KEEP_BYTES_MIN // 2
    if stored[:half] != printed[:half] or stored[-half:] != printed[-half:]:
        message = f"stream {stream} of attempt {run.attempt} lacks its head or its tail"
        yield Violation("output", message, run.id)


def _stored_end(evidence: Evidence, run: Run, stream: int) -> int:
    pieces = evidence.output.get(run.id, [])
    ends = [
        piece.offset + len(piece.data) + piece.gap_bytes
        for piece in pieces
        if (piece.attempt, piece.stream) == (run.attempt, stream)
    ]
    return max(ends, default=0)


def _check_pieces(evidence: Evidence, run: Run) -> Iterator[Violation]:
    at: dict[tuple[int, int], int] = {}
    positions = [piece.position for piece in evidence.output.get(run.id, [])]
    if positions != list(range(1, len(positions) + 1)) and not _was_cut(evidence, run, positions):
        yield Violation("output", f"its pieces are numbered {positions}", run.id)
    for piece in evidence.output.get(run.id, []):
        stream = (piece.attempt, piece.stream)
        key = AttemptKey(f"{run.id}.{piece.attempt}")
        whole = evidence.printed.get((key, piece.stream), b"")
        start = piece.offset + piece.gap_bytes
        if piece.offset != at.get(stream, 0):
            message = f"{stream} goes on at {piece.offset} behind {at.get(stream, 0)}"
            yield Violation("output", message, run.id)
        elif whole[start : start + len(piece.data)] != piece.data:
            yield Violation("output", f"{stream} differs at {piece.offset}", run.id)
        at[stream] = start + len(piece.data)


def _was_cut(evidence: Evidence, run: Run, positions: list[int]) -> bool:
    """Whether pieces can be missing because the run was watched, and printed more than is kept."""
    return run.id in evidence.cut and positions == sorted(set(positions))


# Clients.


def acknowledged_changes_survive(evidence: Evidence) -> Iterator[Violation]:
    """What a client was told is done is still so."""
    for wish in evidence.wishes:
        job, paused = evidence.jobs.get(wish.name, (None, False))
        once = any(wished is not None and wished.ephemeral for wished, _ in wish.states)
        if job is None and once:
            continue
        if (job, paused) not in wish.states:
            found = "gone" if job is None else f"{job.schedule}, paused={paused}"
            yield Violation("client", f"job {wish.name} is {found}; wished: {wish.states}")


def requests_are_single(evidence: Evidence) -> Iterator[Violation]:
    """A due time is of a schedule or a catch-up; a request has none, nor has another job's end."""
    for run in evidence.runs:
        if (run.trigger in {Trigger.SCHEDULE, Trigger.CATCHUP}) != (run.due_us is not None):
            yield Violation("due", f"is {run.trigger} with due {run.due_us}", run.id)


# One job after another.


def ends_fire_once(evidence: Evidence) -> Iterator[Violation]:
    """What was begun by an end has a fire that can have ended so, and no other of its job has."""
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in evidence.runs:
        groups[run.group].append(run)
    seen: dict[tuple[int, str], str] = {}
    for run in evidence.runs:
        job = _job_of(evidence, run)
        if run.trigger is not Trigger.AFTER or job is None:
            continue
        cause = groups.get(run.cause, [])
        ons = {it.on for it in job.after if cause and it.job == cause[0].job}
        if not ons:
            yield Violation("after", f"was begun by {run.cause}, which it is not after", run.id)
        elif ons == {DependencyOn.SUCCESS} and any(r.state is RunState.FAILED for r in cause):
            yield Violation("after", f"was begun by {run.cause}, which failed", run.id)
        if seen.setdefault((run.job_id, run.cause), run.group) != run.group:
            yield Violation("after", f"was begun by {run.cause} a second time", run.id)


def repeats_go_to_the_same_hosts(evidence: Evidence) -> Iterator[Violation]:
    """A fire that is repeated goes where it was, with what it had."""
    hosts: dict[str, set[str]] = defaultdict(set)
    for run in evidence.runs:
        hosts[run.group] |= {run.pin or run.agent_id}
    for run in evidence.runs:
        known = hosts[run.cause] - {""}  # where it went to none, its job says where
        if run.trigger is Trigger.RETRY and run.pin and known and run.pin not in known:
            yield Violation("retry", f"goes to {run.pin}, not to {hosts[run.cause]}", run.id)


def runs_have_their_parameters(evidence: Evidence) -> Iterator[Violation]:
    """Every run has all parameters of its job; nothing but a skip is without."""
    for run in evidence.runs:
        job = _job_of(evidence, run)
        if job is None or (run.state is RunState.SKIPPED and not run.params):
            continue
        if run.params.keys() != job.params.keys():
            yield Violation("params", f"has {run.params} of {job.params}", run.id)


def jobs_come_after_jobs(evidence: Evidence) -> Iterator[Violation]:
    """No job that is there waits for one that is not, or does not last."""
    for job, _ in evidence.jobs.values():
        for dependency in job.after:
            other, _ = evidence.jobs.get(dependency.job, (None, False))
            if other is None or other.ephemeral:
                yield Violation("after", f"job {job.name} comes after {other}")


# The audit.


def every_act_is_in_the_audit(evidence: Evidence) -> Iterator[Violation]:
    """Each has one entry, and the entries are a chain without a break."""
    for fault in faults(evidence.audit, evidence.acts):
        yield Violation("audit", fault)


CHECKS: Final[list[Check]] = [
    due_times_have_one_record,
    skips_have_true_reasons,
    blackouts_hold,
    groups_are_whole,
    starts_are_recorded_and_single,
    attempts_follow_each_other,
    states_match_witnesses,
    retries_are_used_up,
    everything_is_over,
    runs_of_a_job_do_not_overlap,
    removed_jobs_start_nothing,
    epochs_rise,
    losses_have_a_fault,
    output_is_whole,
    acknowledged_changes_survive,
    requests_are_single,
    ends_fire_once,
    repeats_go_to_the_same_hosts,
    runs_have_their_parameters,
    jobs_come_after_jobs,
    every_act_is_in_the_audit,
]
