"""Tells the story of a failure: seed, step, promise, run, and how to live through it again."""

from __future__ import annotations

from typing import Any, Final

from .plan import Plan
from .world import Failure

LINES_MAX: Final = 120
TEXT_MAX: Final = 400


def tell(failure: Failure) -> str:
    """The report."""
    world, violation, plan = failure.world, failure.violation, failure.plan
    lines = [
        f"seed {plan.seed}, step {world.steps}, {world.now_us / 1e6:.3f} s: {violation}",
        f"run: {violation.run_id or '-'}",
        f"faults: {', '.join(sorted(plan.faults)) or 'none'}",
        "story:",
        *_story(world.trace, violation.run_id),
        f"replay: {replay_line(plan)}",
    ]
    return "\n".join(lines)


def replay_line(plan: Plan) -> str:
    """The command that lives through it again."""
    line = f"python -m tests.sim --seed {plan.seed}"
    if plan.without:
        line += f" --without {','.join(plan.without)}"
    if plan.dropped:
        line += f" --drop {','.join(map(str, plan.dropped))}"
    return line


def _story(trace: list[tuple[int, int, str, Any]], run_id: str) -> list[str]:
    told = [(at, step, who, str(what)) for at, step, who, what in trace if who != "chatter"]
    if run_id:
        told = [
            entry
            for entry in told
            if run_id in entry[3] or entry[2] in {"happens", "world", "coordinator"}
            or entry[2].startswith("agent-")
        ]  # fmt: skip
    return [
        f"  {at / 1e6:10.6f} #{step} {who}: {text[:TEXT_MAX]}"
        for at, step, who, text in told[-LINES_MAX:]
    ]
