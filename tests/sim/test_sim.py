"""Small worlds: no seed may break a promise, and each is the same world each time."""

from __future__ import annotations

import pytest

from .plan import Fault, make_plan
from .report import replay_line, tell
from .shrink import shrink
from .swap import swapped
from .world import Failure, run_world

SEEDS = 120
CHUNK = 20


@pytest.mark.parametrize("first", range(1, SEEDS, CHUNK))
def test_no_seed_breaks_a_promise(first: int) -> None:
    """Whatever goes wrong in these worlds, every promise is kept at every step."""
    for seed in range(first, first + CHUNK):
        assert _story_of_failure(seed) == ""


def _story_of_failure(seed: int) -> str:
    """How a promise was broken, as short as it can be told; '' when all were kept."""
    try:
        run_world(make_plan(seed))
    except Failure as failure:
        return tell(shrink(failure))
    return ""


def test_a_seed_is_the_same_world_each_time() -> None:
    """The same seed takes the same steps to the same ledger, so a failure can be seen again."""
    one, other = run_world(make_plan(12)), run_world(make_plan(12))

    assert (one.steps, one.monitor.ledger) == (other.steps, other.monitor.ledger)


def test_every_class_of_faults_is_among_the_seeds() -> None:
    """The seeds that run by default know each kind of trouble, and worlds without any."""
    plans = [make_plan(seed) for seed in range(1, SEEDS)]

    assert frozenset().union(*(plan.faults for plan in plans)) == frozenset(Fault)
    assert any(not plan.faults for plan in plans)


def test_a_failure_is_told_and_shrunk() -> None:
    """A report names seed, step, promise, run and story, and the command to see it again."""
    from tocsin.coordinator.machine import runs

    with swapped(runs, "_overlap", lambda *_: (None, False)):
        with pytest.raises(Failure) as caught:
            run_world(make_plan(5))
        small = shrink(caught.value)

    assert len(small.plan.happenings) < len(make_plan(5).happenings)
    report = tell(small)
    assert report.startswith(f"seed 5, step {small.world.steps}, ")
    assert small.violation.run_id in report
    assert report.endswith(f"replay: {replay_line(small.plan)}")
