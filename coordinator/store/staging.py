"""What a store was asked to keep and has not committed, as statements in the order of asking."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from tocsin.coordinator.machine.commands import (
    Command,
    CutOutput,
    DropCalendar,
    DropDependencies,
    DropJob,
    DropPause,
    DropPool,
    MoveCursor,
    SaveAgent,
    SaveAttempt,
    SaveAudit,
    SaveCalendar,
    SaveDependency,
    SaveIncident,
    SaveJob,
    SaveOutput,
    SavePause,
    SavePool,
    SaveRestore,
    SaveRun,
)
from tocsin.instants import SECOND_US
from tocsin.model import Agent, JobRow, Run

from .rows import agent_values, condition_values, job_values, run_values, to_json

RESTORE: Final = "restore"
"""The setting that holds the last restore of a backup."""
INCIDENTS_MAX: Final = 10_000
INCIDENTS_AGE_US: Final = 400 * 86_400 * SECOND_US
"""More or older incidents than these are forgotten when another is saved."""


class Write(NamedTuple):
    """A named statement, and the values that it is executed with, one after the other."""

    query: str
    values: list[tuple[Any, ...]]


class Staging:
    """Saves of one thing replace each other until they are gathered into `writes`.

    `pieces` are the values of `save_piece`, which goes to a database of its own, and `cuts` those
    of `cut_output` and `mark_cut`, which come behind all of them.
    """

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.pieces: list[tuple[Any, ...]] = []
        self.cuts: list[dict[str, Any]] = []
        self._runs: dict[str, Run] = {}
        self._jobs: dict[int, JobRow] = {}
        self._cursors: dict[int, JobRow] = {}
        self._agents: dict[str, Agent] = {}

    def __bool__(self) -> bool:
        staged = self.writes or self.pieces or self.cuts or self._runs or self._jobs
        return bool(staged or self._cursors or self._agents)

    def take(self, commands: Iterable[Command]) -> None:
        """Note the saves among the commands."""
        for command in commands:
            match command:
                case SaveRun(run):
                    self._runs[run.id] = run
                case SaveOutput() | CutOutput():
                    self._take_output(command)
                case MoveCursor(row):
                    if row.id in self._jobs:
                        self._jobs[row.id] = row
                    else:
                        self._cursors[row.id] = row
                case SaveJob(row):
                    self._cursors.pop(row.id, None)
                    self._jobs[row.id] = row
                case SaveAgent(agent):
                    self._agents[agent.id] = agent
                case SaveAttempt(run):
                    self.write("save_attempt", (run.id, run.attempt, to_json(run)))
                case DropJob(row, by):
                    self.gather()
                    gone = (row.id, row.version + 1, row.job.name, None, row.changed_us, by)
                    self.write("save_job_version", gone)
                    self.write("drop_job", (row.id,))
                case _:
                    self._take_upkeep(command)

    def _take_output(self, command: SaveOutput | CutOutput) -> None:
        match command:
            case SaveOutput(position, chunk):
                run_id, _, attempt = chunk.key.rpartition(".")
                head = (run_id, position, int(attempt), chunk.stream, chunk.offset)
                self.pieces.append((*head, chunk.at_us, chunk.gap_bytes, chunk.data))
            case CutOutput(key, stream, start, end):
                run_id, _, attempt = key.rpartition(".")
                cut = {"run": run_id, "attempt": int(attempt), "stream": stream}
                self.cuts.append({**cut, "start": start, "end": end})

    def _take_upkeep(self, command: Command) -> None:  # noqa: C901 - one case a command
        """Note what is rarely saved; each is a statement of its own."""
        match command:
            case SaveDependency(condition):
                self.write("save_dependency", condition_values(condition))
            case DropDependencies(job_id):
                self.write("drop_dependencies", (job_id,))
            case SavePause(pause):
                head = (pause.id, pause.scope.value, pause.value, pause.reason, pause.by)
                self.write("save_pause", (*head, pause.since_us, pause.until_us))
            case DropPause(pause_id):
                self.write("drop_pause", (pause_id,))
            case SaveCalendar(calendar):
                self.write("save_calendar", (calendar.name, to_json(calendar)))
            case DropCalendar(name):
                self.write("drop_calendar", (name,))
            case SavePool(pool):
                self.write("save_pool", (pool.name, pool.slots))
            case DropPool(name):
                self.write("drop_pool", (name,))
            case SaveIncident(it):
                span = (it.from_us, it.until_us, it.amount_us)
                self.write("save_incident", (it.kind.value, *span, it.detail))
                self.write("trim_incidents", (it.from_us - INCIDENTS_AGE_US, INCIDENTS_MAX))
            case SaveRestore(restore):
                self.write("save_setting", (RESTORE, to_json(restore)))
            case SaveAudit(entry):
                self.write("save_audit", (entry,))  # completed when it is executed
            case _:
                pass  # nothing to keep

    def write(self, query: str, values: tuple[Any, ...]) -> None:
        """Note a statement."""
        self.writes.append(Write(query, [values]))

    def gather(self) -> None:
        """Turn what was staged by subject into statements, each subject one of them."""
        if self._jobs:
            jobs = self._jobs.values()
            self.writes.append(Write("save_job", [job_values(row) for row in jobs]))
            versions = [
                (
                    row.id,
                    row.version,
                    row.job.name,
                    to_json(row.job),
                    row.changed_us,
                    row.changed_by,
                )
                for row in jobs
            ]
            self.writes.append(Write("save_job_version", versions))
            self._jobs = {}
        if self._cursors:
            moves = [(row.next_due_us, row.id) for row in self._cursors.values()]
            self.writes.append(Write("move_cursor", moves))
            self._cursors = {}
        if self._runs:
            self.writes.append(Write("save_run", [run_values(run) for run in self._runs.values()]))
            self._runs = {}
        if self._agents:
            agents = [agent_values(agent) for agent in self._agents.values()]
            self.writes.append(Write("save_agent", agents))
            self._agents = {}

    def clear(self) -> None:
        """Everything is durable."""
        self.writes.clear()
        self.pieces.clear()
        self.cuts.clear()
