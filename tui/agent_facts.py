"""What is known of one agent, in lines: the weightiest first, so that the rest can be cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

import msgspec

from tocsin.instants import SECOND_US
from tocsin.messages.enrolment import fingerprint
from tocsin.model import Agent, AgentState, JobRow, Run

from .agent_hour import AgentHour, share, strip
from .agent_rows import look, seen, tag_words
from .plain import one_line
from .widgets.columns import Cell
from .words import GLYPH, counted, moment, next_due, run_tail, run_time, state, tone, until

HOUR_US: Final = 3600 * SECOND_US
_FIRES_NAMED: Final = 4
Line = tuple[Cell, ...]


class Known(msgspec.Struct, frozen=True):
    """What the lines are about."""

    agent: Agent
    runs: Sequence[Run]
    """Under way there."""
    alone: Sequence[JobRow]
    """The jobs that no other agent that is up could run."""
    version: str
    """The coordinator's; empty: not known."""
    now_us: int
    zone: tzinfo | None
    hour: AgentHour
    since_us: int | None = None
    """From when on all runs are known; None: all are."""


def facts(known: Known) -> list[Line]:
    """All lines."""
    if known.agent.state is AgentState.PENDING:
        return list(_asking(known))
    return [
        *_standing(known),
        *_depending(known),
        *_broken(known.agent),
        _own(known),
        *(_run_line(run, known) for run in known.runs),
        *_fires(known),
        _last_hour(known),
        (Cell(f"tags      {tag_words(known.agent) or '-'}"),),
        (Cell(f"executors {_executors(known.agent)}"),),
        (Cell(f"id        {known.agent.id}", "quiet"),),
    ]


def _asking(known: Known) -> Iterator[Line]:
    agent = known.agent
    yield (Cell(f"a host asks to be let in, since {_at(agent.last_seen_us, known)}", "warn"),)
    yield (Cell(f"fingerprint {fingerprint(agent.key)}"),)
    yield (Cell("compare it with what `tocsin agent join` prints there; a lets it in"),)


def _standing(known: Known) -> Iterator[Line]:
    """Whether it is there, and what people decided."""
    agent = known.agent
    glyph, word, colour = look(agent)
    text = f"{glyph} {word}"
    match agent.state:
        case AgentState.DOWN if agent.down_since_us or agent.last_seen_us:
            last_us = agent.down_since_us or agent.last_seen_us
            text += f" for {seen(agent, known.now_us)}, last heard {_at(last_us, known)}"
        case AgentState.DOWN:
            text += ", it has never been here"
        case _:
            heard = _heard(agent, known.now_us)
            # While it is heard the instant is told by no update.
            text += f", heard {heard}"
            text += "" if heard == "now" else f", last at {_at(agent.last_seen_us, known)}"
    yield (Cell(text, colour),)
    if agent.held is not None or agent.state is AgentState.REVOKED:
        by = f" by {one_line(agent.held_by)}" if agent.held_by else ""
        reason = f": {one_line(agent.reason)}" if agent.reason else ""
        yield (Cell(f"{agent.held or agent.state}{by}{reason}", "warn"),)
    if agent.drain_until_us is not None:
        at = f"{_at(agent.drain_until_us, known)}, {until(agent.drain_until_us, known.now_us)}"
        yield (Cell(f"what it still runs at {at}, is cancelled", "warn"),)


def _depending(known: Known) -> Iterator[Line]:
    """What nobody else could do, and what it means when this agent cannot."""
    count = len(known.alone)
    if not count:
        yield (Cell("no job depends on this agent alone"),)
        return
    jobs = "1 job" if count == 1 else f"{count} jobs"
    if known.agent.state is AgentState.UP:
        yield (Cell(f"{jobs} can run nowhere else now: {_named(known)}"),)
        return
    due = sum(_is_due_soon(row, known.now_us) for row in known.alone)
    soon = f"{due} due in the next hour!" if due else "none due in the next hour"
    yield (
        Cell(f"no agent that is up can run {jobs}: "),
        Cell(soon, "bad" if due else ""),
        Cell(f"  {_named(known)}"),
    )


def _is_due_soon(row: JobRow, now_us: int) -> bool:
    due_us = row.next_due_us
    return due_us is not None and due_us <= now_us + HOUR_US and not row.paused and row.job.enabled


def _named(known: Known) -> str:
    names = [one_line(row.job.name) for row in known.alone[:_FIRES_NAMED]]
    more = len(known.alone) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _broken(agent: Agent) -> Iterator[Line]:
    for offer in agent.offers:
        if not offer.available:
            why = one_line(offer.message) or "it does not work here"
            yield Cell(f"✗ {one_line(offer.name)}: ", "bad"), Cell(why)


def _own(known: Known) -> Line:
    agent = known.agent
    version = one_line(agent.version) or "not known"
    other = known.version and agent.version and agent.version != known.version
    return (
        Cell(f"slots     {agent.busy} of {agent.slots} taken   version {version}"),
        Cell(f", the coordinator's is {known.version}" if other else "", "warn"),
    )


def _last_hour(known: Known) -> Line:
    """How busy it was, two minutes a column, up to now."""
    hour, slots = known.hour, known.agent.slots
    ran = counted(hour.ended, "run") + " ended"
    since_us = known.since_us
    from_now_us = since_us if since_us is not None and since_us > known.now_us - HOUR_US else None
    return (
        Cell("last hour "),
        Cell("["),
        Cell(strip(hour, slots), "busy"),
        Cell(f"] {share(hour, slots):.0%} of its slots, {ran}"),
        Cell(f", {hour.failed} failed" if hour.failed else "", "bad"),
        Cell("" if from_now_us is None else f", known from {_at(from_now_us, known)}", "quiet"),
    )


def _run_line(run: Run, known: Known) -> Line:
    head = f"  {GLYPH[run.state]} {state(run)}"
    return (
        Cell(head, tone(run.state)),
        Cell(f"  {one_line(run.job)} {run_tail(run.id)}  {run_time(run, known.now_us)}"),
    )


def _fires(known: Known) -> Iterator[Line]:
    """When the jobs are due that depend on it."""
    for row in sorted(known.alone, key=_by_due):
        due_us = row.next_due_us
        at = "" if due_us is None or row.paused else moment(due_us, known.now_us, known.zone)
        text = f"  only here {one_line(row.job.name)}  {next_due(row, known.now_us)}  {at}"
        yield (Cell(text.rstrip(), "bad" if text.endswith("LATE") else ""),)


def _by_due(row: JobRow) -> tuple[bool, int, str]:
    return row.paused or row.next_due_us is None, row.next_due_us or 0, row.job.name


def _executors(agent: Agent) -> str:
    if not agent.offers:
        return one_line(" ".join(sorted(agent.executors))) or "-"
    marks = {True: "✓", False: "✗"}
    return one_line(" ".join(f"{it.name} {marks[it.available]}" for it in agent.offers))


def _heard(agent: Agent, now_us: int) -> str:
    text = seen(agent, now_us)
    return text if text in {"now", "-"} else f"{text} ago"


def _at(at_us: int | None, known: Known) -> str:
    return "-" if at_us is None else moment(at_us, known.now_us, known.zone)
