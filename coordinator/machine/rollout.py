"""How a fire on several agents goes from host to host: pure rules over counts.

The members stand in the order of their hosts' names. A member that was left out (its host was not
to be had) counts as nothing: the next one takes its place, also among the canaries. One that was
killed did not succeed.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tocsin.instants import SECOND_US
from tocsin.model import Run, RunState, Target

HOSTS_NAMED_MAX: Final = 20


def is_rolled(target: Target) -> bool:
    """Whether the runs of a fire go one after the other, and not all at once."""
    begins = target.max_parallel is not None or target.stagger_s > 0
    return target.agents != 1 and (begins or target.canary > 0 or target.stop_after is not None)


class Rollout(msgspec.Struct):
    """One fire under way. Instants are on the steady clock."""

    target: Target
    waiting: dict[str, None] = {}
    """The runs whose turn has not come, in their order."""
    going: dict[str, None] = {}
    """Those that were let go and are not over; also while they wait for an agent or a retry."""
    succeeded: int = 0
    failed: dict[str, str] = {}
    """The hosts of those that are over and did not succeed, by run."""
    released_us: int | None = None
    """When one was last let go."""


def note_end(rollout: Rollout, run: Run) -> None:
    """A member is over."""
    rollout.waiting.pop(run.id, None)
    rollout.going.pop(run.id, None)
    if run.state is RunState.SUCCEEDED:
        rollout.succeeded += 1
    elif run.state is not RunState.SKIPPED:
        rollout.failed[run.id] = run.agent


def note_reopened(rollout: Rollout, run: Run) -> None:
    """A member that counted as lost goes on."""
    if rollout.failed.pop(run.id, None) is not None:
        rollout.going[run.id] = None


def _is_at_canaries(rollout: Rollout) -> bool:
    return rollout.succeeded < rollout.target.canary


def why_stopped(rollout: Rollout) -> dict[str, Any] | None:
    """What the records of those that are not begun say; None while it goes on."""
    failed = list(rollout.failed.values())
    if not failed:
        return None
    limit = rollout.target.stop_after
    if _is_at_canaries(rollout):
        because = f"canary {failed[0]} did not succeed"
    elif limit is not None and len(failed) >= limit:
        hosts = "1 host" if len(failed) == 1 else f"{len(failed)} hosts"
        because = f"{hosts} did not succeed, and stop_after is {limit}"
    else:
        return None
    facts: dict[str, Any] = {"because": because, "failed": failed[:HOSTS_NAMED_MAX]}
    if len(failed) > HOSTS_NAMED_MAX:
        facts["more_failed"] = len(failed) - HOSTS_NAMED_MAX
    return facts


def may_release(rollout: Rollout, now_us: int) -> bool:
    """Whether one more may be let go at this moment."""
    going = len(rollout.going)
    if rollout.target.max_parallel is not None and going >= rollout.target.max_parallel:
        return False
    if _is_at_canaries(rollout) and rollout.succeeded + going >= rollout.target.canary:
        return False
    ready_us = ready_at_us(rollout)
    return ready_us is None or ready_us <= now_us


def ready_at_us(rollout: Rollout) -> int | None:
    """Until when the last release keeps the next one waiting; None when it does not."""
    if rollout.released_us is None or rollout.target.stagger_s <= 0:
        return None
    return rollout.released_us + round(rollout.target.stagger_s * SECOND_US)
