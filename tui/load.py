"""How much falls into each hour of a week: fires, minutes that jobs run, and the share of slots.

Counts are kept by quarters of an hour and by the zone of the jobs, so that any zone's clock can be
laid over them. A run is taken to last as long as its job's runs usually do.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

import msgspec

from tocsin.model import Calendar, Job, JobRow, Overlap
from tocsin.schedule.density import QUARTER_S
from tocsin.schedule.zones import load_zone

from .forecast import NO_FIRES, QUARTER_US, Fires, Span, fires_in, fires_key, is_paused

DAYS: Final = 7
HOURS: Final = 24
_MARGIN_QUARTERS: Final = 60
"""No zone's day begins further from that of UTC."""
_SHARED_MAX: Final = 512


class Metric(enum.Enum):
    """What a cell of the map tells."""

    FIRES = "fires"
    MINUTES = "job-minutes"
    SLOTS = "slots %"


class Weight(msgspec.Struct, frozen=True):
    """What one fire of a job costs: on how many agents it runs, and for how long each time."""

    hosts: int = 1
    usual_s: float | None = None


class Layer(msgspec.Struct):
    """The load of the jobs of one zone, by quarter."""

    fires: list[int]
    busy_s: list[float]


class Hour(msgspec.Struct, frozen=True):
    """An hour of a day as a clock shows it.

    It is empty where it does not exist, and longer where the clock shows it twice.
    """

    day: date
    hour: int
    fires: int = 0
    busy_s: float = 0.0
    quarters: int = 0
    from_us: int = 0
    to_us: int = 0

    def value(self, metric: Metric, slots: int) -> float:
        """What the metric says of it."""
        match metric:
            case Metric.FIRES:
                return self.fires
            case Metric.MINUTES:
                return self.busy_s / 60
            case Metric.SLOTS:
                offered_s = self.quarters * QUARTER_S * slots
                return 100 * self.busy_s / offered_s if offered_s else 0.0


class Load:
    """The load of a week whose first day is `first_day`."""

    def __init__(self, first_day: date, calendars: Mapping[str, Calendar]) -> None:
        self.first_day = first_day
        midnight = datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC)
        first = int(midnight.timestamp()) // QUARTER_S - _MARGIN_QUARTERS
        count = DAYS * HOURS * 4 + 2 * _MARGIN_QUARTERS
        self.span = Span(QUARTER_US, first, count)
        self.layers: dict[str, Layer] = {}
        self.unknown = 0
        """Jobs that fire and of which nobody knows how long they take: they count no minutes."""
        self.paused = 0
        """Jobs that are left out because they are paused without an end."""
        self.jobs = 0
        """Jobs that fire."""
        self.whole = False
        self._calendars = calendars
        self._shared: dict[object, Fires] = {}

    def steps(
        self, jobs: Mapping[str, JobRow], weigh: Callable[[JobRow], Weight]
    ) -> Iterator[None]:
        """Reckon it, one job a step."""
        for row in jobs.values():
            if is_paused(row):
                self.paused += 1
            else:
                self._add(row.job, weigh(row))
            yield
        self.whole = True

    def _add(self, job: Job, weight: Weight) -> None:
        fires = self._fires(job)
        if not fires.due:
            return
        self.jobs += 1
        layer = self.layers.get(job.timezone)
        if layer is None:
            layer = Layer([0] * self.span.count, [0.0] * self.span.count)
            self.layers[job.timezone] = layer
        first = self.span.first
        counts = layer.fires
        for quarter, times in fires.due.items():
            counts[quarter - first] += times
        if weight.usual_s is None:
            self.unknown += 1
            return
        for place, busy_s in busy(job, fires, weight, self.span).items():
            layer.busy_s[place] += busy_s

    def _fires(self, job: Job) -> Fires:
        if not job.enabled or not job.schedule:
            return NO_FIRES
        key = fires_key(job)
        found = self._shared.get(key)
        if found is None:
            found = fires_in(job, self.span, self._calendars)
            if len(self._shared) < _SHARED_MAX:
                self._shared[key] = found
        return found

    def grid(self, zone: tzinfo | None, *, own_zones: bool = False) -> list[list[Hour]]:
        """The hours of each day by the clock of `zone` (None: the system's), or by each job's."""
        if not own_zones or not self.layers:
            return self._lay(self._together(), zone)
        grids = [self._lay(layer, load_zone(name)) for name, layer in self.layers.items()]
        return [[_sum(cells) for cells in zip(*rows, strict=True)]
                for rows in zip(*grids, strict=True)]  # fmt: skip

    def _together(self) -> Layer:
        """All layers as one: quarters are the same ones in each zone."""
        count = self.span.count
        layers = self.layers.values()
        return Layer(
            [sum(counts) for counts in zip(*(layer.fires for layer in layers), strict=True)]
            or [0] * count,
            [sum(spans) for spans in zip(*(layer.busy_s for layer in layers), strict=True)]
            or [0.0] * count,
        )

    def _lay(self, layer: Layer, zone: tzinfo | None) -> list[list[Hour]]:
        cells: dict[tuple[date, int], list[int]] = {}
        for place in range(self.span.count):
            shown = datetime.fromtimestamp((self.span.first + place) * QUARTER_S, UTC)
            shown = shown.astimezone(zone)
            cells.setdefault((shown.date(), shown.hour), []).append(place)
        rows = []
        for number in range(DAYS):
            day = self.first_day + timedelta(days=number)
            rows.append(
                [self._hour(layer, day, hour, cells.get((day, hour), [])) for hour in range(HOURS)]
            )
        return rows

    def _hour(self, layer: Layer, day: date, hour: int, places: Sequence[int]) -> Hour:
        if not places:
            return Hour(day, hour)
        first = self.span.first
        return Hour(
            day,
            hour,
            sum(layer.fires[place] for place in places),
            sum(layer.busy_s[place] for place in places),
            len(places),
            (first + places[0]) * QUARTER_US,
            (first + places[-1] + 1) * QUARTER_US,
        )


def busy(job: Job, fires: Fires, weight: Weight, span: Span) -> dict[int, float]:
    """For how many seconds the job's runs last in each quarter, all agents together.

    Where runs of a job may not overlap, they are no longer than the quarter.
    """
    found: dict[int, float] = {}
    usual_s = weight.usual_s or 0.0
    alone = job.overlap is not Overlap.ALLOW
    for quarter, times in fires.due.items():
        place = quarter - span.first
        at_once = 1 if alone and usual_s > QUARTER_S else times
        left_s = usual_s
        while left_s > 0 and place < span.count:
            part_s = min(left_s, QUARTER_S)
            found[place] = found.get(place, 0.0) + part_s * at_once * weight.hosts
            left_s -= part_s
            place += 1
    if alone:
        bound_s = float(QUARTER_S * weight.hosts)
        return {place: min(busy_s, bound_s) for place, busy_s in found.items()}
    return found


def _sum(cells: Sequence[Hour]) -> Hour:
    first = cells[0]
    if len(cells) == 1:
        return first
    there = [cell for cell in cells if cell.quarters]
    return Hour(
        first.day,
        first.hour,
        sum(cell.fires for cell in cells),
        sum(cell.busy_s for cell in cells),
        max(cell.quarters for cell in cells),
        min((cell.from_us for cell in there), default=0),
        max((cell.to_us for cell in there), default=0),
    )


def hosts_of(job: Job, fitting: int) -> int:
    """On how many agents a fire of a job runs, when so many fit."""
    wanted = job.target.agents
    return max(fitting if wanted == "all" else min(wanted, max(fitting, 1)), 1)
