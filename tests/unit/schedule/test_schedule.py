"""The questions a schedule answers, and everything that is no cron expression."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from tocsin.errors import ScheduleError
from tocsin.schedule import parse, reload_zones

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US


def _utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def _us(moment: datetime) -> int:
    return (moment - _utc(1970, 1, 1)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (_utc(2026, 1, 1, 9, 59, 59, 999_999), _utc(2026, 1, 1, 10)),
        (_utc(2026, 1, 1, 10), _utc(2026, 1, 2, 10)),
        (_utc(2026, 1, 1, 10, 0, 0, 1), _utc(2026, 1, 2, 10)),
        (_utc(1965, 1, 1, 10, 0, 0, 1), _utc(1965, 1, 2, 10)),
    ],
)
def test_due_is_later_than_after_to_the_microsecond(after: datetime, due: datetime) -> None:
    """A due time follows `after` by at least a microsecond, before the epoch too."""
    schedule = parse("0 10 * * *")
    assert schedule.next(after) == due
    assert schedule.next_us(_us(after)) == _us(due)


def test_due_times_are_in_the_schedules_zone() -> None:
    """Whatever zone `after` is in, the answer is in the schedule's."""
    due = parse("0 10 * * *", "Europe/Paris").next(_utc(2026, 7, 1))
    assert due == datetime(2026, 7, 1, 10, tzinfo=ZoneInfo("Europe/Paris"))
    assert due is not None
    assert due.tzinfo is ZoneInfo("Europe/Paris")


def test_a_naive_time_is_refused() -> None:
    """A time without a zone is no instant."""
    with pytest.raises(ValueError, match="no time zone"):
        parse("@daily").next(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize("text", ["@daily", "@every 1h", "0 0 29 2 *", "30 2 * * *"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "America/New_York"])
def test_the_ends_of_time_are_no_errors(text: str, zone: str) -> None:
    """Before the first representable year there is a next time; after the last there is none."""
    schedule = parse(text, zone)
    assert schedule.next(datetime.min.replace(tzinfo=UTC)) is not None
    assert schedule.next(datetime.max.replace(tzinfo=UTC)) is None
    assert schedule.next_us(_us(_utc(9998, 1, 1))) is None
    assert schedule.next_us(-(10**30)) is not None
    assert schedule.next_us(10**30) is None


@pytest.mark.parametrize(
    ("text", "interval_s"),
    [("*/5 * * * *", 300), ("@daily", 86_400), ("@every 90s", 90), ("*/10 * * * * *", 10)],
)
def test_the_interval_is_the_gap_between_the_next_two(text: str, interval_s: int) -> None:
    """The time from the next due instant to the one after it."""
    assert parse(text).interval_us(_us(_utc(2026, 1, 1, 0, 2))) == interval_s * _SECOND_US


def test_the_interval_follows_the_clock() -> None:
    """A day on which the clock goes forward is an hour shorter."""
    schedule = parse("@daily", "Europe/Paris")
    assert schedule.interval_us(_us(_utc(2026, 3, 28, 12))) == 23 * 3600 * _SECOND_US


@pytest.mark.parametrize("text", ["@manual", "@at 2026-01-01T00:00:00Z"])
def test_what_is_due_at_most_once_has_no_interval(text: str) -> None:
    """There are no two due times to measure between."""
    assert parse(text).interval_us(0) is None


def test_text_and_timezone_are_kept() -> None:
    """A schedule shows what was written and the zone it is read in."""
    schedule = parse("30 2 * * *", "Europe/Paris")
    assert (schedule.text, schedule.timezone) == ("30 2 * * *", "Europe/Paris")


@pytest.mark.parametrize("prefix", ["TZ=", "CRON_TZ="])
@pytest.mark.parametrize("body", ["0 9 * * *", "@at 2026-01-01T09:00"])
def test_a_zone_prefix_wins(prefix: str, body: str) -> None:
    """A zone in the text goes before the argument."""
    schedule = parse(f"{prefix}Asia/Tokyo  {body}", "Europe/Paris")
    assert schedule.timezone == "Asia/Tokyo"
    assert schedule.next(_utc(2025, 12, 31, 12)) == _utc(2026, 1, 1)


@pytest.mark.parametrize(
    ("macro", "cron"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@Daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("@minutely", "* * * * *"),
        (" 0 0 * * mon\n", "0 0 * * 1"),
        ("0 0 0 * * 7", "0 0 * * 0"),
    ],
)
def test_a_name_stands_for_an_expression(macro: str, cron: str) -> None:
    """A named schedule is due whenever its expression is."""
    assert parse(macro).plan == parse(cron).plan


@pytest.mark.parametrize(
    ("text", "interval_s"),
    [
        ("@every 1s", 1),
        ("@every 90s", 90),
        ("@every 1h30m", 5400),
        ("@every 1d", 86_400),
        ("@every 1w", 604_800),
        ("@every\t1w2d3h4m5s", 788_645),
    ],
)
def test_every_is_anchored_at_the_epoch(text: str, interval_s: int) -> None:
    """Due times are multiples of the interval, so a restart or an edit does not move them."""
    schedule = parse(text, "Asia/Kathmandu")
    for after in (-1, 0, 1_767_225_600):
        due_us = schedule.next_us(after * _SECOND_US)
        assert due_us is not None
        assert due_us % (interval_s * _SECOND_US) == 0
        assert 0 < due_us - after * _SECOND_US <= interval_s * _SECOND_US


@pytest.mark.parametrize(
    ("written", "zone", "instant"),
    [
        ("2026-01-01T00:00:00Z", "Asia/Tokyo", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01T00:00:00+06:00", "UTC", "2025-12-31T18:00:00+00:00"),
        ("2026-01-01T09:00", "Asia/Tokyo", "2026-01-01T00:00:00+00:00"),
        ("2026-01-01 09:00:30", "Asia/Tokyo", "2026-01-01T00:00:30+00:00"),
        ("2026-10-25T02:30", "Europe/Paris", "2026-10-25T00:30:00+00:00"),
        ("2026-03-29T02:30", "Europe/Paris", "2026-03-29T01:00:00+00:00"),
    ],
)
def test_at_is_due_once(written: str, zone: str, instant: str) -> None:
    """Local times are read in the zone: on the first pass, or at the end of a leap."""
    schedule = parse(f"@at {written}", zone)
    moment = datetime.fromisoformat(instant)
    due = schedule.next(moment - timedelta(microseconds=1))
    assert due is not None
    assert due.astimezone(UTC) == moment
    assert schedule.next(moment) is None


@pytest.mark.parametrize("dst", ["skip", "literal"])
def test_at_needs_a_time_that_exists(dst: str) -> None:
    """A local time that the clock leaps over is an error where such times are left out."""
    with pytest.raises(ScheduleError, match="leaps over"):
        parse("@at 2026-03-29T02:30", "Europe/Paris", dst=dst)


def test_manual_is_never_due() -> None:
    """A manual job has no due time."""
    assert parse("@manual").next(_utc(2026, 1, 1)) is None


def test_equal_texts_share_one_schedule() -> None:
    """A fleet of jobs with one expression holds it once."""
    assert parse("17 3 * * *", "Europe/Paris") is parse("17 3 * * *", "Europe/Paris")


def test_new_zone_data_is_read_on_request() -> None:
    """After a reload a schedule is parsed anew, in a zone read anew."""
    old = parse("18 3 * * *", "Europe/Oslo")
    reload_zones()
    new = parse("18 3 * * *", "Europe/Oslo")
    assert new.zone is not old.zone
    assert new.next_us(0) == old.next_us(0)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("0 0 29 2 */7", _utc(2080, 3, 1)),
        ("0 0 29 2 *", _utc(9997, 3, 1)),
        ("* * 29 2 *", _utc(9997, 3, 1)),
        ("59 59 23 31 12 *", _utc(2026, 1, 1)),
    ],
)
def test_a_long_search_ends_in_a_millisecond(text: str, after: datetime) -> None:
    """The rarest dates, and one that never comes again, are settled at once."""
    schedule, after_us = parse(text, "Europe/Paris"), _us(after)
    took = []
    for _ in range(20):
        start = perf_counter()
        schedule.next_us(after_us)
        took.append(perf_counter() - start)
    assert min(took) < 0.001


def test_every_kind_of_february_29_is_found() -> None:
    """A 29 February on a given weekday is found even when it is forty years away."""
    for weekday in range(7):
        schedule = parse(f"0 0 29 2 */7,{weekday}" if weekday else "0 0 29 2 */7")
        due, found = _utc(1896, 3, 1), 0
        while due < _utc(2300, 1, 1):
            following = schedule.next(due)
            assert following is not None
            assert (following.month, following.day) == (2, 29)
            due, found = following, found + 1
        assert found >= 13
