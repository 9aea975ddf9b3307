"""The fires to come of many jobs, counted by columns of equal width.

A `Forecast` holds those of one span. It is reckoned once for each version of a job, in small steps
(`Forecast.steps`), so that whoever draws can do something else in between; drawing then costs
nothing but looking up. Jobs with the same schedule share one reckoning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from tocsin.fires import Says, blackout_of, dues, schedules_of
from tocsin.instants import SECOND_US
from tocsin.model import Calendar, Job, JobRow, Pause
from tocsin.schedule.density import QUARTER_S, count_quarters

from .pause_times import pause_times, without

QUARTER_US: Final = QUARTER_S * SECOND_US
WALKED_MAX: Final = 600
"""A job that is due more often in a span is counted by quarters of an hour, which are spread
evenly over the columns."""
_MINUTE_US: Final = 60 * SECOND_US
_MINUTES: Final = QUARTER_S // 60


class Span(msgspec.Struct, frozen=True):
    """Columns of `column_us`, numbered from 1970-01-01T00:00Z on."""

    column_us: int
    first: int
    count: int

    @property
    def from_us(self) -> int:
        """Its first instant."""
        return self.first * self.column_us

    @property
    def to_us(self) -> int:
        """The first instant behind it."""
        return (self.first + self.count) * self.column_us

    def holds(self, other: Span) -> bool:
        """Whether it has all columns of another."""
        return (
            self.column_us == other.column_us
            and self.first <= other.first
            and other.first + other.count <= self.first + self.count
        )


class Fires(msgspec.Struct, frozen=True):
    """How often a job is due, by column; columns in which it is not are left out."""

    due: Mapping[int, int] = {}
    barred: Mapping[int, int] = {}
    """Due times in a blackout: they will be skipped."""


NO_FIRES: Final = Fires()


def fires_in(job: Job, span: Span, calendars: Mapping[str, Calendar]) -> Fires:
    """The fires of a job within a span, whatever pauses it."""
    if not job.enabled or not job.schedule:
        return NO_FIRES
    first = span.from_us // QUARTER_US
    end = -(-span.to_us // QUARTER_US)
    quarters = _quarters(job, first, end - first)
    total = sum(quarters)
    if not total:
        return NO_FIRES
    plain = not job.blackout and job.starts_at_us is None and job.expires_at_us is None
    whole_quarters = span.column_us % QUARTER_US == 0
    if total > WALKED_MAX or (plain and whole_quarters and len(job.schedule) == 1):
        return _spread(quarters, first, span, _open_share(job, calendars, plain=plain))
    return _walked(job, span, blackout_of(job, calendars))


def _walked(job: Job, span: Span, blackout: Says) -> Fires:
    due: Counter[int] = Counter()
    barred: Counter[int] = Counter()
    for at_us, _ in dues(job, span.from_us - 1):
        if at_us >= span.to_us:
            break
        (barred if blackout(at_us) else due)[at_us // span.column_us] += 1
    return Fires(due, barred)


def _quarters(job: Job, first: int, count: int) -> list[int]:
    """The due times by quarter; those that several schedules share count more than once."""
    each = [count_quarters(schedule, first, count) for schedule in schedules_of(job)]
    return each[0] if len(each) == 1 else [sum(counts) for counts in zip(*each, strict=True)]


class _Share:
    """Which share of a quarter is open, by its minutes: within the job's life, in no blackout."""

    def __init__(self, job: Job, blackout: Says) -> None:
        self._from_us = job.starts_at_us
        self._to_us = job.expires_at_us
        self._blackout = blackout

    def of(self, quarter: int) -> tuple[float, float]:
        """The shares that are open and barred."""
        opened = barred = 0
        for minute in range(_MINUTES):
            at_us = quarter * QUARTER_US + minute * _MINUTE_US
            if self._from_us is not None and at_us + _MINUTE_US <= self._from_us:
                continue
            if self._to_us is not None and at_us >= self._to_us:
                continue
            if self._blackout(at_us):
                barred += 1
            else:
                opened += 1
        return opened / _MINUTES, barred / _MINUTES


def _open_share(job: Job, calendars: Mapping[str, Calendar], *, plain: bool) -> _Share | None:
    return None if plain else _Share(job, blackout_of(job, calendars))


def _spread(quarters: Sequence[int], first: int, span: Span, share: _Share | None) -> Fires:
    """Counts of quarters as counts of columns."""
    due: dict[int, float] = {}
    barred: dict[int, float] = {}
    for place, times in enumerate(quarters):
        if not times:
            continue
        opened, closed = (1.0, 0.0) if share is None else share.of(first + place)
        if opened:
            _pour(due, times * opened, first + place, span)
        if closed:
            _pour(barred, times * closed, first + place, span)
    return Fires(_whole(due), _whole(barred))


def _pour(columns: dict[int, float], times: float, quarter: int, span: Span) -> None:
    """Spread what is due in a quarter over the columns that it reaches into."""
    from_us = quarter * QUARTER_US
    column = from_us // span.column_us
    while (begin_us := column * span.column_us) < from_us + QUARTER_US:
        end_us = min(begin_us + span.column_us, from_us + QUARTER_US)
        part = (end_us - max(begin_us, from_us)) / QUARTER_US
        if span.first <= column < span.first + span.count:
            columns[column] = columns.get(column, 0.0) + times * part
        column += 1


def _whole(columns: Mapping[int, float]) -> dict[int, int]:
    """Whole counts; what is carried over rounding is kept, so that the sum stays."""
    found, left = {}, 0.0
    for column in sorted(columns):
        left += columns[column]
        count = round(left)
        if count > 0:
            found[column] = count
            left -= count
    return found


class Forecast:
    """The fires of all jobs within a span.

    `steps` must be walked through after each change of the jobs; until then `whole` is false and
    the totals leave out what is not reckoned yet.
    """

    def __init__(self, span: Span, calendars: Mapping[str, Calendar]) -> None:
        self.span = span
        self.totals: Counter[int] = Counter()
        """How many jobs' fires that will run there are in each column."""
        self._calendars = calendars
        self._fires: dict[str, Fires] = {}
        self._counted: dict[str, Mapping[int, int]] = {}
        """What of the fires is in the totals."""
        self._pauses: Sequence[Pause] = ()
        self._rows: dict[str, JobRow] = {}
        self._shared: dict[object, Fires] = {}
        self._seen: Mapping[str, JobRow] = {}
        self._stale: dict[str, None] = {}

    @property
    def whole(self) -> bool:
        """Whether all jobs have been reckoned as they are."""
        return not self._stale

    def follow(self, jobs: Mapping[str, JobRow], pauses: Sequence[Pause] = ()) -> None:
        """Take note of what the jobs and the maintenance are now; nothing is reckoned yet."""
        if jobs is self._seen and pauses == self._pauses:
            return
        known, others = self._rows, pauses != self._pauses
        self._seen, self._pauses = jobs, pauses
        for name, row in jobs.items():
            before = known.get(name)
            if others or (before is not row and (before is None or not _same(before, row))):
                self._stale[name] = None
        for name in [name for name in known if name not in jobs]:
            self._stale[name] = None

    def steps(self) -> Iterator[None]:
        """Reckon what is not reckoned yet, one job a step."""
        while self._stale:
            name = next(iter(self._stale))
            self._take(name)
            yield

    def of(self, row: JobRow) -> Fires:
        """The fires of one job; reckoned on the spot if they are not known."""
        name = row.job.name
        if name in self._stale:
            self._take(name)
        found = self._fires.get(name)
        return self._reckon(row.job) if found is None else found

    def _take(self, name: str) -> None:
        self._stale.pop(name, None)
        if self._rows.pop(name, None) is not None:
            self.totals.subtract(self._counted.pop(name))
        row = self._seen.get(name)
        if row is None:
            self._fires.pop(name, None)
            return
        fires = self._reckon(row.job)
        self._rows[name], self._fires[name] = row, fires
        counted = without(fires.due, pause_times(row, self._pauses), self.span.column_us)
        self._counted[name] = counted
        self.totals.update(counted)

    def _reckon(self, job: Job) -> Fires:
        if not job.enabled or not job.schedule:
            return NO_FIRES
        key = fires_key(job)
        found = self._shared.get(key)
        if found is None:
            found = self._shared[key] = fires_in(job, self.span, self._calendars)
        return found


def fires_key(job: Job) -> tuple[object, ...]:
    """What the fires of a job depend on: jobs with the same key have the same ones."""
    return (
        tuple(schedules_of(job)),
        job.enabled,
        job.starts_at_us,
        job.expires_at_us,
        tuple(job.blackout),
        job.timezone if job.blackout else "",
    )


def is_paused(row: JobRow) -> bool:
    """Whether the due times of a job pass until somebody resumes it."""
    return row.paused and row.pause_until_us is None


def _same(one: JobRow, other: JobRow) -> bool:
    """Whether two rows of a job have the same fires."""
    return _of_fires(one) == _of_fires(other)


def _of_fires(row: JobRow) -> tuple[object, ...]:
    return row.id, row.version, row.paused, row.pause_until_us
