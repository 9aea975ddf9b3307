"""What a store was asked to keep and has not committed, as statements in the order of asking."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tocsin.coordinator.machine.commands import (
    Command,
    DropJob,
    MoveCursor,
    SaveAgent,
    SaveAttempt,
    SaveJob,
    SaveOutput,
    SaveRun,
)
from tocsin.model import Agent, JobRow, Run

from .rows import agent_values, job_values, run_values, to_json


class Write(NamedTuple):
    """A named statement, and the values that it is executed with, one after the other."""

    query: str
    values: list[tuple[Any, ...]]


class Staging:
    """Saves of one thing replace each other until they are gathered into `writes`.

    `pieces` are the values of `save_piece`, which goes to a database of its own.
    """

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.pieces: list[tuple[Any, ...]] = []
        self._runs: dict[str, Run] = {}
        self._jobs: dict[int, JobRow] = {}
        self._cursors: dict[int, JobRow] = {}
        self._agents: dict[str, Agent] = {}

    def __bool__(self) -> bool:
        staged = self.writes or self.pieces or self._runs or self._jobs
        return bool(staged or self._cursors or self._agents)

    def take(self, commands: Iterable[Command]) -> None:
        """Note the saves among the commands."""
        for command in commands:
            match command:
                case SaveRun(run):
                    self._runs[run.id] = run
                case SaveOutput(position, chunk):
                    run_id, _, attempt = chunk.key.rpartition(".")
                    head = (run_id, position, int(attempt), chunk.stream, chunk.offset)
                    self.pieces.append((*head, chunk.at_us, chunk.gap_bytes, chunk.data))
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
                    gone = (row.id, row.version + 1, None, row.changed_us, by)
                    self.write("save_job_version", gone)
                    self.write("drop_job", (row.id,))
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
                (row.id, row.version, to_json(row.job), row.changed_us, row.changed_by)
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
