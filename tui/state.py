"""What the screens show, as a value: a snapshot and the numbered updates that followed it.

`apply` is the whole of it. It is given every update in the order of arrival and returns the next
view. A number that is missing makes the view `stale`: it then stays as it is until the first part
of a new snapshot, which whoever holds the view must ask for with `Subscribe`.

A snapshot comes in parts, and changes may come between them. The first snapshot is shown as it
grows; a later one is gathered aside and takes the old one's place when it is whole, so that
nothing vanishes from a screen and comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from tocsin.messages.client_link import Update
from tocsin.model import TERMINAL, Agent, AgentState, JobRow, Run, RunState

RUNS_MAX: Final = 10_000
"""Runs kept; beyond it the oldest that are over are forgotten, a tenth at a time."""


class Rows(msgspec.Struct, frozen=True):
    """Jobs by name, runs by id, agents by `agent_key`.

    The dicts are never changed once they are in here.
    """

    jobs: Mapping[str, JobRow] = {}
    runs: Mapping[str, Run] = {}
    agents: Mapping[str, Agent] = {}


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
    shown = msgspec.structs.replace(view.shown, runs=_first_wins(view.shown.runs, runs))
    draft = view.draft and msgspec.structs.replace(
        view.draft, runs=_first_wins(view.draft.runs, runs)
    )
    return msgspec.structs.replace(view, shown=shown, draft=draft)


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


def latest_by_job(view: View) -> dict[str, Run]:
    """For each job its newest run, skips left aside, as far as the view reaches back."""
    latest: dict[str, Run] = {}
    missing = set(view.jobs)
    for run_id in sorted(view.runs, reverse=True):
        run = view.runs[run_id]
        if run.job not in latest and run.state is not RunState.SKIPPED:
            latest[run.job] = run
            missing.discard(run.job)
            if not missing and view.jobs:
                break
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
    return View(rows, None, whole=True, number=update.number)


def _merge(rows: Rows, update: Update) -> Rows:
    jobs, runs, agents = rows.jobs, rows.runs, rows.agents
    if update.jobs or update.jobs_gone:
        gone = set(update.jobs_gone)
        jobs = {name: row for name, row in jobs.items() if name not in gone}
        jobs.update((row.job.name, row) for row in update.jobs)
    if update.runs:
        runs = _bound({**runs, **{run.id: run for run in update.runs}})
    if update.agents:
        agents = {**agents, **{agent_key(agent): agent for agent in update.agents}}
    return Rows(jobs, runs, agents)


def _first_wins(known: Mapping[str, Run], runs: Iterable[Run]) -> Mapping[str, Run]:
    return _bound({**{run.id: run for run in runs}, **known})


def _bound(runs: dict[str, Run]) -> dict[str, Run]:
    if len(runs) <= RUNS_MAX:
        return runs
    over = sorted(run.id for run in runs.values() if run.state in TERMINAL)
    for run_id in over[: len(runs) - RUNS_MAX + RUNS_MAX // 10]:
        del runs[run_id]
    return runs
