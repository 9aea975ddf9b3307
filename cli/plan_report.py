"""A plan on the terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import click

from tocsin.doubts import hosts_of
from tocsin.fires import Fire

from .fires import as_text
from .plan import Change, Plan, SharedChange
from .plan_hosts import warnings_of
from .tables import cell, local_time

SIGNS: Final = {"create": "+", "change": "~", "keep": "=", "remove": "-"}
NAMES_SHOWN: Final = 10


def print_plan(plan: Plan) -> None:
    """Every change, with its consequences."""
    for shared in plan.shared:
        click.echo(f"{SIGNS[shared.action]} {shared.action} {shared.kind} {shared.name}")
        if shared.action != "keep":
            _print_lines(_shared_lines(shared))
    kept = [change.name for change in plan.changes if change.action == "keep"]
    for change in plan.changes:
        if change.action != "keep":
            click.echo(f"{SIGNS[change.action]} {change.action} {change.name}")
            _print_lines(_change_lines(change, plan))
        elif len(kept) <= NAMES_SHOWN:
            click.echo(f"{SIGNS['keep']} keep {change.name}")
    if len(kept) > NAMES_SHOWN:
        click.echo(f"{SIGNS['keep']} keep {some(kept)}")
    if plan.untouched:
        click.echo(f"not in these files, and left as they are: {some(plan.untouched)}")


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(f"    {line}")


def _shared_lines(shared: SharedChange) -> Iterator[str]:
    yield from _key_lines(shared.changed, new=shared.old is None)
    if shared.users:
        yield f"used by: {some(shared.users)}"


def _change_lines(change: Change, plan: Plan) -> Iterator[str]:
    yield from _key_lines(change.changed, new=change.row is None)
    before, after = change.fires(plan)
    if change.job is None:
        yield f"next, which will not be: {_times(before)}"
        return
    if change.row is not None and before != after:
        yield f"next before: {_times(before)}"
        yield f"next after:  {_times(after)}"
    else:
        yield f"next: {_times(after)}"
    was, will = _hosts(change, plan)
    if change.row is not None and was != will:
        yield f"hosts before: {some(was)}"
        yield f"hosts after:  {some(will)}"
    else:
        yield f"hosts: {some(will)}"
    for warning in warnings_of(change, plan, after):
        yield f"warning: {warning}"


def _key_lines(changed: dict[str, tuple[object, object]], *, new: bool) -> Iterator[str]:
    for key, (old, value) in changed.items():
        yield f"{key}: {cell(value)}" if new else f"{key}: {cell(old)} → {cell(value)}"


def _hosts(change: Change, plan: Plan) -> tuple[list[str], list[str]]:
    agents = plan.held.agents
    return (
        hosts_of(change.row.job, agents) if change.row else [],
        hosts_of(change.job, agents) if change.job else [],
    )


def _times(fires: list[Fire]) -> str:
    return ", ".join(map(_time, fires)) or "none"


def _time(fire: Fire) -> str:
    notes = "; ".join(note for note in (fire.blackout, fire.clock) if note)
    return local_time(fire.at_us) + (f" ({cell(notes)})" if notes else "")


def some(names: list[str]) -> str:
    """Names, and how many there are when they are too many."""
    if len(names) <= NAMES_SHOWN:
        return cell(names) if names else "none"
    return f"{cell(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more ({len(names)})"


def plan_shape(plan: Plan) -> dict[str, Any]:
    """A plan as JSON."""
    return {
        "changes": [_change_shape(change, plan) for change in plan.changes],
        "untouched": plan.untouched,
        "shared": [_shared_shape(shared) for shared in plan.shared],
        "index": plan.index,
    }


def _change_shape(change: Change, plan: Plan) -> dict[str, Any]:
    before, after = change.fires(plan)
    was, will = _hosts(change, plan)
    return {
        "name": change.name,
        "action": change.action,
        "version": None if change.row is None else change.row.version,
        "changed": _changed_shape(change.changed),
        "next_before": as_text(fire.at_us for fire in before),
        "next_after": as_text(fire.at_us for fire in after),
        "blackouts_after": [fire.blackout or None for fire in after],
        "hosts_before": {"count": len(was), "names": was[:NAMES_SHOWN]},
        "hosts_after": {"count": len(will), "names": will[:NAMES_SHOWN]},
        "warnings": warnings_of(change, plan, after),
    }


def _shared_shape(shared: SharedChange) -> dict[str, Any]:
    return {
        "kind": shared.kind,
        "name": shared.name,
        "action": shared.action,
        "changed": _changed_shape(shared.changed),
        "used_by": shared.users,
    }


def _changed_shape(changed: dict[str, tuple[object, object]]) -> dict[str, Any]:
    return {key: {"old": old, "new": new} for key, (old, new) in changed.items()}
