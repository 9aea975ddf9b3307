"""`@calendar`: systemd's calendar events, held against its own tests and, where it is, itself.

The expressions and instants of `_NORMAL_FORMS` and `_DUE` restate facts of systemd's
src/test/test-calendarspec.c (commit 04773cb50aca, LGPL-2.1-or-later); no code is taken from it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - seeded: a failure comes again
from typing import Any

import pytest

from tests.unit.schedule.vectors import load
from tocsin.errors import ScheduleError
from tocsin.schedule import parse
from tocsin.schedule.oncalendar import parse_calendar

_needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and "CI" not in os.environ,
    reason="systemd is not installed; in CI it has to be",
)

_NORMAL_FORMS = [
    ("Sat,Thu,Mon-Wed,Sat-Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00"),
    ("Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00"),
    ("Mon,Sun 12-*-* 2,1:23", "Mon,Sun 2012-*-* 01,02:23:00"),
    ("Wed *-1", "Wed *-*-01 00:00:00"),
    ("Wed..Wed,Wed *-1", "Wed *-*-01 00:00:00"),
    ("Wed, 17:48", "Wed *-*-* 17:48:00"),
    ("Wed..Sat,Tue 10-15 1:2:3", "Tue..Sat *-10-15 01:02:03"),
    ("*-*-7 0:0:0", "*-*-07 00:00:00"),
    ("10-15", "*-10-15 00:00:00"),
    ("monday *-12-* 17:00", "Mon *-12-* 17:00:00"),
    ("Mon,Fri *-*-3,1,2 *:30:45", "Mon,Fri *-*-01,02,03 *:30:45"),
    ("12,14,13,12:20,10,30", "*-*-* 12,13,14:10,20,30:00"),
    ("mon,fri *-1/2-1,3 *:30:45", "Mon,Fri *-01/2-01,03 *:30:45"),
    ("03-05 08:05:40", "*-03-05 08:05:40"),
    ("08:05:40", "*-*-* 08:05:40"),
    ("05:40", "*-*-* 05:40:00"),
    ("Sat,Sun 12-05 08:05:40", "Sat,Sun *-12-05 08:05:40"),
    ("2003-03-05", "2003-03-05 00:00:00"),
    ("99-03-05", "1999-03-05 00:00:00"),
    ("hourly", "*-*-* *:00:00"),
    ("daily", "*-*-* 00:00:00"),
    ("monthly", "*-*-01 00:00:00"),
    ("weekly", "Mon *-*-* 00:00:00"),
    ("minutely", "*-*-* *:*:00"),
    ("quarterly", "*-01,04,07,10-01 00:00:00"),
    ("semi-annually", "*-01,07-01 00:00:00"),
    ("Annually", "*-01-01 00:00:00"),
    ("*:2/3", "*-*-* *:02/3:00"),
    ("9..11,13:00,30", "*-*-* 09,10,11,13:00,30:00"),
    ("1..3-1..3 1..3:1..3", "*-01,02,03-01,02,03 01,02,03:01,02,03:00"),
    ("*-*~05,3", "*-*~03,05 00:00:00"),
    ("*-*~* 00:00:00", "*-*-* 00:00:00"),
    ("Monday", "Mon *-*-* 00:00:00"),
    ("*-*~7/1", "*-*~1..7"),
    ("*-*~7/3", "*-*~1,4,7"),
    ("*-*~1..6/2", "*-*~1,3,5"),
    ("*-*-1..6/2", "*-*-1,3,5"),
]


@pytest.mark.parametrize(("text", "normal"), _NORMAL_FORMS)
def test_a_short_form_means_its_normal_form(text: str, normal: str) -> None:
    """Whatever is left out or written otherwise compiles to the same."""
    assert parse_calendar(text) == parse_calendar(normal)


@pytest.mark.parametrize(
    ("text", "zone", "after", "due"),
    [
        ("2016-03-27 03:17:00", "UTC", 12345, 1459048620),
        ("2016-03-27 03:17:00", "CET", 12345, 1459041420),
        ("2016-03-27 03:17:00 UTC", "EET", 12345, 1459048620),
        ("2016-03-27 03:17:00 utc", "EET", 12345, 1459048620),
        ("Sun 16:00:00", "CET", 1456041600, 1456066800),
        ("2016-02~01 UTC", "UTC", 12345, 1456704000),
        ("Mon 2017-05~01..07 UTC", "UTC", 12345, 1496016000),
        ("Mon 2017-05~07/1 UTC", "UTC", 12345, 1496016000),
        ("2017-08-06 9,11,13,15,17:00 UTC", "UTC", 1502029800, 1502031600),
        ("2016-12-* 3..21/6:00 UTC", "UTC", 1482613200, 1482634800),
        ("2017-09-24 03:30:00 Pacific/Auckland", "UTC", 12345, 1506177000),
        ("2017-04-02 02:30:00 Pacific/Auckland", "UTC", 12345, 1491053400),
        ("2017-04-02 03:30:00 Pacific/Auckland", "UTC", 12345, 1491060600),
    ],
)
def test_due_as_in_systemds_own_tests(text: str, zone: str, after: int, due: int) -> None:
    """The first due instant after another, in seconds since the epoch."""
    assert parse(f"@calendar {text}", zone).next_us(after * 10**6) == due * 10**6


def _as_event(cron: str) -> str:
    """The calendar event that means what a cron expression of the vectors means."""
    minute, hour, day, month, weekday = cron.split()
    weekdays = "" if weekday == "*" else "Sun "
    assert weekday in "*0"
    return f"{weekdays}*-{month.replace('-', '..')}-{day} {hour.replace('-', '..')}:{minute}"


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["id"]) for v in load("systemd")])
def test_the_vectors_hold_for_events(vector: Any) -> None:
    """What systemd's own tests assert holds for calendar events too, under systemd's rule."""
    text = f"@calendar {_as_event(vector['expr'])} {vector['tz']}"
    if vector.get("none"):
        with pytest.raises(ScheduleError, match="no such day"):
            parse(text)
        return
    due = parse(text, dst="skip").next(datetime.fromisoformat(vector["after"]))
    assert due is not None
    if "not_expected" in vector:
        assert due.date().isoformat() not in vector["not_expected"]
    else:
        assert [due.isoformat()] == vector["expected"]


def test_what_is_only_in_the_past_is_never_due() -> None:
    """A date that is over is no error, as a timer's is not; its search ends at once."""
    schedule = parse("@calendar 2020-01-01 12:00")
    assert schedule.next(datetime(2019, 1, 1, tzinfo=UTC)) == datetime(2020, 1, 1, 12, tzinfo=UTC)
    assert schedule.next(datetime(2020, 1, 1, 12, tzinfo=UTC)) is None
    assert schedule.next(datetime(1950, 1, 1, tzinfo=UTC)) == datetime(2020, 1, 1, 12, tzinfo=UTC)


def test_the_zone_of_the_event_goes_before_the_jobs() -> None:
    """A zone behind the expression is the schedule's, before a prefix and the argument."""
    schedule = parse("TZ=Asia/Tokyo @calendar daily  Europe/Berlin", "Europe/Paris")
    assert schedule.timezone == "Europe/Berlin"
    due = schedule.next(datetime(2026, 7, 1, tzinfo=UTC))
    assert due == datetime(2026, 7, 1, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "dst", "dues"),
    [
        ("02:30", "vixie", ["03:00+02:00 29", "02:30+02:00 30"]),
        ("02:30", "skip", ["02:30+02:00 30", "02:30+02:00 31"]),
        ("02:30", "literal", ["02:30+02:00 30", "02:30+02:00 31"]),
        ("1..3:00", "vixie", ["01:00+01:00 29", "03:00+02:00 29", "01:00+02:00 30"]),
        ("*:00", "vixie", ["00:00+01:00 29", "01:00+01:00 29", "03:00+02:00 29"]),
        ("0/2:00", "vixie", ["00:00+01:00 29", "04:00+02:00 29"]),
        ("hourly", "skip", ["00:00+01:00 29", "01:00+01:00 29", "03:00+02:00 29"]),
    ],
)
def test_the_rule_of_the_job_holds_in_spring(text: str, dst: str, dues: list[str]) -> None:
    """Fixed times of day follow `dst`; what goes round the clock follows elapsed time."""
    schedule = parse(f"@calendar {text}", "Europe/Berlin", dst=dst)
    found = []
    due = datetime(2026, 3, 28, 22, 59, tzinfo=UTC)
    for _ in dues:
        following = schedule.next(due)
        assert following is not None
        due = following
        found.append(f"{due:%H:%M}{due.isoformat()[-6:]} {due:%d}")
    assert found == dues


def test_what_goes_round_the_clock_comes_on_both_passes() -> None:
    """An hourly event has no hole of two hours in autumn, as a timer of systemd has."""
    schedule = parse("@calendar hourly", "Europe/Berlin")
    due = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    for _ in range(4):
        following = schedule.next(due)
        assert following is not None
        assert following - due <= timedelta(hours=1)
        due = following


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "@calendar needs an argument", "Mon..Fri 02:00"),
        ("7", "date '7': expected [YEAR-]MONTH-DAY", "colon"),
        ("*", "date '*': expected [YEAR-]MONTH-DAY", "colon"),
        ("test", "'test' is no weekday and no shorthand", "such as"),
        ("dayly", "'dayly' is no weekday and no shorthand", "did you mean daily?"),
        ("thurs 1:00", "'thurs' is no weekday", "did you mean Thursday?"),
        ("utc", "'utc' is no weekday", ""),
        ("Mon,,Tue", "'' is no weekday", ""),
        ("Mon..", "'' is no weekday", ""),
        ("Fri..Mon", "weekday 'Fri..Mon': the range runs backwards", "Fri..Sun,Mon..Mon"),
        ("Thu Fri 1:00", "date 'Fri': expected", "Mon,Fri"),
        ("1:00 *-*-1", "expected [WEEKDAYS]", "such as"),
        ("*-*-* 12", "expected [WEEKDAYS]", "such as"),
        ("121212:1:2", "hour '121212': '121212' is no value", ""),
        ("*-*-* 25:00", "hour '25': 25 is not from 0 to 23", ""),
        ("1:60", "minute '60': 60 is not from 0 to 59", ""),
        ("1:0:60", "second '60': 60 is not from 0 to 59", ""),
        ("1:0:0:0", "time '1:0:0:0': expected HOUR:MINUTE", ""),
        ("22..2:00", "hour '22..2': the range runs backwards", "22..23,0..2"),
        ("00:00:00.5", "second '00.5'", "whole seconds"),
        ("00:00:00/0.5", "second '00/0.5'", "whole seconds"),
        ("*:*/5", "minute '*/5'", "write 0/5"),
        ("9-17:00", "hour '9-17'", "a range is written 9..17"),
        ("*:5/0", "minute '5/0': a repetition is at least /1", ""),
        ("*-*-31/2", "day '31/2': this never repeats, as day 31 is the last", "write 31"),
        ("*-*~5/5", "day from the end '5/5': this never repeats", "write 5"),
        ("*-*~31", "day from the end '31': 31 is not from 1 to 28", ""),
        ("*-*~0", "day from the end '0': 0 is not from 1 to 28", ""),
        ("2016~11-22", "date '2016~11-22'", ""),
        ("2200-1-1", "year '2200': 2200 is not from 1970 to 2199", ""),
        ("2000-03-05.23 00:00", "day '05.23'", "whole seconds"),
        ("*-13-1", "month '13': 13 is not from 1 to 12", ""),
        ("*-02-31", "no such day in any of its years", "@manual"),
        ("2021-02-29", "no such day in any of its years", "@manual"),
        ("Mon 2026-12-25", "no such day in any of its years", "@manual"),
        ("02:00 BST", "time zone 'BST' is not known", ""),
        ("02:00 Europe/Berln", "time zone 'Europe/Berln' is not known", "Europe/Berlin"),
        ("@1395716396", "date '@1395716396'", ""),
    ],
)
def test_a_refusal_says_what_was_wrong(text: str, message: str, hint: str) -> None:
    """The error names the part, what was written and the next step."""
    with pytest.raises(ScheduleError) as caught:
        parse(f"@calendar {text}".rstrip())
    assert message in caught.value.message
    assert hint in caught.value.hint


_ELAPSE = re.compile(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC")
_COUNT = 5


def _systemds_dues(text: str, after: datetime) -> list[str] | None:
    """What systemd-analyze says, or None when it refuses the expression."""
    base = f"--base-time={after:%Y-%m-%d %H:%M:%S} UTC"
    said = subprocess.run(
        ["systemd-analyze", "calendar", f"--iterations={_COUNT}", base, text],
        capture_output=True,
        text=True,
        check=False,
        env={"TZ": "UTC", "LANG": "C", "PATH": os.environ["PATH"]},
    )
    return None if said.returncode else _ELAPSE.findall(said.stdout)


def _our_dues(text: str, after: datetime) -> list[str] | None:
    try:
        schedule = parse(f"@calendar {text}")
    except ScheduleError as error:
        return [] if "no such day" in error.message else None
    found: list[str] = []
    due = schedule.next(after)
    # systemd's last year.
    while due is not None and due.year <= 2199 and len(found) < _COUNT:
        found.append(f"{due:%Y-%m-%d %H:%M:%S}")
        due = schedule.next(due)
    return found


@_needs_systemd
@pytest.mark.parametrize(
    "text",
    [
        *(normal for _, normal in _NORMAL_FORMS),
        *(text for text, _ in _NORMAL_FORMS),
        *("*-02~01", "Mon *-05~07/1", "*-*~1..5", "*-*~28", "Sat *-*-1..7 18:00", "*:0/15"),
        *("*-02-29", "Fri *-*-13", "2030-* 1:0", "2028/4-02-29", "22..23,0..2:00/30", "*:*:5/10"),
        *("*-*-* 25:00", "Mon..", "*:5/0", "*-*~31", "* 1:00", "12..10:00", "*/2-1-1"),
    ],
)
def test_systemd_says_the_same(text: str) -> None:
    """Due times, and what is refused, are those of systemd-analyze."""
    after = datetime(2024, 1, 31, 23, 30, tzinfo=UTC)
    assert _our_dues(text, after) == _systemds_dues(text, after)


def _parts(chance: Random, low: int, high: int, stars: float) -> str:
    """A random component.

    Its repetitions have an end, and its ranges two values: systemd 252 goes wrong behind the end
    of an open repetition (`*-*-1/8` leaves out 1 January), and refuses `*:*:5..5`.
    """
    if chance.random() < stars:
        return "*"
    items = []
    for _ in range(chance.choice([1, 1, 2, 3])):
        first = chance.randint(low, high - 1)
        last = chance.randint(first + 1, high)
        step = chance.randint(1, last - first)
        items.append(chance.choice([f"{first}", f"{first}..{last}", f"{first}..{last}/{step}"]))
    return ",".join(items)


def _event(chance: Random) -> str:
    weekdays = chance.choice(["", "", "", "Mon..Fri ", "Sat,Sun ", "Tue ", "Wed..Thu,Sun "])
    years = chance.choice(["", "*-", "2024..2039-", "2024..2036/4-"])
    # One item: in a list systemd counts down from fewer days with each.
    from_end = _parts(chance, 1, 28, 0).partition(",")[0]
    days = chance.choice([f"-{_parts(chance, 1, 31, 0.4)}", f"~{from_end}"])
    times = f"{_parts(chance, 0, 23, 0.2)}:{_parts(chance, 0, 59, 0.2)}"
    seconds = chance.choice(["", f":{_parts(chance, 0, 59, 0.1)}"])
    return f"{weekdays}{years}{_parts(chance, 1, 12, 0.6)}{days} {times}{seconds}"


@_needs_systemd
def test_systemd_says_the_same_of_any_event() -> None:
    """Random events in UTC, after random instants, are due as systemd-analyze says."""
    chance = Random(20261124)
    for _ in range(200):
        text = _event(chance)
        after = datetime.fromtimestamp(chance.randrange(1_577_836_800, 2_145_916_800), UTC)
        assert _our_dues(text, after) == _systemds_dues(text, after), (text, after)
