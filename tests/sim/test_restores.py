"""Worlds whose coordinator is put back to an earlier moment."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.coordinator.machine import restored

from .report import tell
from .restores import RestoreWorld, restore_plan
from .swap import swapped
from .world import Failure, World, run_world

SEEDS = 80
CHUNK = 20


def lived(seed: int) -> World:
    """The world of a seed."""
    return run_world(restore_plan(seed), RestoreWorld)


@pytest.mark.parametrize("first", range(1, SEEDS, CHUNK))
def test_nothing_starts_twice_and_everything_ends(first: int) -> None:
    """Whatever else goes wrong."""
    told = [_told(seed) for seed in range(first, first + CHUNK)]
    assert not any(told), "\n".join(told)


def _told(seed: int) -> str:
    """What went wrong in the world of a seed; empty: nothing."""
    try:
        lived(seed)
    except Failure as failure:
        return tell(failure)
    return ""


MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "due times of the span run": (restored, "barred", lambda *_: None),
    "what was queued is given out": (restored, "lose", lambda *_: None),
    "orders are given again": (restored, "is_doubtful", lambda *_: False),
    "attempts nobody knows are ended": (restored, "is_left_alone", lambda *_: False),
}


@pytest.mark.parametrize("what", list(MUTANTS))
def test_a_restore_that_forgets_a_rule_is_found_out(what: str) -> None:
    """These worlds are hard enough to tell."""
    module, name, mutant = MUTANTS[what]
    with swapped(module, name, mutant), pytest.raises(Failure):
        _live_all()


def _live_all() -> None:
    for seed in range(1, SEEDS):
        lived(seed)
