"""What applying job files would change, compared with what the coordinator has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from tocsin.fires import Fire, next_fires
from tocsin.jobfile import JobSet, calendar_to_file
from tocsin.jobfile.differing import differences, pairs
from tocsin.model import Agent, Calendar, Job, JobRow, Pool
from tocsin.plan_index import hash_of, index_of, shared_digest, shared_key

FIRES_SHOWN: Final = 5


class Held(NamedTuple):
    """What the coordinator has: at least what is to be compared, and when it was asked for."""

    rows: Mapping[str, JobRow]
    calendars: Mapping[str, Calendar]
    pools: Mapping[str, Pool]
    agents: list[Agent]
    now_us: int


class Prune(NamedTuple):
    """What is to be removed when the files do not have it: jobs with all these labels.

    Without labels it is everything, calendars and pools too.
    """

    labels: Mapping[str, str]

    def concerns(self, job: Job) -> bool:
        """Whether a job that the files do not have is removed."""
        return all(job.labels.get(key) == value for key, value in self.labels.items())


class Change(NamedTuple):
    """What would become of one job."""

    job: Job | None
    """None: it is to be removed."""
    row: JobRow | None
    """The job as the coordinator has it."""

    @property
    def name(self) -> str:
        """The job's name."""
        if self.job is not None:
            return self.job.name
        assert self.row is not None
        return self.row.job.name

    @property
    def action(self) -> str:
        """`create`, `change`, `keep` or `remove`."""
        if self.job is None:
            return "remove"
        return _action(self.job, None if self.row is None else self.row.job)

    @property
    def changed(self) -> dict[str, tuple[object, object]]:
        """The keys of the job file that differ, each with its old and its new value."""
        if self.job is None:
            return {}
        return differences(None if self.row is None else self.row.job, self.job)

    def fires(self, plan: Plan) -> tuple[list[Fire], list[Fire]]:
        """The next due instants before and after the change."""
        held, shown = plan.held, FIRES_SHOWN
        before = next_fires(self.row.job, held.now_us, shown, held.calendars) if self.row else []
        after = next_fires(self.job, held.now_us, shown, plan.calendars) if self.job else []
        return before, after


class SharedChange(NamedTuple):
    """What would become of one calendar or pool."""

    kind: str
    name: str
    new: Calendar | Pool | None
    old: Calendar | Pool | None
    users: list[str]
    """The jobs that would use it."""

    @property
    def action(self) -> str:
        """`create`, `change`, `keep` or `remove`."""
        return "remove" if self.new is None else _action(self.new, self.old)

    @property
    def changed(self) -> dict[str, tuple[object, object]]:
        """The keys that differ, each with its old and its new value."""
        if self.new is None:
            return {}
        return pairs(_shared_keys(self.old), _shared_keys(self.new))


class Plan(msgspec.Struct, frozen=True):
    """All changes, and what was looked at to find them."""

    changes: list[Change]
    shared: list[SharedChange]
    untouched: list[str]
    """Jobs that the coordinator has, and that are left as they are."""
    held: Held
    prune: Prune | None

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to do."""
        actions = [*(each.action for each in self.changes), *(each.action for each in self.shared)]
        return any(action != "keep" for action in actions)

    @property
    def calendars(self) -> dict[str, Calendar]:
        """All calendars as they would be."""
        calendars = dict(self.held.calendars)
        for each in self.shared:
            if isinstance(each.new, Calendar):
                calendars[each.name] = each.new
            elif each.kind == "calendar":
                calendars.pop(each.name, None)
        return calendars

    @property
    def compared(self) -> str:
        """A hash over everything that the files were compared with."""
        options = []
        if self.prune is not None:
            options = ["prune", *(f"{k}={v}" for k, v in sorted(self.prune.labels.items()))]
        return hash_of(self.versions, self.digests, options)

    @property
    def versions(self) -> dict[str, int]:
        """The version that each job had, 0 for none."""
        return {each.name: each.row.version if each.row else 0 for each in self.changes}

    @property
    def digests(self) -> dict[str, str]:
        """The digest that each calendar and pool had, "" for none."""
        return {f"{each.kind} {each.name}": shared_digest(each.old) for each in self.shared}

    @property
    def index(self) -> str:
        """What `tocsin apply --index` takes."""
        return index_of(self.compared, self.held.now_us)


def compare(
    wanted: JobSet,
    held: Held,
    prune: Prune | None = None,
) -> Plan:
    """What has to be done so that the coordinator has what is wanted, in the order of the files."""
    changes = [Change(job, held.rows.get(job.name)) for job in wanted.jobs]
    mine = {job.name for job in wanted.jobs}
    others = [row for name, row in held.rows.items() if name not in mine]
    gone = [row for row in others if prune is not None and prune.concerns(row.job)]
    changes += [Change(None, row) for row in gone]
    removed = {row.job.name for row in gone}
    untouched = [row for row in others if row.job.name not in removed]
    after = [*wanted.jobs, *(row.job for row in untouched)]
    every = prune is not None and not prune.labels
    shared = [
        *_compare_shared(wanted.calendars, held.calendars, after, every=every),
        *_compare_shared(wanted.pools, held.pools, after, every=every),
    ]
    return Plan(changes, shared, [row.job.name for row in untouched], held, prune)


def _compare_shared(
    wanted: Iterable[Calendar | Pool],
    held: Mapping[str, Calendar] | Mapping[str, Pool],
    jobs: list[Job],
    *,
    every: bool,
) -> list[SharedChange]:
    pairs: list[tuple[Calendar | Pool | None, Calendar | Pool | None]] = []
    pairs += [(new, held.get(new.name)) for new in wanted]
    mine = {new.name for new, _ in pairs if new is not None}
    pairs += [(None, old) for name, old in held.items() if every and name not in mine]
    changes = []
    for new, old in pairs:
        thing = new or old
        assert thing is not None
        kind, _, name = shared_key(thing).partition(" ")
        users = [job.name for job in jobs if uses(job, kind, name)]
        changes.append(SharedChange(kind, name, new, old, users))
    return changes


def uses(job: Job, kind: str, name: str) -> bool:
    """Whether a job names this calendar or pool."""
    if kind == "pool":
        return job.pool == name
    return any(entry.calendar == name for entry in job.blackout)


def _action(new: object, old: object | None) -> str:
    if old is None:
        return "create"
    return "keep" if old == new else "change"


def _shared_keys(thing: Calendar | Pool | None) -> dict[str, object]:
    match thing:
        case Calendar():
            return calendar_to_file(thing)
        case Pool():
            return {"slots": thing.slots}
        case None:
            return {}
