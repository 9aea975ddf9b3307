"""`PutJobs`: in parts or whole, checked against all that exists, all of it or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from tocsin.errors import ConfigError, ExecutorError, RequestError, ScheduleError
from tocsin.instants import SECOND_US, Now, to_rfc3339
from tocsin.messages.client_answers import Answer, Done
from tocsin.messages.client_link import PutJobs
from tocsin.model import Calendar, Job, JobRow, Pool
from tocsin.params import faults as params_faults
from tocsin.plan_index import shared_digest
from tocsin.schedule import parse
from tocsin.schedule.calendars import compile_calendar

from .catalogue import Catalogue
from .gateway import ClientAsked
from .machine import blackouts
from .machine.events import JobsPut
from .machine.jobs import preview
from .machine.machine import Machine
from .ordering import check_order
from .store.port import Store

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}", re.ASCII)
JOBS_MAX: Final = 20_000
"""The most jobs of one change: agents wait while it is made."""
PARTS_MAX: Final = 64
"""The most messages of one change."""
UPLOADS_MAX: Final = 4
"""So many changes may be half sent; beyond them the oldest is forgotten."""
UPLOAD_IDLE_US: Final = 60 * SECOND_US
POOL_SLOTS_MAX: Final = 100_000
NAMED_MAX: Final = 5
"""So many names stand in a sentence."""


class _Upload(msgspec.Struct):
    """The parts of one change that are here, joined."""

    whole: PutJobs
    parts: int
    heard_us: int
    """Steady clock."""


class Applying:
    """Turns `PutJobs` into the event that the machine decides, or says why not."""

    def __init__(self, store: Store, machine: Machine, catalogue: Catalogue) -> None:
        self._store = store
        self._machine = machine
        self._catalogue = catalogue
        self._uploads: dict[bytes, _Upload] = {}

    def take(self, asked: ClientAsked, ask: PutJobs, now: Now) -> Answer | JobsPut:
        """The event for a whole request; `Done` for a part that is followed by another.

        Raises:
            RequestError: it cannot be done; nothing of it is.
        """
        route = asked.asker[0]
        try:
            for job in ask.jobs:
                self._check(job)
            whole = self._join(route, ask, now)
        except RequestError:
            self._uploads.pop(route, None)
            raise
        if ask.more:
            return Done([])
        self._uploads.pop(route, None)
        put = self._event(asked, whole)
        self._check_whole(put)
        return preview(put) if ask.dry_run else put

    # Parts.

    def _join(self, route: bytes, ask: PutJobs, now: Now) -> PutJobs:
        """All parts so far as one request."""
        self._forget_idle(now)
        upload = self._uploads.get(route)
        if ask.part == 0:
            upload = _Upload(ask, 1, now.steady_us)
        elif upload is None or upload.parts != ask.part:
            raise RequestError("the parts before this one are not here", "apply it again")
        else:
            upload = _Upload(_joined(upload.whole, ask), upload.parts + 1, now.steady_us)
        count = len(upload.whole.jobs) + len(upload.whole.remove)
        if count > JOBS_MAX or upload.parts > PARTS_MAX:
            raise RequestError(
                f"one change has at most {JOBS_MAX} jobs and {PARTS_MAX} messages",
                "apply some of the files, and then the others",
            )
        if ask.more:
            self._uploads.pop(route, None)
            self._uploads[route] = upload
            while len(self._uploads) > UPLOADS_MAX:
                del self._uploads[next(iter(self._uploads))]
        return upload.whole

    def _forget_idle(self, now: Now) -> None:
        idle = [r for r, u in self._uploads.items() if u.heard_us < now.steady_us - UPLOAD_IDLE_US]
        for route in idle:
            del self._uploads[route]

    # The change as a whole.

    def _event(self, asked: ClientAsked, ask: PutJobs) -> JobsPut:
        names = [job.name for job in ask.jobs]
        _check_single([*names, *ask.remove], "job")
        found = self._store.jobs_by_name([*names, *ask.remove])
        self._check_versions(ask, found)
        missing = [name for name in ask.remove if name not in found]
        if missing:
            raise RequestError(f"there is no job {_some(missing)}", "see: tocsin job list")
        calendars, pools = self._machine.calendars(), self._machine.pools()
        _check_shared(ask, calendars, pools)
        again = [name for name in names if name not in found]
        return JobsPut(
            asked.asker,
            asked.by,
            [(job, found.get(job.name)) for job in ask.jobs],
            removals=[found[name] for name in ask.remove],
            calendars=[(calendar, calendars.get(calendar.name)) for calendar in ask.calendars],
            pools=[(pool, pools.get(pool.name)) for pool in ask.pools],
            remove_calendars=ask.remove_calendars,
            remove_pools=ask.remove_pools,
            last_versions=self._store.last_versions(again) if again else {},
        )

    def _check_versions(self, ask: PutJobs, found: Mapping[str, JobRow]) -> None:
        wrong = []
        for name in (*(job.name for job in ask.jobs), *ask.remove):
            row = found.get(name)
            version = row.version if row is not None else 0
            if ask.expected.get(name, version) != version:
                wrong.append(_changed(name, ask.expected[name], row))
        if wrong:
            more = f"; and {len(wrong) - NAMED_MAX} more" if len(wrong) > NAMED_MAX else ""
            raise RequestError(
                "; ".join(wrong[:NAMED_MAX]) + more,
                "somebody changed it meanwhile: look at tocsin plan again",
            )

    def _check_whole(self, put: JobsPut) -> None:
        """What must hold for all jobs together, as they would be after the change.

        Raises:
            RequestError: it would not hold; names who is concerned.
        """
        self._check_named(put)
        self._check_unused(put)
        removed = {row.job.name for row in put.removals}
        jobs = [job for job, _ in put.puts]
        check_order(jobs, removed, self._machine, self._store.jobs_by_name)

    def _check_named(self, put: JobsPut) -> None:
        """The calendars and pools that jobs name must be there."""
        calendars = {*self._machine.calendars(), *(new.name for new, _ in put.calendars)}
        calendars -= set(put.remove_calendars)
        pools = {*self._machine.pools(), *(new.name for new, _ in put.pools)}
        pools -= set(put.remove_pools)
        for job, _ in put.puts:
            try:
                blackouts.check(job, calendars)
            except ScheduleError as error:
                raise RequestError(f"job {job.name}: {error.message}", error.hint) from error
            if job.pool and job.pool not in pools:
                raise RequestError(
                    f"job {job.name}: there is no pool {job.pool!r}",
                    "define it in a job file, under pools",
                )

    def _check_unused(self, put: JobsPut) -> None:
        """A calendar or pool that a job names is not removed; jobs of the request were checked."""
        changed = {job.name for job, _ in put.puts} | {row.job.name for row in put.removals}
        gone = [("calendar", put.remove_calendars), ("pool", put.remove_pools)]
        for kind, names in gone:
            for name in names:
                users = [job for job in self._store.jobs_with(kind, name) if job not in changed]
                if users:
                    raise RequestError(
                        f"{kind} {name} is used by job {_some(users)}",
                        f"change or remove these jobs first, or keep the {kind}",
                    )

    # One job.

    def _check(self, job: Job) -> None:
        """What a client should have checked; one that did not must not do harm."""
        if not NAME.fullmatch(job.name):
            raise RequestError(f"{job.name!r} is no name for a job")
        if job.timeout_s <= 0 or job.output.keep_bytes < 0:
            raise RequestError(f"job {job.name}: timeout and output.keep must be positive")
        by_itself = bool(job.schedule or job.after)
        for path, wrong in params_faults(job.params, fires_by_itself=by_itself):
            raise RequestError(f"job {job.name}: {'.'.join(path)}: {wrong}")
        try:
            for text in job.schedule:
                parse(text, job.timezone, key=job.name, dst=job.dst)
            self._catalogue.check(job.executor, job.config)
            self._catalogue.check_capabilities(job)
        except (ConfigError, ExecutorError) as error:
            raise RequestError(f"job {job.name}: {error.message}", error.hint) from error
        except msgspec.ValidationError as error:
            raise RequestError(f"job {job.name}: {job.executor}: {error}") from error


def _joined(first: PutJobs, then: PutJobs) -> PutJobs:
    return msgspec.structs.replace(
        then,
        jobs=first.jobs + then.jobs,
        expected={**first.expected, **then.expected},
        remove=first.remove + then.remove,
        calendars=first.calendars + then.calendars,
        pools=first.pools + then.pools,
        remove_calendars=first.remove_calendars + then.remove_calendars,
        remove_pools=first.remove_pools + then.remove_pools,
        expected_shared={**first.expected_shared, **then.expected_shared},
    )


def _check_single(names: list[str], kind: str) -> None:
    if len(set(names)) < len(names):
        raise RequestError(f"a {kind} is given twice", f"name each {kind} once in a request")


def _check_shared(
    ask: PutJobs, calendars: Mapping[str, Calendar], pools: Mapping[str, Pool]
) -> None:
    """The calendars and pools of a request, each by itself."""
    _check_single([*(each.name for each in ask.calendars), *ask.remove_calendars], "calendar")
    _check_single([*(each.name for each in ask.pools), *ask.remove_pools], "pool")
    for calendar in ask.calendars:
        _check_calendar(calendar)
    for pool in ask.pools:
        _check_shared_name(pool.name)
        if not 1 <= pool.slots <= POOL_SLOTS_MAX:
            raise RequestError(f"pool {pool.name}: it has 1 to {POOL_SLOTS_MAX} slots")
    _check_there(ask.remove_calendars, calendars, "calendar")
    _check_there(ask.remove_pools, pools, "pool")
    for key, digest in ask.expected_shared.items():
        kind, _, name = key.partition(" ")
        found = calendars.get(name) if kind == "calendar" else pools.get(name)
        if shared_digest(found) != digest:
            raise RequestError(
                f"{key} is not what it was",
                "somebody changed it meanwhile: look at tocsin plan again",
            )


def _check_calendar(calendar: Calendar) -> None:
    _check_shared_name(calendar.name)
    try:
        compile_calendar(calendar.dates)
    except ScheduleError as error:
        raise RequestError(f"calendar {calendar.name}: {error.message}", error.hint) from error


def _check_shared_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise RequestError(f"{name!r} is no name for a calendar or a pool")


def _check_there(names: list[str], there: Mapping[str, object], kind: str) -> None:
    missing = [name for name in names if name not in there]
    if missing:
        raise RequestError(f"there is no {kind} {_some(missing)}", "look at tocsin plan again")


def _changed(name: str, expected: int, row: JobRow | None) -> str:
    if row is None:
        return f"job {name} was removed, and was to be at version {expected}"
    who = f"{row.changed_by or 'somebody'} at {to_rfc3339(row.changed_us)}"
    if expected == 0:
        return f"job {name} exists: it was made by {who}"
    return f"job {name} is at version {row.version} now, not {expected}: changed by {who}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return ", ".join(names[:NAMED_MAX]) + more
