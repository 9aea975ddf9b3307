"""What starts in one hour, how many slots that takes, and what could be spread out.

Instants are when runs begin: due times and, behind them, the jitter.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import Final

import msgspec

from tocsin.crowding import crowded
from tocsin.fires import blackout_of, dues, jitter_us
from tocsin.instants import SECOND_US
from tocsin.model import Calendar, Job, JobRow, Overlap

from .forecast import is_paused
from .load import Weight

PARTS: Final = 12
WALKED_MAX: Final = 7200
"""The seconds of two hours: nothing is due more often in an hour, not in one that comes twice."""
OFTEN: Final = 240
"""A job that begins more often takes part in no collision."""
JITTERS_S: Final = (60, 300, 600, 900, 1800)
COLLISION_MIN: Final = 5
_AT_ONCE_MAX: Final = 2
_SHARE_KEPT: Final = 0.1
_AT_ONCE: Final = 100
"""So many runs are looked at in one step."""
_COLLISIONS_TRIED: Final = 2
_OVERLAP_MIN_S: Final = 60.0


class Begin(msgspec.Struct, frozen=True, gc=False):
    """A job's runs of one due time; there are many, and the collector need not look at them."""

    at_us: int
    due_us: int
    job: str
    hosts: int
    usual_s: float


class JobOfHour(msgspec.Struct, frozen=True, gc=False):
    """A job with its starts in the hour."""

    row: JobRow
    begins: tuple[Begin, ...]
    """In the hour; earlier ones that may still run are not in here."""
    earlier: tuple[Begin, ...]
    usual_s: float | None

    @property
    def often(self) -> bool:
        """Whether it begins again and again, so that no jitter takes it apart from others."""
        return len(self.begins) > OFTEN


class Part(msgspec.Struct, frozen=True):
    """One of the twelve parts of an hour."""

    begins: int
    slots: int
    """The most that are taken at one time."""


class Spread(msgspec.Struct, frozen=True):
    """Jitter for jobs that all start in one second, and what it would change in the hour."""

    at_us: int
    jobs: tuple[JobRow, ...]
    jitter_s: float
    begins_before: int
    """The most runs that begin in one second."""
    begins_after: int
    slots_before: int
    slots_after: int

    def changed(self) -> list[Job]:
        """The jobs as they would be."""
        return [msgspec.structs.replace(row.job, jitter_s=self.jitter_s) for row in self.jobs]

    def delays(self) -> list[tuple[str, float]]:
        """By how many seconds each job would begin later, the first one first."""
        later = [(job.name, jitter_us(job) / SECOND_US) for job in self.changed()]
        return sorted(later, key=lambda pair: (pair[1], pair[0]))


class HourDetail:
    """One hour (or the two of one name, when a clock is put back).

    What it has is there once all of `steps` have been walked through, and does not change then.
    """

    def __init__(self, from_us: int, to_us: int, calendars: Mapping[str, Calendar]) -> None:
        self.from_us, self.to_us = from_us, to_us
        self.jobs: list[JobOfHour] = []
        self.here: dict[str, JobOfHour] = {}
        """The jobs that start in the hour, by name, the earliest first."""
        self.parts: list[Part] = []
        """The hour in twelve parts."""
        self.peak = 0, from_us
        """The most slots that are taken at one time in the hour, and when that is first."""
        self.collisions: list[tuple[int, int]] = []
        """Seconds in which several runs begin: instant and number, the worst first."""
        self.whole = False
        self.spread: Spread | None = None
        self._by_second: dict[int, list[tuple[JobOfHour, Begin]]] = {}
        """What begins in each second of the hour, jobs that begin too often left aside."""
        self._longest_first: list[JobOfHour] = []
        self._calendars = calendars

    def steps(self, jobs: Mapping[str, JobRow], weigh: Mapping[str, Weight]) -> Iterator[None]:
        """Find what starts in it and what comes of that, in small steps."""
        found: list[tuple[int, str, JobOfHour]] = []
        for name, row in jobs.items():
            if row.job.enabled and row.job.schedule and not is_paused(row):
                each = yield from self._job(row, weigh.get(name, Weight()))
                if each is not None:
                    found.append((each.begins[0].at_us if each.begins else self.to_us, name, each))
            yield
        found.sort()  # names differ, so no two jobs are compared
        self.jobs = [each for _, _, each in found]
        yield
        self.here = {each.row.job.name: each for each in self.jobs if each.begins}
        yield
        yield from self._count()
        yield from self._find_collisions()
        long = [
            (-each.usual_s, each.row.job.name, each)
            for each in self.jobs
            if each.usual_s is not None and each.usual_s >= _OVERLAP_MIN_S
        ]
        yield
        self._longest_first = [each for _, _, each in sorted(long)]
        self.whole = True

    def _count(self) -> Iterator[None]:
        """Reckon the parts and the peak."""
        length_us = (self.to_us - self.from_us) // PARTS
        begins: Counter[int] = Counter()
        for each in self.jobs:
            for one in each.begins:
                begins[(one.at_us - self.from_us) // length_us] += 1
            yield
        levels = yield from _slots(self._all())
        peaks = []
        for part in range(PARTS):
            begin_us = self.from_us + part * length_us
            peaks.append(_peak(levels, begin_us, begin_us + length_us))
            yield
        self.parts = [Part(begins[part], peaks[part][0]) for part in range(PARTS)]
        self.peak = max(peaks, key=_highest)

    def _find_collisions(self) -> Iterator[None]:
        by_second = self._by_second
        for each in self.jobs:
            if not each.often:
                for one in each.begins:
                    by_second.setdefault(_second(one), []).append((each, one))
            yield
        several = []
        for at_us, there in by_second.items():
            if len(there) >= COLLISION_MIN:
                several.append((at_us, sum(one.hosts for _, one in there)))
                yield
        self.collisions = sorted(several, key=lambda pair: (-pair[1], pair[0]))

    def _job(self, row: JobRow, weight: Weight) -> Generator[None, None, JobOfHour | None]:
        job, usual_s = row.job, weight.usual_s or 0.0
        begins: list[Begin] = []
        earlier: list[Begin] = []
        yield from self._walk(job, weight, (self.from_us, self.to_us), begins)
        if usual_s:
            before_us = self.from_us - round(usual_s * SECOND_US)
            yield from self._walk(job, weight, (before_us, self.from_us), earlier)
        if job.overlap is not Overlap.ALLOW:
            begins = _cut_short(begins)
            earlier = earlier[-1:]  # the others were over, or this one was skipped
        if not begins and not earlier:
            return None
        return JobOfHour(row, tuple(begins), tuple(earlier), weight.usual_s)

    def _walk(
        self, job: Job, weight: Weight, span_us: tuple[int, int], found: list[Begin]
    ) -> Iterator[None]:
        """Add the job's runs that begin within a span, a part of them a step."""
        from_us, to_us = span_us
        later_us, usual_s = jitter_us(job), weight.usual_s or 0.0
        blackout = blackout_of(job, self._calendars)
        for number, (due_us, _) in enumerate(dues(job, from_us - later_us - 1), 1):
            if due_us + later_us >= to_us or number > WALKED_MAX:
                break
            if not blackout(due_us):
                found.append(Begin(due_us + later_us, due_us, job.name, weight.hosts, usual_s))
            if not number % OFTEN:
                yield

    def overlaps(self, job: JobOfHour, count: int) -> list[str]:
        """Jobs that run at the same time as one of its runs: the `count` longest of them."""
        mine = [(one.at_us, one.at_us + one.usual_s * SECOND_US) for one in job.begins]
        found: list[str] = []
        for other in self._longest_first:
            begins = (*other.begins, *other.earlier)
            if other is not job and any(
                one.at_us <= till_us and begin_us < one.at_us + one.usual_s * SECOND_US
                for one in begins
                for begin_us, till_us in mine
            ):
                found.append(other.row.job.name)
                if len(found) == count:
                    break
        return found

    def look_for_spread(self) -> Iterator[None]:
        """Find the smallest jitter that takes the worst collision apart, in small steps.

        It is in `spread` then; None where there is none.
        """
        for at_us, before in self.collisions[:_COLLISIONS_TRIED]:
            there = [each for each, _ in self._by_second[at_us] if not each.row.job.jitter_s]
            yield
            # One that begins again and again in the hour would be moved each time.
            once = [each for each in there if len(each.begins) == 1]
            bounds: dict[str, float] = {}
            rows = [each.row for each in (once if len(once) >= COLLISION_MIN else there)]
            for row in rows:
                bounds[row.job.name] = _longest_jitter_s(row.job)
                yield
            tried = []
            for jitter_s in JITTERS_S:
                fitting = [row for row in rows if jitter_s <= bounds[row.job.name]]
                if len(fitting) >= COLLISION_MIN // 2:
                    tried.append((yield from self._try(at_us, fitting, jitter_s, before)))
                    if tried[-1].begins_after <= _enough(before):
                        break
                yield
            self.spread = _best(tried, before)
            if self.spread is not None:
                return

    def _try(
        self, at_us: int, rows: Sequence[JobRow], jitter_s: float, before: int
    ) -> Generator[None, None, Spread]:
        """What the hour would be like with this jitter."""
        moved: dict[str, int] = {}
        for row in rows:
            job = msgspec.structs.replace(row.job, jitter_s=float(jitter_s))
            moved[job.name] = jitter_us(job)
            yield
        begins: list[Begin] = []
        after: Counter[int] = Counter()
        for each in self.jobs:
            later_us = moved.get(each.row.job.name)
            for begin in (*each.earlier, *each.begins):
                one = begin
                if later_us is not None:
                    one = msgspec.structs.replace(begin, at_us=begin.due_us + later_us)
                begins.append(one)
                after[_second(one)] += one.hosts
            yield
        most = max((n for second_us, n in after.items() if second_us >= self.from_us), default=0)
        levels = yield from _slots(begins)
        top, _ = _peak(levels, self.from_us, self.to_us)
        return Spread(at_us, tuple(rows), float(jitter_s), before, most, self.peak[0], top)

    def _all(self) -> Iterator[Begin]:
        return (one for each in self.jobs for one in (*each.earlier, *each.begins))


def _longest_jitter_s(job: Job) -> float:
    """The longest jitter by which a job's due times do not get into each other's way."""
    for jitter_s in reversed(JITTERS_S):
        if not crowded(msgspec.structs.replace(job, jitter_s=float(jitter_s))):
            return jitter_s
    return 0.0


def _best(tried: Sequence[Spread], before: int) -> Spread | None:
    better = [one for one in tried if one.begins_after < before]
    if not better:
        return None
    return min(better, key=lambda one: (max(one.begins_after, _enough(before)), one.jitter_s))


def _enough(before: int) -> int:
    """How many runs may begin in one second after so many did."""
    return max(_AT_ONCE_MAX, round(before * _SHARE_KEPT))


def _cut_short(begins: Sequence[Begin]) -> list[Begin]:
    """The runs of a job of which there is one at a time: each ends where the next begins."""
    ends = [(after.at_us - one.at_us) / SECOND_US for one, after in pairwise(begins)]
    return [
        msgspec.structs.replace(one, usual_s=min(one.usual_s, end_s))
        for one, end_s in zip(begins, [*ends, inf][: len(begins)], strict=True)
    ]


def _second(begin: Begin) -> int:
    return begin.at_us // SECOND_US * SECOND_US


def _slots(begins: Iterable[Begin]) -> Generator[None, None, list[tuple[int, int]]]:
    """How many slots are taken from each instant at which that changes on."""
    changes: Counter[int] = Counter()
    for number, one in enumerate(begins):
        changes[one.at_us] += one.hosts
        changes[one.at_us + max(round(one.usual_s * SECOND_US), SECOND_US)] -= one.hosts
        if not number % _AT_ONCE:
            yield
    taken, levels = 0, []
    for number, at_us in enumerate(sorted(changes)):
        taken += changes[at_us]
        levels.append((at_us, taken))
        if not number % _AT_ONCE:
            yield
    return levels


def _peak(levels: Sequence[tuple[int, int]], from_us: int, to_us: int) -> tuple[int, int]:
    """The most slots taken within [from, to), and when that is first."""
    first = bisect_right(levels, from_us, key=_instant)
    last = bisect_left(levels, to_us, key=_instant)
    at_first = levels[first - 1][1] if first else 0
    found = [(at_first, from_us), *((taken, at_us) for at_us, taken in levels[first:last])]
    return max(found, key=_highest)


def _highest(level: tuple[int, int]) -> tuple[int, int]:
    """By how many are taken; of equals the first."""
    taken, at_us = level
    return taken, -at_us


def _instant(level: tuple[int, int]) -> int:
    return level[0]
