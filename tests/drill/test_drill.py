"""A short drill keeps every promise; and each fault in its evidence is found."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from tests.sim.evidence import Loss
from tocsin.execution import AttemptKey
from tocsin.instants import SECOND_US
from tocsin.model import Incident, IncidentKind, Run, RunState, SkipReason, Target, Trigger

from . import report, sweep
from .drill import Drill, Exit
from .faults import Fault
from .jobs import POOLS
from .judge import judge
from .ledger import Case, gather
from .members import COORDINATOR, DrillFleet

SEED = 7
SECONDS = 6.0
FAULTS = [Fault.KILL_COORDINATOR, Fault.KILL_AGENT, Fault.KILL_JOB, Fault.TERMINATE, Fault.CUT]


class Held(NamedTuple):
    """A drill that was held, and what it left."""

    drill: Drill
    case: Case


@pytest.fixture(scope="module")
def whole() -> Iterator[Held]:
    """A short drill; its logs stay when it failed."""
    home = Path(tempfile.mkdtemp(prefix=f"{sweep.HOMES}{os.getpid()}-"))
    fleet = DrillFleet(home)
    try:
        drill = Drill(fleet, SEED, FAULTS)
        drill.run(SECONDS)
        held = Held(drill, gather(drill))
    finally:
        fleet.close()
    yield held
    if not judge(drill, held.case):
        shutil.rmtree(home)


@pytest.fixture
def held(whole: Held) -> Held:
    """That drill, with a ledger to be spoilt."""
    evidence, accounts = deepcopy(whole.case.evidence), deepcopy(whole.case.accounts)
    return Held(
        whole.drill,
        whole.case._replace(
            evidence=evidence, accounts=accounts, incidents=[*whole.case.incidents]
        ),
    )


def test_a_short_drill_keeps_every_promise(whole: Held) -> None:
    """Members are killed, restarted and cut off; nothing is lost, doubled or wrong."""
    violations = judge(whole.drill, whole.case)

    assert not violations, report.tell(whole.drill, whole.case, violations)
    assert len(whole.case.evidence.starts) > 20
    assert whole.drill.happenings


# The ways to spoil it.


def _change(held: Held, fits: Callable[[Run], bool], **fields: Any) -> Run:
    runs = held.case.evidence.runs
    index = next(i for i, run in enumerate(runs) if fits(run))
    runs[index] = replace(runs[index], **fields)
    return runs[index]


def _succeeded(run: Run) -> bool:
    return run.state is RunState.SUCCEEDED


def _is_paused(run: Run) -> bool:
    return run.state is RunState.SKIPPED and run.reason == SkipReason.PAUSED


def _key(run: Run) -> AttemptKey:
    return AttemptKey(f"{run.id}.{run.attempt}")


def drop_a_record(held: Held) -> None:  # noqa: D103 - its name says it
    runs = held.case.evidence.runs
    del runs[next(i for i, run in enumerate(runs) if _is_paused(run))]


def double_a_start(held: Held) -> None:  # noqa: D103 - its name says it
    held.case.evidence.starts.append(held.case.evidence.starts[0])


def start_without_a_record(held: Held) -> None:  # noqa: D103 - its name says it
    start = held.case.evidence.starts[0]
    held.case.evidence.starts.append(replace(start, key=AttemptKey("nobody.1")))


def swap_an_exit_code(held: Held) -> None:  # noqa: D103 - its name says it
    _change(held, _succeeded, exit_code=3)


def succeed_without_an_end(held: Held) -> None:  # noqa: D103 - its name says it
    evidence = held.case.evidence
    key = _key(next(run for run in evidence.runs if _succeeded(run)))
    evidence.ends = [end for end in evidence.ends if end.key != key]


def cancel_what_nobody_wanted_to_end(held: Held) -> None:  # noqa: D103 - its name says it
    _change(held, _succeeded, state=RunState.CANCELLED)


def truncate_output(held: Held) -> None:  # noqa: D103 - its name says it
    output = held.case.evidence.output
    run = next(r for r in held.case.evidence.runs if _succeeded(r) and output[r.id])
    output[run.id] = output[run.id][:-1]


def garble_output(held: Held) -> None:  # noqa: D103 - its name says it
    output = held.case.evidence.output
    run_id = next(run_id for run_id in output if output[run_id])
    first = output[run_id][0]
    output[run_id] = [replace(first, data=b"#" + first.data[1:]), *output[run_id][1:]]


def go_back_to_an_epoch(held: Held) -> None:  # noqa: D103 - its name says it
    starts = held.case.evidence.starts
    last = max(range(len(starts)), key=lambda i: starts[i].at_us)
    starts[last] = replace(starts[last], epoch=0)


def rule_twice_in_one_epoch(held: Held) -> None:  # noqa: D103 - its name says it
    held.case.evidence.epochs.append(held.case.evidence.epochs[-1])


def say_overlap_of_a_pause(held: Held) -> None:  # noqa: D103 - its name says it
    lonely = held.case.evidence.runs[0].created_us + 3600 * SECOND_US
    _change(held, _is_paused, reason=SkipReason.OVERLAP, created_us=lonely)


def say_missed_of_a_pause(held: Held) -> None:  # noqa: D103 - its name says it
    _change(held, _is_paused, reason=SkipReason.MISSED)


def say_paused_of_a_run(held: Held) -> None:  # noqa: D103 - its name says it
    begin = min(term.after_us for term in held.case.evidence.terms if not term.paused)
    run = _change(
        held,
        lambda run: run.trigger is Trigger.SCHEDULE and (run.due_us or 0) < begin + 4 * SECOND_US,
        state=RunState.SKIPPED,
        reason=SkipReason.PAUSED,
    )
    acts = [act for act in held.drill.requester.acts if act.name == run.job]
    assert acts[0].what == "put"


def call_a_run_a_catch_up(held: Held) -> None:  # noqa: D103 - its name says it
    _change(
        held, lambda r: r.trigger is Trigger.SCHEDULE and _succeeded(r), trigger=Trigger.CATCHUP
    )


def fire_in_a_pause(held: Held) -> None:  # noqa: D103 - its name says it
    runs = held.case.evidence.runs
    late = max((run for run in runs if _is_paused(run)), key=lambda run: run.created_us)
    shown_us = held.drill.fleet.clock.shown_us(held.drill.stopped_us) - 3 * SECOND_US // 2
    _change(held, lambda r: r is late, state=RunState.CANCELLED, reason="", created_us=shown_us,
            due_us=shown_us)  # fmt: skip


def lose_without_a_cause(held: Held) -> None:  # noqa: D103 - its name says it
    evidence = held.case.evidence
    run = _change(held, _succeeded, state=RunState.LOST)
    reason = "its agent has not been heard of since"
    evidence.losses.append(Loss(_key(run), run.agent_id, reason, 1, 2))


def undo_a_change(held: Held) -> None:  # noqa: D103 - its name says it
    jobs = held.case.evidence.jobs
    name, (job, paused) = next(iter(jobs.items()))
    jobs[name] = (job, not paused)


def overlap(held: Held) -> None:  # noqa: D103 - its name says it
    evidence = held.case.evidence
    begun = {start.key: start.at_us for start in evidence.starts}
    jobs = {(term.job_id, term.version): term.job for term in evidence.terms}
    runs = [
        r for r in evidence.runs
        if _succeeded(r) and r.attempt == 1 and jobs[r.job_id, r.job_version].overlap != "allow"
    ]  # fmt: skip
    pairs = [(a, b) for a in runs for b in runs if a.job_id == b.job_id and a.group != b.group]
    lasting = {end.key for end in evidence.ends if end.at_us > begun[end.key]}
    one, other = next(
        (a, b) for a, b in pairs if a.created_us < b.created_us and _key(a) in lasting
    )
    evidence.starts = [
        replace(s, at_us=begun[_key(one)]) if s.key == _key(other) else s for s in evidence.starts
    ]


def leave_a_run_open(held: Held) -> None:  # noqa: D103 - its name says it
    _change(held, _succeeded, state=RunState.RUNNING, finished_us=None)


def begin_before_it_is_due(held: Held) -> None:  # noqa: D103 - its name says it
    evidence = held.case.evidence
    key = _key(next(run for run in evidence.runs if _succeeded(run) and run.due_us))
    evidence.starts = [
        replace(s, at_us=s.at_us - 30 * SECOND_US) if s.key == key else s for s in evidence.starts
    ]


def _at_once(held: Held, count: int, **fields: Any) -> None:
    """Let so many runs have begun together, of jobs with these fields."""
    evidence, accounts = held.case.evidence, held.case.accounts
    runs = [r for r in evidence.runs if _succeeded(r) and accounts[_key(r)].end][:count]
    group = runs[0].group
    for run in runs:
        account = accounts[_key(run)]
        account.started_us, account.end = [SECOND_US], (2 * SECOND_US, 0)
        evidence.runs[evidence.runs.index(run)] = replace(run, group=group)
        for term in evidence.terms:
            if term.job_id == run.job_id:
                term.job = replace(term.job, **fields)


def fill_a_pool_too_full(held: Held) -> None:  # noqa: D103 - its name says it
    _at_once(held, POOLS["narrow"] + 1, pool="narrow")


def roll_out_to_too_many(held: Held) -> None:  # noqa: D103 - its name says it
    _at_once(held, 3, target=Target(agents="all", max_parallel=2))


def roll_out_beside_the_canary(held: Held) -> None:  # noqa: D103 - its name says it
    _at_once(held, 2, target=Target(agents="all", canary=1))


def tell_of_a_sleep(held: Held) -> None:  # noqa: D103 - its name says it
    slept = Incident(kind=IncidentKind.SUSPEND, from_us=1, until_us=2)
    held.case.incidents.append(slept)


def forget_who_came_after(held: Held) -> None:  # noqa: D103 - its name says it
    runs = held.case.evidence.runs
    runs[:] = [run for run in runs if run.job != "then"]


SPOILT: dict[str, list[Callable[[Held], None]]] = {
    "due": [drop_a_record],
    "once": [double_a_start, start_without_a_record],
    "truth": [swap_an_exit_code, succeed_without_an_end, cancel_what_nobody_wanted_to_end],
    "output": [truncate_output, garble_output],
    "epoch": [go_back_to_an_epoch, rule_twice_in_one_epoch],
    "reason": [
        say_overlap_of_a_pause,
        say_missed_of_a_pause,
        say_paused_of_a_run,
        call_a_run_a_catch_up,
    ],
    "paused": [fire_in_a_pause],
    "lost": [lose_without_a_cause],
    "client": [undo_a_change],
    "overlap": [overlap],
    "over": [leave_a_run_open],
    "after": [forget_who_came_after],
    "incident": [tell_of_a_sleep],
    "early": [begin_before_it_is_due],
    "pool": [fill_a_pool_too_full],
    "rollout": [roll_out_to_too_many, roll_out_beside_the_canary],
}


@pytest.mark.parametrize(
    ("invariant", "spoil"),
    [(invariant, spoil) for invariant, ways in SPOILT.items() for spoil in ways],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_spoilt_ledger_is_flagged(
    held: Held, invariant: str, spoil: Callable[[Held], None]
) -> None:
    """Each kind of broken promise is found, and called by its name."""
    spoil(held)

    assert invariant in {violation.invariant for violation in judge(held.drill, held.case)}


def test_a_member_that_ends_by_itself_is_flagged(held: Held) -> None:
    """A crash is no way to end."""
    exits = held.drill.exits
    exits.append(Exit(COORDINATOR, held.drill.healed_us, 1))
    try:
        violations = judge(held.drill, held.case)
    finally:
        exits.pop()

    assert "crash" in {violation.invariant for violation in violations}
