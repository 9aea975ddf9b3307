"""Windows of local time, and what becomes of them when the clock is changed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.schedule.enumeration import changes
from tocsin.errors import ScheduleError
from tocsin.schedule.windows import parse_window

_SECOND_US = 1_000_000
_BERLIN = ZoneInfo("Europe/Berlin")
_UTC = ZoneInfo("UTC")


def _us(text: str, zone: ZoneInfo) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return int(moment.timestamp()) * _SECOND_US


def _shown(instant_us: int | None, zone: ZoneInfo) -> str | None:
    if instant_us is None:
        return None
    return datetime.fromtimestamp(instant_us / _SECOND_US, zone).isoformat(sep=" ")


@pytest.mark.parametrize(
    ("from_", "to", "inside", "outside"),
    [
        (
            "Fri 18:00",
            "Mon 06:00",
            ["2026-11-27 18:00", "2026-11-28 12:00", "2026-11-29 23:59", "2026-11-30 05:59"],
            ["2026-11-27 17:59", "2026-11-30 06:00", "2026-12-02 12:00"],
        ),
        ("Mon", "wednesday", ["2026-11-30 00:00", "2026-12-01 23:59"], ["2026-12-02 00:00"]),
        ("Sat 24:00", "Sunday 12:00", ["2026-11-29 00:00"], ["2026-11-28 23:59"]),
        ("22:00", "06:00", ["2026-11-27 22:00", "2026-11-28 05:59"], ["2026-11-27 06:00"]),
        ("9:00", "17:30", ["2026-11-27 17:29"], ["2026-11-27 17:30", "2026-11-27 08:59"]),
        ("18:00", "24:00", ["2026-11-27 23:59"], ["2026-11-27 00:00"]),
        (
            "2026-12-24 18:00",
            "2026-12-27",
            ["2026-12-24 18:00", "2026-12-26 23:59"],
            ["2026-12-24 17:59", "2026-12-27 00:00", "2027-12-25 00:00"],
        ),
        (
            "12-24",
            "01-02",
            ["2026-12-24 00:00", "2027-01-01 23:59", "2030-12-31 12:00"],
            ["2026-12-23 23:59", "2027-01-02 00:00", "2026-07-01 00:00"],
        ),
        (
            "02-28 12:00",
            "02-29 12:00",
            ["2028-02-29 11:59", "2027-02-28 23:59", "2027-02-28 12:00"],
            ["2028-02-29 12:00", "2027-03-01 00:00", "2027-02-28 11:59"],
        ),
    ],
)
def test_a_window_covers_from_its_beginning_to_just_before_its_end(
    from_: str, to: str, inside: list[str], outside: list[str]
) -> None:
    """Daily, weekly, yearly or once; over midnight, the end of the week or of the year."""
    window = parse_window(from_, to)
    for zone in (_UTC, _BERLIN, ZoneInfo("Asia/Kathmandu")):
        assert [text for text in inside if not window.covers(_us(text, zone), zone)] == []
        assert [text for text in outside if window.covers(_us(text, zone), zone)] == []


def test_the_last_microsecond_is_inside() -> None:
    """The end itself is the first moment outside."""
    window = parse_window("22:00", "06:00")
    end = _us("2026-11-28 06:00", _UTC)
    assert window.covers(end - 1, _UTC)
    assert not window.covers(end, _UTC)
    assert window.until_us(end - 1, _UTC) == end


@pytest.mark.parametrize(
    ("from_", "to", "at", "until"),
    [
        ("Fri 18:00", "Mon 06:00", "2026-11-27 18:00", "2026-11-30 06:00:00+01:00"),
        ("Fri 18:00", "Mon 06:00", "2026-11-27 17:59", None),
        ("12-24", "01-02", "2026-12-31 12:00", "2027-01-02 00:00:00+01:00"),
        ("12-24", "01-02", "2027-01-01 12:00", "2027-01-02 00:00:00+01:00"),
        ("02-01", "02-29 12:00", "2027-02-10", "2027-03-01 00:00:00+01:00"),
        ("2026-01-01", "2027-07-01", "2026-01-01", "2027-07-01 00:00:00+02:00"),
        # The clock leaps from 02:00 to 03:00.
        ("22:00", "02:30", "2026-03-29 01:00", "2026-03-29 03:00:00+02:00"),
        ("22:00", "03:00", "2026-03-29 01:00", "2026-03-29 03:00:00+02:00"),
        ("22:00", "06:00", "2026-03-29 01:00", "2026-03-29 06:00:00+02:00"),
        ("02:45", "02:15", "2026-03-28 12:00", "2026-03-30 02:15:00+02:00"),
        # The clock shows 02:00 to 03:00 twice.
        ("22:00", "02:30", "2026-10-25 01:00", "2026-10-25 02:30:00+02:00"),
        ("22:00", "02:30", "2026-10-25 02:15+01:00", "2026-10-25 02:30:00+01:00"),
        ("22:00", "03:00", "2026-10-25 01:00", "2026-10-25 03:00:00+01:00"),
        ("02:30", "06:00", "2026-10-25 02:45+02:00", "2026-10-25 02:00:00+01:00"),
        ("Sat 02:00", "Sun 06:00", "2026-10-24 12:00", "2026-10-25 06:00:00+01:00"),
    ],
)
def test_a_window_ends_when_the_clock_says_so(
    from_: str, to: str, at: str, until: str | None
) -> None:
    """The end is the first instant at which the clock shows a time outside."""
    window = parse_window(from_, to)
    assert _shown(window.until_us(_us(at, _BERLIN), _BERLIN), _BERLIN) == until


def test_a_window_over_a_day_that_never_was_ends_after_it() -> None:
    """Samoa left out 30 December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    window = parse_window("2011-12-29 12:00", "2011-12-30 12:00")
    until = window.until_us(_us("2011-12-29 20:00", apia), apia)
    assert _shown(until, apia) == "2011-12-31 00:00:00+14:00"


_CHANGES = [
    (name, change)
    for name in (
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "America/Havana",
        "Pacific/Apia",
        "America/Recife",
        "Antarctica/Troll",
    )
    for change in changes(name, 2000, 2024)
]
_CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 4), st.sampled_from([0, 15, 30, 45]))
_TIMES = st.one_of(
    st.tuples(_CLOCK, _CLOCK),
    st.tuples(st.builds("Sat {}".format, _CLOCK), st.builds("Sun {}".format, _CLOCK)),
    st.tuples(st.builds("Sun {}".format, _CLOCK), st.builds("Sat {}".format, _CLOCK)),
    st.tuples(st.builds("03-20 {}".format, _CLOCK), st.builds("04-07 {}".format, _CLOCK)),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(_CHANGES), _TIMES, st.integers(-40 * 60, 30 * 60))
def test_the_end_is_where_a_look_at_every_minute_finds_it(
    change: tuple[str, int], times: tuple[str, str], start: int
) -> None:
    """Around any change of the clock, the window holds until just before its end."""
    if times[0] == times[1]:
        return
    zone, window = ZoneInfo(change[0]), parse_window(*times)
    at = change[1] - change[1] % 900 + start * 60
    until_us = window.until_us(at * _SECOND_US, zone)
    if not window.covers(at * _SECOND_US, zone):
        assert until_us is None
        return
    minute = at
    while window.covers(minute * _SECOND_US, zone):
        minute += 60
    assert until_us == minute * _SECOND_US


@pytest.mark.parametrize(
    ("from_", "to", "words"),
    [
        ("Fri 18:00", "Mon 06:00", "every week from Friday 18:00 to Monday 06:00"),
        ("sun", "MON", "every week from Sunday 00:00 to Monday 00:00"),
        ("22:00", "6:00", "every day from 22:00 to 06:00"),
        ("18:00", "24:00", "every day from 18:00 to 00:00"),
        ("12-24 18:00", "1-2", "every year from 24 December 18:00 to 2 January 00:00"),
        ("2026-12-24", "2026-12-27T09:00", "from 2026-12-24 00:00 to 2026-12-27 09:00"),
    ],
)
def test_a_window_in_words(from_: str, to: str, words: str) -> None:
    """The description says when nothing is started."""
    assert parse_window(from_, to).describe() == words


@pytest.mark.parametrize(
    ("from_", "to", "message", "hint"),
    [
        ("Fri 18:00", "", "a window with 'from' and no 'to'", "{from: 'Fri 18:00', to:"),
        (" ", "06:00", "a window with 'to' and no 'from'", "got to: '06:00'"),
        ("Fri 18:00", "06:00", "the first is a time of every week, the second of every day", ""),
        ("2026-12-24", "12-27", "of one date, the second of every year", "write both alike"),
        ("22:00", "22:00", "is empty: it ends where it begins", "disable it"),
        ("00:00", "24:00", "is empty: it ends where it begins", "disable it"),
        ("2026-12-27", "2026-12-24", "ends before it begins", "{from: '2026-12-24'"),
        ("Frei 18:00", "Mon 06:00", "window from 'Frei 18:00': 'Frei' is no", "did you mean Fri"),
        ("Fri 18:00", "Xyz 06:00", "window to 'Xyz 06:00': 'Xyz' is no weekday", "Mon, Tue, Wed"),
        ("25:00", "06:00", "window from '25:00': expected a time from 00:00 to 24:00", ""),
        ("22:60", "06:00", "window from '22:60': expected a time from 00:00 to 24:00", ""),
        ("2026-02-30", "2026-03-01", "window from '2026-02-30': there is no such date", ""),
        ("02-30", "03-01", "window from '02-30': there is no such date", ""),
        ("2026-12-24 24:00", "2026-12-27", "a date has no 24:00", "write the day after it"),
        ("1320", "06:00", "window from '1320' is no local time", "such as 22:00, Fri 18:00"),
        ("22:00Z", "06:00", "window from '22:00Z' is no local time", "without a zone"),
    ],
)
def test_a_refusal_says_what_was_wrong(from_: str, to: str, message: str, hint: str) -> None:
    """The error names the key, what was written and the next step."""
    with pytest.raises(ScheduleError) as caught:
        parse_window(from_, to)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_window_of_decades_ends_at_once() -> None:
    """The search goes by days, not by minutes."""
    window = parse_window("1990-01-01", "2030-01-01")
    until = window.until_us(int(datetime(1990, 1, 1, 12, tzinfo=UTC).timestamp()) * 10**6, _BERLIN)
    assert _shown(until, _BERLIN) == "2030-01-01 00:00:00+01:00"
