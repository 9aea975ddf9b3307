"""The simulator is worth something: it finds the product with one decision taken away."""

from __future__ import annotations

import pytest

from .mutants import MUTANTS
from .plan import make_plan
from .world import Failure, run_world


@pytest.mark.parametrize("name", MUTANTS)
def test_a_product_without_one_decision_is_caught(name: str) -> None:
    """The seed that is known to need this decision breaks a promise without it, and only so."""
    seed, mutant = MUTANTS[name]
    run_world(make_plan(seed))

    with mutant(), pytest.raises(Failure):
        run_world(make_plan(seed))
