"""What is refused when it is parsed, and what the refusal says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.schedule.vectors import load
from tocsin.errors import ScheduleError
from tocsin.schedule import parse

# What some engine accepts and we refuse: a doubtful schedule is better refused than guessed at.
_ACCEPTED = {"0 0 31 2 0"}


@pytest.mark.parametrize("expr", [v["expr"] for v in load("invalid") if v["expr"] not in _ACCEPTED])
def test_what_other_engines_refuse_is_refused(expr: str) -> None:
    """A malformed expression raises ScheduleError and nothing else."""
    with pytest.raises(ScheduleError):
        parse(expr)


def test_an_impossible_day_of_month_may_stand_beside_a_weekday() -> None:
    """31 February or any Sunday is due on Sundays, by the rule for two day fields."""
    assert parse("0 0 31 2 0").describe() == (
        "at 00:00 on day 31 of the month or on Sunday in February (UTC)"
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "the schedule is empty", "@manual"),
        ("61 * * * *", "minute '61': 61 is not a number from 0 to 59", ""),
        ("* 24 * * *", "hour '24': 24 is not a number from 0 to 23", ""),
        ("* * 0 * *", "day of month '0': 0 is not a number from 1 to 31", ""),
        ("* * * 13 *", "month '13': 13 is not a number from 1 to 12 or a name from JAN", ""),
        ("* * * * 8", "weekday '8': 8 is not a number from 0 to 7 or a name from SUN", ""),
        ("99999 * * * *", "minute '99999': '99999' is not a number", ""),
        ("* * * JUNE *", "month 'JUNE'", "did you mean JUN?"),
        ("* * * * MNO", "weekday 'MNO'", "did you mean MON?"),
        ("1,,2 * * * *", "minute '1,,2': an item of the list is empty", "comma"),
        ("22-2 * * * *", "minute '22-2': the range runs backwards", "write 22-59,0-2"),
        ("*/0 * * * *", "minute '*/0': the step '0' is not", ""),
        ("*/x * * * *", "minute '*/X': the step 'X' is not", ""),
        ("? * * * *", "minute '?'", "write *"),
        ("0~30 * * * *", "minute '0~30': ~ spreads jobs by their name", "key"),
        ("H * * * *", "minute 'H': H spreads jobs by their name", "key"),
        ("* * W15 * *", "day of month 'W15': W follows its day", "15W"),
        ("* * L-31 * *", "day of month 'L-31': expected L-1 to L-30", ""),
        ("* * L-0 * *", "day of month 'L-0': expected L-1 to L-30", ""),
        ("* * 32W * *", "day of month '32W': 32 is not", ""),
        ("* * * * L5", "weekday 'L5': the last Friday of a month is written 5L", ""),
        ("* * * * L", "weekday 'L': the last Friday of a month is written 5L", ""),
        ("* * * * 5#6", "weekday '5#6': expected #1 to #5", ""),
        ("* * * * 8L", "weekday '8L': 8 is not", ""),
        ("* * *", "3 fields in '* * *': expected 5", "@daily"),
        ("0 0 30 2 *", "no year has a day that is 30 in month 2", "@manual"),
        ("0 0 31 4,6 *", "no year has a day that is 31 in month 4,6", "@manual"),
        ("1 1 */100 * MON#4", "on weekday MON#4", "@manual"),
        ("\uff10 0 * * *", "the schedule holds '\uff10'", ""),
        ("* * * * *\n* * * * *", r"the schedule holds '\n'", ""),
        ("* " * 200, "the schedule has 400 characters: expected at most 256", ""),
        ("@reboot", "@reboot is no schedule", "systemd"),
        ("@dayly", "'@dayly' is not a known schedule", "did you mean @daily?"),
        ("@nonsense", "'@nonsense' is not a known schedule", ""),
        ("@daily 5", "@daily stands alone", ""),
        ("@every", "@every needs an argument", "1h30m"),
        ("@at", "@at needs an argument", "2026-01-01"),
        ("@every 500ms", "@every '500ms'", "shortest interval is 1s"),
        ("@every 0s", "@every '0s': an interval is at least 1s", ""),
        ("@every 1.5h", "@every '1.5h'", "1h30m"),
        ("@every 90", "@every '90'", "add a unit: 90s or 90m"),
        ("@every 30m1h", "@every '30m1h'", "the largest first"),
        ("@every -1h", "@every '-1h'", ""),
        ("@every 999999999w", "at most ten years", ""),
        ("@at tomorrow", "@at 'tomorrow': expected a date and time", ""),
        ("@at 2026-01-01", "@at '2026-01-01': expected a date and time", ""),
        ("@at 2026-02-30T00:00:00Z", "@at '2026-02-30T00:00:00Z': day is out of range", ""),
        ("@at 2026-01-01T00:00:00.5Z", "expected a date and time", ""),
        ("@at 2026-01-01T00:00+25:00", "@at '2026-01-01T00:00+25:00'", ""),
        ("TZ=Europe/Pariss @daily", "'Europe/Pariss' is not known", "did you mean Europe/Paris?"),
        ("TZ= * * * * *", "time zone '' is not known", ""),
        ("CRON_TZ=paris @daily", "time zone 'paris' is not known", "did you mean Europe/Paris?"),
        ("TZ=Local @daily", "time zone 'Local' is not known", "see the tz database"),
    ],
)
def test_a_refusal_says_what_was_wrong(text: str, message: str, hint: str) -> None:
    """The error names what was written, what was expected and the next step."""
    with pytest.raises(ScheduleError) as caught:
        parse(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "zone",
    ["Mars/Base", "", "../etc/passwd", "America", "right/UTC", "localtime", "\0", "é", "utc"],
)
def test_an_unknown_zone_is_refused(zone: str) -> None:
    """Whatever is no zone, or another zone on each host, raises ScheduleError."""
    with pytest.raises(ScheduleError, match="time zone"):
        parse("@daily", zone)


def test_an_unknown_rule_for_clock_changes_is_refused() -> None:
    """The error lists the rules."""
    with pytest.raises(ScheduleError, match="vixie, skip, literal"):
        parse("@daily", dst="maybe")


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.text("0123456789*/,-#LWH?()JANMONSU @:~\té", max_size=40))
def test_no_text_raises_anything_else(text: str) -> None:
    """Any text is either a schedule or a ScheduleError."""
    _assert_schedule_or_error(text)


def _assert_schedule_or_error(text: str) -> None:
    try:
        schedule = parse(text, key="job")
    except ScheduleError as error:
        assert error.message  # noqa: PT017 - both outcomes are right
    else:
        assert schedule.describe()
        assert schedule.next_us(0) != 0


_PART = st.text("0123456789*/,-#LWH", min_size=1, max_size=4)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(_PART, min_size=5, max_size=6))
def test_no_fields_raise_anything_else(parts: list[str]) -> None:
    """Any five or six fields are either a schedule or a ScheduleError."""
    _assert_schedule_or_error(" ".join(parts))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.text("0123459*/,-.~: MonFriUTC", max_size=24))
def test_no_calendar_event_raises_anything_else(text: str) -> None:
    """Any text behind @calendar is either a schedule or a ScheduleError."""
    _assert_schedule_or_error(f"@calendar {text}")


def test_a_text_without_end_is_refused_unread() -> None:
    """Nobody's long text keeps the parser busy."""
    with pytest.raises(ScheduleError, match="the schedule has 1000000 characters"):
        parse("~" * 1_000_000, key="job")
