"""What the screens show, as a value: a snapshot and the numbered updates that followed it.

`apply` is the whole of it. It is given every update in the order of arrival and returns the next
view. A number that is missing makes the view `stale`: it then stays as it is until the first part
of a new snapshot, which whoever holds the view must ask for with `Subscribe`.

A snapshot comes in parts, and changes may come between them. The first snapshot is shown as it
grows; a later one is gathered aside and takes the old one's place when it is whole, so that
nothing vanishes from a screen and comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from typing import Final

import msgspec

from tocsin.messages.client_link import Update
from tocsin.model import TERMINAL, Agent, AgentState, JobRow, Run, RunState

RUNS_MAX: Final = 10_000
"""Runs kept; beyond it the oldest that are over are forgotten, a tenth at a time."""
SNAPSHOT_RUNS: Final = 500
"""So many runs, the newest ones, are in a snapshot."""


class Rows(msgspec.Struct, frozen=True):
    """Jobs by name, runs by id, agents by `agent_key`.

    The dicts are never changed once they are in here.
    """

    jobs: Mapping[str, JobRow] = {}
    runs: Mapping[str, Run] = {}
    agents: Mapping[str, Agent] = {}
    since: str = ""
    """The id of the run from which on all are here; empty: all that there are. Older ones may be
    here too, with gaps between them."""


class View(msgspec.Struct, frozen=True):
    """All that is known of the fleet."""

    shown: Rows = Rows()
    draft: Rows | None = None
    """The snapshot that is still coming in."""
    whole: bool = False
    """Whether a snapshot has been complete since the start."""
    number: int = 0
    """Of the last update."""
    stale: bool = False
    """An update is missing: a new snapshot is needed."""

    @property
    def jobs(self) -> Mapping[str, JobRow]:
        """The jobs by name."""
        return self.shown.jobs

    @property
    def runs(self) -> Mapping[str, Run]:
        """The runs by id."""
        return self.shown.runs

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The agents by `agent_key`."""
        return self.shown.agents

    @property
    def since_us(self) -> int | None:
        """When the oldest run was made from which on all are known; None: all are."""
        oldest = self.shown.runs.get(self.shown.since)
        return None if oldest is None else oldest.created_us

    def has_room(self, runs: int) -> bool:
        """Whether so many older runs can be kept."""
        return len(self.shown.runs) + runs <= RUNS_MAX


class Counts(msgspec.Struct, frozen=True):
    """What the header says of the fleet."""

    agents_up: int
    agents: int
    running: int
    queued: int


def apply(view: View, update: Update) -> View:
    """The view after `update`."""
    if update.snapshot and update.number == 1:
        return _advance(view, update, Rows())
    if view.stale or update.number != view.number + 1:
        return view if view.stale else msgspec.structs.replace(view, stale=True)
    return _advance(view, update, view.draft)


def add_history(view: View, runs: Iterable[Run]) -> View:
    """The view with runs that were asked for; what it holds already is newer, and stays."""
    runs = list(runs)
    shown = _first_wins(view.shown, runs)
    draft = view.draft and _first_wins(view.draft, runs)
    return msgspec.structs.replace(view, shown=shown, draft=draft)


def add_older(view: View, before: str, runs: Sequence[Run], *, more: bool) -> View:
    """The view with the runs just before the id `before`; `more`: there are yet older ones."""
    if view.shown.since != before:
        return add_history(view, runs)  # a new snapshot came meanwhile
    since = runs[-1].id if more and runs else ""
    shown = _first_wins(msgspec.structs.replace(view.shown, since=since), runs)
    return msgspec.structs.replace(view, shown=shown)


def take_agents(view: View, agents: Iterable[Agent]) -> View:
    """The view with these agents and no others, as they were asked for.

    Updates tell neither of hosts that ask to be let in, nor when an agent was heard last.
    """
    known = {agent_key(agent): agent for agent in agents}
    shown = msgspec.structs.replace(view.shown, agents=known)
    draft = view.draft and msgspec.structs.replace(view.draft, agents=known)
    return msgspec.structs.replace(view, shown=shown, draft=draft)


def agent_key(agent: Agent) -> str:
    """What agents are told apart by: those that only ask to be let in have no id yet."""
    return agent.id or agent.key


def count(view: View) -> Counts:
    """The counts of a view."""
    states = [
        run.state
        for run in view.runs.values()
        if run.finished_us is None and run.state not in TERMINAL  # the former is cheap
    ]
    known = [agent.state for agent in view.agents.values()]
    queued = states.count(RunState.QUEUED)
    return Counts(
        agents_up=known.count(AgentState.UP),
        agents=len(known) - known.count(AgentState.REVOKED) - known.count(AgentState.PENDING),
        running=len(states) - queued,
        queued=queued,
    )


def newest_first(view: View, job: str = "") -> list[str]:
    """The ids of the runs, of one job or of all; ids are ULIDs, so they sort by time."""
    ids = [run.id for run in view.runs.values() if not job or run.job == job]
    ids.sort(reverse=True)
    return ids


def is_at_agent(run: Run) -> bool:
    """Whether an agent has it, and it is not over."""
    return run.state is not RunState.QUEUED and run.state not in TERMINAL


def latest_by_job(view: View) -> dict[str, Run]:
    """For each job its newest run, skips left aside, as far as the view reaches back.

    Where that one waits while another goes on, it is the other.
    """
    latest: dict[str, Run] = {}
    missing = set(view.jobs)
    for run_id in sorted(view.runs, reverse=True):
        run = view.runs[run_id]
        if run.job not in latest and run.state is not RunState.SKIPPED:
            latest[run.job] = run
            missing.discard(run.job)
            if not missing and view.jobs:
                break
    waiting = {job for job, run in latest.items() if run.state is RunState.QUEUED}
    if waiting:
        for run in view.runs.values():
            if run.finished_us is None and run.job in waiting and is_at_agent(run):
                before = latest[run.job]
                if before.state is RunState.QUEUED or run.id > before.id:
                    latest[run.job] = run
    return latest


def recent_by_job(view: View, count: int) -> dict[str, list[Run]]:
    """For each job its newest runs, skips included, the newest last."""
    recent: dict[str, list[Run]] = {}
    missing = set(view.jobs)
    for run_id in sorted(view.runs, reverse=True):
        run = view.runs[run_id]
        known = recent.setdefault(run.job, [])
        if len(known) < count:
            known.append(run)
        else:
            missing.discard(run.job)
            if not missing and view.jobs:
                break
    for known in recent.values():
        known.reverse()
    return recent


def _advance(view: View, update: Update, draft: Rows | None) -> View:
    """Take an update that is next in order, into the draft where there is one."""
    rows = _merge(view.shown if draft is None else draft, update)
    if draft is not None and (update.more or not update.snapshot):
        shown = view.shown if view.whole else rows
        return View(shown, rows, whole=view.whole, number=update.number)
    if draft is not None:
        rows = msgspec.structs.replace(rows, since=_newest_since(rows.runs))
    return View(rows, None, whole=True, number=update.number)


def _merge(rows: Rows, update: Update) -> Rows:
    jobs, agents = rows.jobs, rows.agents
    if update.jobs or update.jobs_gone:
        gone = set(update.jobs_gone)
        jobs = {name: row for name, row in jobs.items() if name not in gone}
        jobs.update((row.job.name, row) for row in update.jobs)
    if update.agents:
        agents = {**agents, **{agent_key(new): _last_heard(new, agents) for new in update.agents}}
    rows = msgspec.structs.replace(rows, jobs=jobs, agents=agents)
    if not update.runs:
        return rows
    return _bound(rows, {**rows.runs, **{run.id: run for run in update.runs}})


def _last_heard(agent: Agent, known: Mapping[str, Agent]) -> Agent:
    """An agent of an update, whose time of being heard may be older than what was asked for."""
    before = known.get(agent_key(agent))
    if before is None or (before.last_seen_us or 0) <= (agent.last_seen_us or 0):
        return agent
    return msgspec.structs.replace(agent, last_seen_us=before.last_seen_us)


def _first_wins(rows: Rows, runs: Iterable[Run]) -> Rows:
    return _bound(rows, {**{run.id: run for run in runs}, **rows.runs})


def _bound(rows: Rows, runs: dict[str, Run]) -> Rows:
    since = rows.since
    if len(runs) > RUNS_MAX:
        over = sorted(run.id for run in runs.values() if run.state in TERMINAL)
        count = len(runs) - RUNS_MAX + RUNS_MAX // 10
        for run_id in over[:count]:
            del runs[run_id]
        since = max([since, *over[count : count + 1]])
    return msgspec.structs.replace(rows, runs=runs, since=since)


def _newest_since(runs: Mapping[str, Run]) -> str:
    """From which run on all are in a snapshot: it has the newest ones."""
    if len(runs) < SNAPSHOT_RUNS:
        return ""
    return nlargest(SNAPSHOT_RUNS, runs)[-1]
