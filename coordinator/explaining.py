"""`Explain`: gathers what is known of a due time or a run, and has it told as a story."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tocsin import clock
from tocsin.errors import RequestError
from tocsin.instants import Now
from tocsin.messages.client_answers import Story
from tocsin.messages.client_link import Explain
from tocsin.model import Agent, Incident, JobRow, JobVersion, Run, RunState

from . import story
from .machine.fires import Barred
from .machine.machine import Machine
from .store.port import Store

OTHERS_MAX: Final = 5
"""So many runs near an instant at which nothing was due are told of."""
RUNS_MAX: Final = 20
"""Of so many runs of one due time it is looked up what they wait for, and what was tried before."""


class Explainer:
    """Answers `Explain`; it only reads."""

    def __init__(
        self, store: Store, machine: Machine, agents: Callable[[Now], list[Agent]]
    ) -> None:
        self._store = store
        self._machine = machine
        self._agents = agents

    def explain(self, ask: Explain, now: Now) -> Story:
        """The story that is asked for.

        Raises:
            RequestError: there never was such a job or run.
            StoreError: the store cannot be read.
        """
        versions = self._store.job_versions(ask.job)
        if not any(version.job for version in versions):
            raise RequestError(f"there is no job {ask.job}", "see what there is: tocsin job list")
        if ask.run:
            moment, runs = self._of_run(ask)
        else:
            moment = _moment(versions, ask.at_us, now.wall_us)
            runs = self._of_moment(ask.job, moment, versions)
        return story.tell(self._evidence(ask, moment, versions, runs, now))

    def _of_run(self, ask: Explain) -> tuple[story.Moment, list[Run]]:
        found = self._store.runs([ask.run])
        if ask.run not in found:
            raise RequestError(
                f"there is no run {ask.run}", f"see: tocsin run list --job {ask.job}"
            )
        run = found[ask.run]
        if run.job != ask.job:
            raise RequestError(
                f"run {ask.run} is of job {run.job}, not of {ask.job}",
                f"see: tocsin why {run.job} --run {ask.run}",
            )
        return story.Moment(None, run.due_us, None, None), self._group(run)

    def _group(self, run: Run) -> list[Run]:
        """A run with the others of its due time or request."""
        if run.due_us is not None:
            return self._store.runs_due([run.job_id], run.due_us)
        return self._store.fires([run.group]).get(run.group, [run])

    def _of_moment(self, job: str, moment: story.Moment, versions: list[JobVersion]) -> list[Run]:
        if moment.due_us is not None:
            ids = list(dict.fromkeys(version.job_id for version in versions))
            return self._store.runs_due(ids, moment.due_us)
        if moment.asked_us is None:  # it has no due times: the last run that there was
            for run in self._store.list_runs(job, [], "", 1):
                return self._group(run)
        return []

    def _evidence(
        self,
        ask: Explain,
        moment: story.Moment,
        versions: list[JobVersion],
        runs: list[Run],
        now: Now,
    ) -> story.Evidence:
        row = self._store.jobs_by_name([ask.job]).get(ask.job)
        agents = self._agents(now)
        going = [run for run in self._machine.active_runs() if run.job == ask.job]
        is_ahead = moment.due_us is not None and moment.due_us > now.wall_us
        shown = [run for run in runs if ask.run in {"", run.id}][:RUNS_MAX]
        waiting = {
            run.id: found
            for run in [*shown, *going[:RUNS_MAX]]
            if (found := self._machine.waiting(run.id, now)) is not None
        }
        silent = {
            run.agent_id: silence
            for run in [*shown, *going[:RUNS_MAX]]
            if (silence := self._machine.silence(run.agent_id, now)) is not None
        }
        return story.Evidence(
            job=ask.job,
            now_us=now.wall_us,
            moment=moment,
            only=ask.run,
            versions=versions,
            row=row,
            runs=runs,
            others=self._near(ask.job, moment) if not runs else [],
            attempts={run.id: self._store.attempts(run.id) for run in shown if run.attempt > 1},
            not_kept=self._store.not_kept([run.id for run in shown]),
            named=self._store.runs([text for run in runs[:1] for text in _named(run)]),
            names={agent.id: agent.name for agent in agents},
            incidents=self._incidents(moment.due_us, runs, now),
            barred=self._barred(row, [moment.due_us, story.next_due(versions, now.wall_us)]),
            lacking="" if row is None else self._machine.lacking(row.job),
            full_pool="" if row is None else self._machine.full_pool(row.job),
            waiting=waiting,
            silent=silent,
            going=going,
            hosts=self._machine.hosts(row.job, now) if row and is_ahead else [],
        )

    def _barred(self, row: JobRow | None, dues_us: list[int | None]) -> dict[int, Barred]:
        """What bars due times, as things stand."""
        found: dict[int, Barred] = {}
        for due_us in dues_us:
            barred = self._machine.barred(row, due_us) if row and due_us is not None else None
            if barred is not None and due_us is not None:
                found[due_us] = barred
        return found

    def _near(self, job: str, moment: story.Moment) -> list[Run]:
        """The runs of a job that began near an instant at which nothing was due, oldest first."""
        asked_us = moment.asked_us
        if asked_us is None or moment.due_us is not None:
            return []
        near_us = story.NEAR_US
        before = clock.ulid((asked_us + near_us) // 1000, 0)
        runs = self._store.list_runs(job, [], before, OTHERS_MAX)
        return [run for run in reversed(runs) if run.created_us >= asked_us - near_us]

    def _incidents(self, due_us: int | None, runs: list[Run], now: Now) -> list[Incident]:
        if due_us is None or due_us > now.wall_us:
            return []
        decided_us = runs[0].created_us if runs else now.wall_us
        return self._store.incidents(due_us - story.SLACK_US, max(decided_us, due_us))


def _moment(versions: list[JobVersion], at_us: int | None, now_us: int) -> story.Moment:
    if at_us is None:
        return story.usual_moment(versions, now_us)
    return story.moment_of(versions, at_us)


def _named(run: Run) -> list[str]:
    """The ids of runs that the facts of a record name."""
    if run.state is not RunState.SKIPPED:
        return []
    named = run.facts.get("run")
    return [named] if isinstance(named, str) else []
