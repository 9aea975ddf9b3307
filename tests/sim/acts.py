"""What was done, as the durable decisions show it; each act must stand in the audit once."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tocsin.coordinator.machine.commands import (
    Command,
    DropCalendar,
    DropJob,
    DropPool,
    SaveCalendar,
    SaveJob,
    SavePause,
    SavePool,
    SaveRun,
)
from tocsin.coordinator.machine.events import CancelRequested, Event, RerunRequested, RunsRequested
from tocsin.model import AuditEntry, JobRow, Run, RunState

NOUNS: Final = frozenset({"job", "run", "pause", "calendar", "pool"})
"""What is reckoned here; other entries are looked at for the chain alone."""


class Act(NamedTuple):
    """A verb and its noun, what it was done to, and by whom."""

    act: str
    subject: str
    by: str


class Acts:
    """Everything that was done so far."""

    def __init__(self) -> None:
        self.done: list[Act] = []
        self._rows: dict[int, JobRow] = {}
        self._pauses: set[str] = set()
        self._shared: set[tuple[str, str]] = set()

    def note(self, event: Event, commands: list[Command], before: Mapping[str, Run]) -> None:
        """A decision became durable; `before` are the runs as they were then."""
        by = getattr(event, "by", "")
        self.done += [Act(act, subject, by or who) for act, subject, who in self._of(commands)]
        saved = [command.run for command in commands if isinstance(command, SaveRun)]
        if isinstance(event, RunsRequested | RerunRequested):
            verb = "run" if isinstance(event, RunsRequested) else "rerun"
            jobs = {run.job for run in saved if run.id not in before and run.due_us is None}
            self.done += [Act(f"{verb} job", job, by) for job in sorted(jobs)]
        if isinstance(event, CancelRequested):
            killed = {run.job for run in saved if run.id in event.run_ids and _is_killed(run)}
            self.done += [Act("kill run", job, by) for job in sorted(killed)]

    def _of(self, commands: list[Command]) -> Iterator[tuple[str, str, str]]:
        for command in commands:
            match command:
                case SaveJob(row):
                    yield self._saved(row)
                case DropJob(row, by):
                    del self._rows[row.id]
                    yield "remove job", row.job.name, by
                case SavePause(pause):
                    verb = "end" if pause.id in self._pauses else "start"
                    self._pauses.add(pause.id)
                    yield f"{verb} pause", f"{pause.scope} {pause.value}".rstrip(), ""
                case SaveCalendar() | SavePool() | DropCalendar() | DropPool():
                    yield self._of_shared(command)
                case _:
                    pass

    def _saved(self, row: JobRow) -> tuple[str, str, str]:
        old, self._rows[row.id] = self._rows.get(row.id), row
        if old is None:
            verb = "create"
        elif old.version != row.version:
            verb = "change"
        else:
            verb = "pause" if row.paused else "resume"
        return f"{verb} job", row.job.name, row.changed_by

    def _of_shared(
        self, command: SaveCalendar | SavePool | DropCalendar | DropPool
    ) -> tuple[str, str, str]:
        match command:
            case SaveCalendar(calendar):
                key = "calendar", calendar.name
            case SavePool(pool):
                key = "pool", pool.name
            case DropCalendar(name):
                key = "calendar", name
            case DropPool(name):
                key = "pool", name
        if isinstance(command, DropCalendar | DropPool):
            self._shared.discard(key)
            return f"remove {key[0]}", key[1], ""
        verb = "change" if key in self._shared else "create"
        self._shared.add(key)
        return f"{verb} {key[0]}", key[1], ""


def _is_killed(run: Run) -> bool:
    return run.cancel_requested or run.state is RunState.CANCELLED


def faults(entries: list[AuditEntry], acts: list[Act]) -> Iterator[str]:
    """What is wrong with an audit: a broken chain, an act without an entry, an entry too many."""
    digest = ""
    for number, entry in enumerate(entries, 1):
        said = [digest, number, entry.at_us, entry.by, entry.act, entry.subject, entry.detail]
        text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        if (entry.number, entry.digest) != (number, digest):
            yield f"entry {number} does not follow from the one before it: {entry}"
            return
    wanted = Counter(acts)
    found = Counter(
        Act(entry.act, entry.subject, entry.by)
        for entry in entries
        if entry.act.partition(" ")[2] in NOUNS
    )
    for act in wanted | found:
        if wanted[act] != found[act]:
            yield f"{act} was done {wanted[act]} times and has {found[act]} entries"
