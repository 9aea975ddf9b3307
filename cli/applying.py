"""How a plan is looked up, and put: in one request, or in parts that are done together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from tocsin.errors import RequestError
from tocsin.jobfile import JobSet
from tocsin.messages.client_answers import AgentsPage, AuditPage, Done, JobsPut, Shared, Status
from tocsin.messages.client_link import GetShared, GetStatus, ListAgents, ListAudit, PutJobs
from tocsin.model import AuditEntry, Calendar, Job, JobRow, Pool
from tocsin.plan_index import parse_index

from .asking import some_jobs
from .plan import Change, Held, Plan, Prune, compare
from .tables import cell, local_time

if TYPE_CHECKING:
    from tocsin.session import Session

_REQUEST_BYTES: Final = 640 << 10
"""So much of definitions in one request at most, so that names and versions fit beside."""
_REQUEST_THINGS: Final = 500
_PUT_S: Final = 120.0
"""A change of many thousand jobs takes the coordinator a while."""
_DEFINING: Final = frozenset(
    f"{verb} {noun}"
    for verb in ("create", "change", "remove")
    for noun in ("job", "calendar", "pool")
)
_CULPRITS_SHOWN: Final = 5


def hold(session: Session, wanted: JobSet, *, every: bool, agents: bool = False) -> Held:
    """What the coordinator has of what is wanted, or with `every` of everything."""
    if every:
        rows = {row.job.name: row for row in session.jobs()}
    else:
        rows = some_jobs(session, [job.name for job in wanted.jobs])
    shared = session.answer(Shared, GetShared())
    return Held(
        rows,
        {calendar.name: calendar for calendar in shared.calendars},
        {pool.name: pool for pool in shared.pools},
        session.answer(AgentsPage, ListAgents()).rows if agents else [],
        session.answer(Status, GetStatus()).now_us,
    )


def put_set(session: Session, wanted: JobSet) -> JobsPut:
    """Make the coordinator's jobs, calendars and pools as these are; others are left alone."""
    return put(session, compare(wanted, hold(session, wanted, every=False)))


def remove_jobs(session: Session, rows: list[JobRow]) -> None:
    """Remove jobs, all or none; each must still be as its row says.

    Raises:
        RequestError: the coordinator declined, and nothing is done.
    """
    changes = [Change(None, row) for row in rows]
    put(session, Plan(changes, [], [], Held({}, {}, {}, [], 0), None))


def put(session: Session, plan: Plan, *, dry_run: bool = False) -> JobsPut:
    """Do what is planned, all or nothing; everything must still be as it was compared.

    Raises:
        RequestError: the coordinator declined, and nothing is done.
    """
    parts = [*_parts(plan)]
    for number, part in enumerate(parts[:-1]):
        session.answer(Done, replace(part, part=number, more=True), _PUT_S)
    last = replace(parts[-1], part=len(parts) - 1, dry_run=dry_run)
    return session.answer(JobsPut, last, _PUT_S)


def _parts(plan: Plan) -> Iterator[PutJobs]:
    """The plan in requests that fit into a message each; at least one."""
    names, size = _lists(), 0
    count = 0
    for key, thing, expected in _things(plan):
        thing_bytes = len(msgspec.msgpack.encode(thing))
        if count and (size + thing_bytes > _REQUEST_BYTES or count == _REQUEST_THINGS):
            yield PutJobs(**names)
            names, size, count = _lists(), 0, 0
        names[key].append(thing)
        names[expected[0]][expected[1]] = expected[2]
        size += thing_bytes
        count += 1
    yield PutJobs(**names)


def _lists() -> dict[str, Any]:
    lists = ("jobs", "remove", "calendars", "pools", "remove_calendars", "remove_pools")
    return {**{name: [] for name in lists}, "expected": {}, "expected_shared": {}}


_Expected = tuple[str, str, int | str]


def _things(plan: Plan) -> Iterator[tuple[str, Job | Calendar | Pool | str, _Expected]]:
    """What stands in a request: under which key, what, and what it must still be."""
    versions, digests = plan.versions, plan.digests
    for shared in plan.shared:
        subject = f"{shared.kind} {shared.name}"
        expected = ("expected_shared", subject, digests[subject])
        if shared.new is None:
            yield f"remove_{shared.kind}s", shared.name, expected
        else:
            yield f"{shared.kind}s", shared.new, expected
    for change in plan.changes:
        version = ("expected", change.name, versions[change.name])
        if change.job is None:
            yield "remove", change.name, version
        else:
            yield "jobs", change.job, version


def check_index(session: Session, plan: Plan, index: str) -> None:
    """Refuse to go on when what an earlier plan was compared with has changed since.

    Raises:
        RequestError: it has; names what was changed and by whom.
    """
    planned_us, compared = parse_index(index)
    if compared == plan.compared:
        return
    subjects = {*plan.versions, *(shared.name for shared in plan.shared)}
    culprits = [
        cell(_culprit(entry))
        for entry in _changes_since(session, planned_us)
        if plan.prune is not None or entry.subject in subjects  # pruning looks at every name
    ]
    more = f"; and {len(culprits) - _CULPRITS_SHOWN} more" * (len(culprits) > _CULPRITS_SHOWN)
    said = "; ".join(culprits[:_CULPRITS_SHOWN]) + more
    raise RequestError(
        f"since the plan {index}: {said or 'other files, options or jobs are compared'}",
        "nothing was changed; look at it again: tocsin plan",
    )


def _changes_since(session: Session, since_us: int) -> Iterator[AuditEntry]:
    """Who changed definitions since, newest first."""
    before, more = 0, True
    while more:
        page = session.answer(AuditPage, ListAudit("", since_us, before))
        for entry in page.rows:
            before = entry.number
            if entry.act in _DEFINING:
                yield entry
        more = page.more


def _culprit(entry: AuditEntry) -> str:
    verb, _, noun = entry.act.partition(" ")
    done = {"create": "created", "change": "changed", "remove": "removed"}[verb]
    return f"{noun} {entry.subject} was {done} by {entry.by} at {local_time(entry.at_us)}"


def prune_of(wanted: JobSet, *, prune: bool, labels: dict[str, str]) -> Prune | None:
    """What is to be pruned.

    Raises:
        RequestError: the files hold no job, so that every job would go.
    """
    if not prune:
        return None
    if not wanted.jobs:
        raise RequestError(
            "these files hold no job, so --prune would remove every job",
            "name the files that define them; to remove jobs: tocsin job rm NAME…",
        )
    return Prune(labels)
