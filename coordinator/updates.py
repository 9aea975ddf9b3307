"""Who watches, and what each watcher has not been told yet.

A new watcher gets a snapshot in parts: agents and the newest runs at once, then the jobs page by
page. Changes are gathered and sent at most ten times a second. All of it is numbered for each
watcher; one that is too slow misses a number, notices, and subscribes again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from tocsin.messages.client_link import PAGE_ROWS_MAX, Update
from tocsin.model import Agent, JobRow, Run

from .machine.commands import Command, DropJob, MoveCursor, SaveAgent, SaveJob, SaveRun

INTERVAL_US: Final = 100_000
FAILURES_MAX: Final = 50
"""A watcher that could not be reached so often in a row is forgotten."""


class Watcher(msgspec.Struct):
    """One subscribed connection."""

    number: int = 0
    failures: int = 0
    jobs_after: str | None = ""
    """The snapshot's jobs go on behind this name; None when all were sent."""


class Updates:
    """The watchers and the changes not yet sent. `send` says whether a watcher was reached."""

    def __init__(
        self,
        send: Callable[[bytes, Update], bool],
        list_jobs: Callable[[str, int], list[JobRow]],
    ) -> None:
        self._send = send
        self._list_jobs = list_jobs
        self._watchers: dict[bytes, Watcher] = {}
        self._runs: dict[str, Run] = {}
        self._jobs: dict[str, JobRow] = {}
        self._gone: dict[str, None] = {}
        self._agents: dict[str, Agent] = {}
        self._sent_us = 0

    def subscribe(self, route: bytes, runs: list[Run], agents: list[Agent]) -> None:
        """Begin with a snapshot, whatever this connection was sent before."""
        watcher = self._watchers[route] = Watcher()
        newest_first = [runs[i : i + PAGE_ROWS_MAX] for i in range(0, len(runs), PAGE_ROWS_MAX)]
        parts = newest_first or [[]]
        self._tell(
            route, watcher, Update(0, snapshot=True, more=True, runs=parts[0], agents=agents)
        )
        for part in parts[1:]:
            self._tell(route, watcher, Update(0, snapshot=True, more=True, runs=part))

    def unsubscribe(self, route: bytes) -> None:
        """Send no more to this connection."""
        self._watchers.pop(route, None)

    def gather(self, commands: Iterable[Command]) -> None:
        """Note what became durable."""
        if not self._watchers:
            return
        for command in commands:
            match command:
                case SaveRun(run):
                    self._runs[run.id] = run
                case SaveJob(row) | MoveCursor(row):
                    self._jobs[row.job.name] = row
                    self._gone.pop(row.job.name, None)
                case DropJob(row, _):
                    self._jobs.pop(row.job.name, None)
                    self._gone[row.job.name] = None
                case SaveAgent(agent):
                    self._agents[agent.id] = agent
                case _:
                    pass  # nothing that a watcher sees

    def deadline_us(self) -> int | None:
        """When there is something to send, on the steady clock."""
        if any(watcher.jobs_after is not None for watcher in self._watchers.values()):
            return 0
        if self._runs or self._jobs or self._gone or self._agents:
            return self._sent_us + INTERVAL_US
        return None

    def flush(self, steady_us: int) -> None:
        """Send the next part of each snapshot, and the changes when their time has come."""
        for route, watcher in list(self._watchers.items()):
            if watcher.jobs_after is not None:
                rows = self._list_jobs(watcher.jobs_after, PAGE_ROWS_MAX)
                more = len(rows) == PAGE_ROWS_MAX
                watcher.jobs_after = rows[-1].job.name if more else None
                self._tell(route, watcher, Update(0, snapshot=True, more=more, jobs=rows))
        if steady_us < self._sent_us + INTERVAL_US:
            return
        for update in self._changes():
            for route, watcher in list(self._watchers.items()):
                self._tell(route, watcher, update)
        self._sent_us = steady_us

    def _changes(self) -> Iterable[Update]:
        runs, jobs = list(self._runs.values()), list(self._jobs.values())
        gone, agents = list(self._gone), list(self._agents.values())
        for noted in (self._runs, self._jobs, self._gone, self._agents):
            noted.clear()
        size = PAGE_ROWS_MAX
        for at in range(0, max(len(runs), len(jobs), len(gone), len(agents)), size):
            here = slice(at, at + size)
            yield Update(
                0, jobs=jobs[here], jobs_gone=gone[here], runs=runs[here], agents=agents[here]
            )

    def _tell(self, route: bytes, watcher: Watcher, update: Update) -> None:
        watcher.number += 1
        if self._send(route, msgspec.structs.replace(update, number=watcher.number)):
            watcher.failures = 0
            return
        watcher.failures += 1
        if watcher.failures >= FAILURES_MAX:
            self._watchers.pop(route, None)
