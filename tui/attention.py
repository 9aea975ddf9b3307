"""What needs somebody's attention, why, and what to do next, in words; the weightiest first.

Pure, and cheap enough to be asked again with every change: what depends on the fleet as a whole
(which agents a job is for) is reckoned once for each kind of demand.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Final

import msgspec

from tocsin.incidents import in_words
from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import Status
from tocsin.model import TERMINAL, Agent, AgentState, IncidentKind, JobRow, Run, RunState
from tocsin.targeting import Demand, demand_of, has_tags, matches

from .clock_changes import ClockNote
from .durations import BROKEN
from .ledger import Ledger
from .plain import one_line
from .timeline import is_late
from .words import WORD, ago, counted, moment, run_tail, span

QUEUED_LONG_US: Final = 60 * SECOND_US
FORGOTTEN_US: Final = 7 * 86_400 * SECOND_US
INCIDENT_US: Final = 24 * 3600 * SECOND_US
INCIDENT_OLD_US: Final = 3600 * SECOND_US
"""From then on it is below all that can still be mended."""
_JOBS_NAMED: Final = 3
_GONE: Final = frozenset({AgentState.REVOKED, AgentState.PENDING})
_HELD: Final = frozenset({AgentState.DRAINING, AgentState.CORDONED})


class Subject(enum.Enum):
    """What an item is about, and so what enter opens."""

    COORDINATOR = "coordinator"
    JOB = "job"
    RUN = "run"
    AGENT = "agent"


class Item(msgspec.Struct, frozen=True):
    """One thing that needs attention."""

    weight: int
    glyph: str
    tone: str
    subject: Subject
    id: str
    """Of the job, run or agent."""
    name: str
    text: str
    """What is the matter, and why."""
    next: str = ""
    """What to do about it."""


class Fleet(msgspec.Struct, frozen=True):
    """All that attention is looked for in."""

    jobs: Mapping[str, JobRow]
    agents: Mapping[str, Agent]
    ledger: Ledger
    status: Status | None
    clock_notes: Sequence[ClockNote] = ()
    zone: tzinfo | None = None
    """Where times are told; None is the system's own."""


class Attention:
    """Looks a fleet over; what it learns of the jobs' demands it keeps for the next time."""

    def __init__(self) -> None:
        self._demands: dict[str, tuple[int, int, Demand]] = {}

    def items(self, fleet: Fleet, now_us: int) -> list[Item]:
        """What needs attention now."""
        demands = self._by_demand(fleet.jobs)
        found = [
            *_of_coordinator(fleet.status, now_us),
            *_of_agents(fleet, demands, now_us),
            *_of_jobs(fleet, now_us),
            *_of_queued(fleet, now_us),
            *_of_clock(fleet.clock_notes, now_us),
        ]
        found.sort(key=lambda item: (-item.weight, item.name))
        return found

    def _by_demand(self, jobs: Mapping[str, JobRow]) -> dict[Demand, list[str]]:
        """The jobs by what they ask of an agent."""
        if len(self._demands) > 2 * len(jobs):
            self._demands.clear()
        found: dict[Demand, list[str]] = {}
        for name, row in jobs.items():
            known = self._demands.get(name)
            if known is None or known[:2] != (row.id, row.version):
                known = self._demands[name] = (row.id, row.version, demand_of(row.job))
            found.setdefault(known[2], []).append(name)
        return found


def _of_coordinator(status: Status | None, now_us: int) -> Iterator[Item]:
    if status is None:
        return
    if status.store != "ok":
        yield _coordinator(1000, "bad", f"store: {one_line(status.store)}",
                           "nothing fires until it can be written")  # fmt: skip
    recent = [one for one in status.incidents if now_us - one.until_us <= INCIDENT_US]
    if recent:
        incident = max(recent, key=lambda one: one.until_us)
        tone = "warn" if incident.kind is not IncidentKind.ZONES else "quiet"
        more = f", {counted(len(recent) - 1, 'other incident')} within a day" if recent[1:] else ""
        text = f"{one_line(in_words(incident))}, {ago(incident.until_us, now_us)}{more}"
        is_old = now_us - incident.until_us > INCIDENT_OLD_US
        weight = 100 if is_old else 300
        yield _coordinator(weight, "quiet" if is_old else tone, text, "6 lists them")


def _coordinator(weight: int, tone: str, text: str, next_step: str) -> Item:
    return Item(weight, "!", tone, Subject.COORDINATOR, "", "coordinator", text, next_step)


def _of_agents(
    fleet: Fleet, demands: Mapping[Demand, Sequence[str]], now_us: int
) -> Iterator[Item]:
    if fleet.jobs and all(agent.state in _GONE for agent in fleet.agents.values()):
        yield Item(
            850, "!", "bad", Subject.COORDINATOR, "", "agents", "there is none: no job can run",
            "tocsin agent token makes a join string for a host",
        )  # fmt: skip
    elif fleet.jobs and not any(a.state is AgentState.UP for a in fleet.agents.values()):
        there = [a for a in fleet.agents.values() if a.state in _HELD]
        if there:
            held = _names(f"{agent.name} is {agent.state}" for agent in there)
            yield Item(
                840, "!", "bad", Subject.COORDINATOR, "", "agents", f"none takes runs: {held}",
                "4 lists them",
            )  # fmt: skip
    for agent in fleet.agents.values():
        match agent.state:
            case AgentState.PENDING:
                yield Item(
                    500, "?", "warn", Subject.AGENT, agent.id, agent.name,
                    "asks to be let in", "compare its fingerprint, then accept it",
                )  # fmt: skip
            case AgentState.DOWN:
                yield _down(agent, fleet, demands, now_us)
            case AgentState.REVOKED:
                pass
            case _:
                yield from _broken(agent, demands)


def _down(agent: Agent, fleet: Fleet, demands: Mapping[Demand, Sequence[str]], now_us: int) -> Item:
    since_us = agent.down_since_us or agent.last_seen_us
    parts = [f"down {span((now_us - since_us) / SECOND_US)}" if since_us else "never connected"]
    held = [run for run in fleet.ledger.active.values() if run.agent_id == agent.id]
    if held:
        runs = f"{len(held)} run{'s' * (len(held) != 1)}"
        parts.append(f"{runs} on it: {_names(run.job for run in held)}")
    alone = _only_on(agent, fleet.agents.values(), demands)
    if alone:
        can = f"{len(alone)} job{'s' * (len(alone) != 1)} can run only there"
        parts.append(f"{can}: {_names(alone)}")
    weight = 650 + 100 * bool(alone) + 50 * bool(held)
    text = ", ".join(parts)
    step = "look at the host: systemctl status tocsin-agent"
    return Item(weight, "✗", "bad", Subject.AGENT, agent.id, agent.name, text, step)


def _only_on(
    agent: Agent, agents: Iterable[Agent], demands: Mapping[Demand, Sequence[str]]
) -> list[str]:
    """The jobs that an agent could run, and no other that is up."""
    others = [other for other in agents if other.state is AgentState.UP]
    found: list[str] = []
    for demand, names in demands.items():
        fits = has_tags(agent, demand) and (not agent.executors or matches(agent, demand))
        if fits and not any(matches(other, demand) for other in others):
            found += names
    return sorted(found)


def _broken(agent: Agent, demands: Mapping[Demand, Sequence[str]]) -> Iterator[Item]:
    """Executors that jobs need on this agent, and that do not work there."""
    for offer in agent.offers:
        if offer.available:
            continue
        users = [
            name
            for demand, names in demands.items()
            if demand[0] == offer.name and has_tags(agent, demand)
            for name in names
        ]
        if users:
            why = one_line(offer.message) or "not available"
            text = f"executor {offer.name}: {why}; for {_names(sorted(users))}"
            yield Item(
                450, "!", "warn", Subject.AGENT, agent.id, agent.name, text,
                "mend it there: tocsin executor list tells more",
            )  # fmt: skip


def _of_jobs(fleet: Fleet, now_us: int) -> Iterator[Item]:
    for name, row in fleet.jobs.items():
        if row.paused:
            if row.pause_until_us is None:
                yield from _forgotten(row, fleet.ledger, now_us)
            continue
        if is_late(row, now_us):
            yield _late(row, fleet, now_us)
        latest = fleet.ledger.latest(name)
        if latest is None or latest.state is not RunState.SUCCEEDED:
            yield from _failed(row, fleet.ledger.of(name), now_us)


def _late(row: JobRow, fleet: Fleet, now_us: int) -> Item:
    due_us = row.next_due_us
    assert due_us is not None, "looked at before"
    text = f"due {moment(due_us, now_us, fleet.zone)}: {_why_late(row, fleet)}"
    name = row.job.name
    return Item(900, "!", "bad", Subject.JOB, name, name, text, "w tells why in full")


def _why_late(row: JobRow, fleet: Fleet) -> str:
    if fleet.status is not None and fleet.status.store != "ok":
        return "the coordinator cannot write its store"
    return no_agent(row, fleet.agents.values()) or "the coordinator has made no record of it yet"


def no_agent(row: JobRow, agents: Iterable[Agent]) -> str:
    """Why no agent could run a job now; '' when one could."""
    demand = demand_of(row.job)
    known = [agent for agent in agents if agent.state not in _GONE]
    tagged = [agent for agent in known if has_tags(agent, demand)]
    wanted = ", ".join(f"{key}={'|'.join(globs)}" for key, globs in demand[1])
    if not tagged:
        return f"no agent is tagged {one_line(wanted)}" if wanted else "there is no agent"
    up = [agent for agent in tagged if agent.state is AgentState.UP]
    with_tags = f" with {one_line(wanted)}" if wanted else ""
    if not up:
        held = [agent for agent in tagged if agent.held is not None]
        return f"no agent{with_tags} is up" + (f", {len(held)} held back" if held else "")
    if not any(demand[0] in agent.executors for agent in up):
        return f"no agent{with_tags} offers a working executor {demand[0]}"
    return ""


def _failed(row: JobRow, runs: Sequence[Run], now_us: int) -> Iterator[Item]:
    name, streak, last = row.job.name, 0, None
    for run in reversed(runs):
        if run.state not in TERMINAL or run.state is RunState.SKIPPED:
            continue
        if run.state not in BROKEN:
            break
        last, streak = last or run, streak + 1
    if last is None:
        if row.last_state in BROKEN and not runs:
            text = f"its last run: {WORD[row.last_state]}"
            yield Item(700, "✗", "bad", Subject.JOB, name, name, text, "enter lists its runs")
        return
    if last.state is RunState.CANCELLED:
        return
    count = f"{streak} fails in a row, " if streak > 1 else ""
    text = f"{count}{_ending(last)}, {ago(last.finished_us or last.created_us, now_us)}"
    is_lost = last.state is RunState.LOST
    step = "nobody knows whether it ran: look, then run it again" if is_lost else "l opens its log"
    weight, glyph = (750, "?") if is_lost else (700, "✗")
    yield Item(weight + min(streak, 40), glyph, "bad", Subject.RUN, last.id, name, text, step)


def _ending(run: Run) -> str:
    if run.state is RunState.FAILED and run.exit_code is not None:
        return f"exit {run.exit_code}"
    if run.state is RunState.FAILED and run.reason:
        return one_line(run.reason)
    return WORD[run.state]


def _forgotten(row: JobRow, ledger: Ledger, now_us: int) -> Iterator[Item]:
    """A job that has been paused for long, as far as that is known."""
    latest = ledger.latest(row.job.name)
    known = [at_us for at_us in (row.changed_us, latest and latest.created_us) if at_us]
    quiet_us = now_us - max(known, default=now_us)
    if quiet_us <= FORGOTTEN_US:
        return
    by = f" by {one_line(row.paused_by)}" if row.paused_by else ""
    reason = f": {one_line(row.pause_reason)}" if row.pause_reason else ""
    text = f"paused{by}, no run for {span(quiet_us / SECOND_US)}{reason}"
    yield Item(200, "‖", "quiet", Subject.JOB, row.job.name, row.job.name, text, "p resumes it")


def _of_queued(fleet: Fleet, now_us: int) -> Iterator[Item]:
    waiting: dict[str, list[Run]] = {}
    for run in fleet.ledger.active.values():
        if run.state is RunState.QUEUED and now_us - _waits_since(run) > QUEUED_LONG_US:
            waiting.setdefault(run.job, []).append(run)
    for name, runs in waiting.items():
        oldest = min(runs, key=_waits_since)
        row = fleet.jobs.get(name)
        others = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
        waits = span((now_us - _waits_since(oldest)) / SECOND_US)
        text = (
            f"run {run_tail(oldest.id)}{others} queued {waits}: {_why_queued(oldest, row, fleet)}"
        )
        yield Item(600, "○", "warn", Subject.RUN, oldest.id, name, text, "w tells why in full")


def _waits_since(run: Run) -> int:
    return max(run.not_before_us or 0, run.due_us or run.created_us)


def _why_queued(run: Run, row: JobRow | None, fleet: Fleet) -> str:
    if run.reason:
        return one_line(run.reason)
    if row is None:
        return "its job is gone"
    why = no_agent(row, fleet.agents.values())
    if why:
        return why
    demand = demand_of(row.job)
    up = [a for a in fleet.agents.values() if a.state is AgentState.UP and matches(a, demand)]
    if all(agent.busy >= agent.slots for agent in up):
        slots = sum(agent.slots for agent in up)
        return f"all {slots} slots of the agents that could take it are taken"
    if row.job.pool:
        return f"pool {one_line(row.job.pool)} is full"
    return "it waits for its turn"


def _of_clock(notes: Sequence[ClockNote], now_us: int) -> Iterator[Item]:
    for note in notes:
        if note.at_us > now_us:
            yield Item(
                150, "?", "warn", Subject.JOB, note.job, note.job, note.text,
                "t there shows both zones",
            )  # fmt: skip


def _names(names: Iterable[str]) -> str:
    listed = list(dict.fromkeys(names))
    more = f" +{len(listed) - _JOBS_NAMED}" if len(listed) > _JOBS_NAMED else ""
    return ", ".join(listed[:_JOBS_NAMED]) + more
