"""The days of iCalendar files, as public calendars of holidays are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import ScheduleError
from tocsin.schedule.calendars import compile_calendar
from tocsin.schedule.ical import read_ics


def _file(*events: str, head: str = "") -> str:
    body = "".join(
        f"BEGIN:VEVENT\nUID:u{n}\n{event}\nEND:VEVENT\n" for n, event in enumerate(events)
    )
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{head}{body}END:VCALENDAR\n"
    return text.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("event", "items"),
    [
        (
            "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226\nSUMMARY:Christmas Day",
            ["2026-12-25 Christmas Day"],
        ),
        ("DTSTART;VALUE=DATE:20261225", ["2026-12-25"]),
        ("DTSTART;VALUE=DATE:20130527\nDTEND;VALUE=DATE:20130527", ["2013-05-27"]),
        ("DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270103", ["2026-12-31..2027-01-02"]),
        ("DTSTART;VALUE=DATE:20261231\nDURATION:P3D", ["2026-12-31..2027-01-02"]),
        ("DTSTART;VALUE=DATE:20261231\nDURATION:P1W", ["2026-12-31..2027-01-06"]),
        ("DTSTART:20261224T180000\nDTEND:20261225T000000", ["2026-12-24"]),
        ("DTSTART:20261224T180000\nDTEND:20261225T000001", ["2026-12-24..2026-12-25"]),
        ("DTSTART;TZID=Europe/Berlin:20261224T233000\nDURATION:PT1H", ["2026-12-24..2026-12-25"]),
        ('DTSTART;TZID="W. Europe Standard Time":20261224T080000', ["2026-12-24"]),
        ("DTSTART:20261224T233000Z", ["2026-12-24"]),
        ("DTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY\nSUMMARY:X", ["12-25 X"]),
        ("DTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY;", ["12-25"]),
        ("DTSTART;VALUE=DATE:20201224\nDTEND:20201227\nRRULE:FREQ=YEARLY", ["12-24..12-26"]),
        (
            "DTSTART:20201225\nRRULE:FREQ=YEARLY;INTERVAL=1;BYMONTH=12;BYMONTHDAY=25;WKST=SU",
            ["12-25"],
        ),
        (
            "DTSTART;VALUE=DATE:20251225\nRRULE:FREQ=YEARLY;COUNT=3",
            ["2025-12-25", "2026-12-25", "2027-12-25"],
        ),
        (
            "DTSTART;VALUE=DATE:20251225\nRRULE:FREQ=YEARLY;UNTIL=20271225",
            ["2025-12-25", "2026-12-25", "2027-12-25"],
        ),
        ("DTSTART;VALUE=DATE:20251225\nRRULE:FREQ=YEARLY;UNTIL=20261224", ["2025-12-25"]),
        (
            "DTSTART;TZID=Europe/Berlin:20251225T003000\nRRULE:FREQ=YEARLY;UNTIL=20261224T233000Z",
            ["2025-12-25", "2026-12-25"],
        ),
        (
            "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;COUNT=2",
            ["2024-02-29", "2028-02-29"],
        ),
        (
            "DTSTART;VALUE=DATE:20251225\nRRULE:FREQ=YEARLY;COUNT=3\nEXDATE;VALUE=DATE:20261225",
            ["2025-12-25", "2027-12-25"],
        ),
        (
            "DTSTART;VALUE=DATE:20260406\nRDATE;VALUE=DATE:20270329,20280417\nSUMMARY:Easter",
            ["2026-04-06 Easter", "2027-03-29 Easter", "2028-04-17 Easter"],
        ),
        ("DTSTART;VALUE=DATE:20261225\nSTATUS:CANCELLED", []),
        ("DTSTART;VALUE=DATE:20261225\nSTATUS:CONFIRMED\nTRANSP:TRANSPARENT", ["2026-12-25"]),
        (
            "DTSTART;VALUE=DATE:20261225\nSUMMARY;LANGUAGE=en:Boxing\\, and\\n more\\; \\\\ x",
            ["2026-12-25 Boxing, and more; \\ x"],
        ),
        ("DTSTART;VALUE=DATE:20261225\nSUMMARY:Weih\n nach\n\tten", ["2026-12-25 Weihnachten"]),
        (
            "DTSTART:20261225\nBEGIN:VALARM\nDURATION:P9D\nSUMMARY:X\nEND:VALARM\nSUMMARY:Day",
            ["2026-12-25 Day"],
        ),
    ],
)
def test_an_event_becomes_its_days(event: str, items: list[str]) -> None:
    """Days, ranges and yearly days, each with the summary as its label; a calendar takes them."""
    found = read_ics(_file(event))
    assert found == items
    compile_calendar(found)


def test_times_in_utc_are_read_in_the_calendars_zone() -> None:
    """Half past eleven in the evening of the 24th in UTC is Christmas Day in Berlin."""
    event = "DTSTART:20261224T233000Z\nDTEND:20261225T003000Z"
    assert read_ics(_file(event, head="X-WR-TIMEZONE:Europe/Berlin\n")) == ["2026-12-25"]


def test_a_zone_that_nobody_needs_may_be_unknown() -> None:
    """Whole days have no zone."""
    head = "X-WR-TIMEZONE:W. Europe Standard Time\n"
    assert read_ics(_file("DTSTART;VALUE=DATE:20261225", head=head)) == ["2026-12-25"]
    with pytest.raises(ScheduleError, match="not known"):
        read_ics(_file("DTSTART:20261224T233000Z", head=head))


def test_an_event_that_was_moved_leaves_its_place() -> None:
    """RECURRENCE-ID replaces one of the days of the event with the same UID."""
    text = _file(
        "DTSTART;VALUE=DATE:20251225\nRRULE:FREQ=YEARLY;COUNT=3\nSUMMARY:X",
        "DTSTART;VALUE=DATE:20261228\nRECURRENCE-ID;VALUE=DATE:20261225\nSUMMARY:X moved",
    ).replace("UID:u1", "UID:u0")
    assert read_ics(text) == ["2025-12-25 X", "2027-12-25 X", "2026-12-28 X moved"]


def test_the_rules_of_time_zones_are_no_events() -> None:
    """VTIMEZONE and VTODO have DTSTART and RRULE too."""
    zone = (
        "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19701025T030000\n"
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nEND:VTIMEZONE\n"
        "BEGIN:VTODO\nDTSTART;VALUE=DATE:20260101\nEND:VTODO\n"
    )
    assert read_ics(_file("DTSTART;VALUE=DATE:20261225", head=zone)) == ["2026-12-25"]


def test_a_day_that_stands_twice_is_kept_once() -> None:
    """Two files of one country's holidays in one are no longer than one."""
    event = "DTSTART;VALUE=DATE:20261225\nSUMMARY:X"
    assert read_ics("\ufeff" + _file(event) + _file(event)) == ["2026-12-25 X"]


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        ("RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", "repeats by BYMONTH=5;BYDAY=-1MO"),
        ("RRULE:FREQ=WEEKLY", "repeats by FREQ=WEEKLY"),
        ("RRULE:FREQ=YEARLY;INTERVAL=2", "repeats by INTERVAL=2"),
        ("RRULE:COUNT=2", "a rule without FREQ"),
        ("RRULE:FREQ=YEARLY\nRRULE:FREQ=YEARLY", "several rules"),
        ("RRULE:FREQ=YEARLY\nEXRULE:FREQ=YEARLY;COUNT=1", "several rules"),
        ("RRULE:FREQ=YEARLY;COUNT=0", "COUNT '0' is no number of times"),
        ("RRULE:FREQ=YEARLY;COUNT=5000", "it comes more than 200 times"),
        ("RRULE:FREQ=YEARLY;UNTIL=soon", "UNTIL 'SOON' is no date"),
        ("RRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20261225", "some years are left out"),
        ("RRULE:FREQ=YEARLY\nDTEND;VALUE=DATE:20271226", "lasts a year"),
        ("DTEND;VALUE=DATE:20261201", "it ends before it begins"),
        ("DTEND:20261226T000000", "one of DTSTART and DTEND has a time of day"),
        ("DURATION:-P1D", "DURATION '-P1D' is not understood"),
        ("DURATION:P999999W", "beyond the year 9999"),
        ("RDATE;VALUE=PERIOD:20270101T000000Z/P1D", "RDATE '20270101T000000Z/P1D' is no date"),
    ],
)
def test_what_cannot_be_said_in_dates_names_its_event(event: str, cause: str) -> None:
    """Nothing is left out unseen: the event, its line, what is wrong and what to do instead."""
    text = _file(f"DTSTART;VALUE=DATE:20261225\nSUMMARY:Memorial Day\n{event}")
    with pytest.raises(ScheduleError) as caught:
        read_ics(text)
    assert "event 'Memorial Day' (line 4)" in caught.value.message
    assert cause in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the iCalendar file ends before it begins"),
        ("<html>not found</html>", "line 1 of the iCalendar file: '<html>not found</html>'"),
        ("VERSION:2.0", "line 1 of the iCalendar file: 'VERSION:2.0' has no place there"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225", "ends within VEVENT"),
        ("BEGIN:VCALENDAR\nEND:VEVENT", "line 2 of the iCalendar file: 'END:VEVENT'"),
        ("BEGIN:VCALENDAR\nnonsense", "line 2 of the iCalendar file: 'nonsense'"),
        (_file("SUMMARY:X"), "event 'X' (line 4): it has no DTSTART"),
        (_file("DTSTART:2026-12-25"), "event 'u0' (line 4): DTSTART '2026-12-25' is no date"),
        (_file("DTSTART:20261325"), "event 'u0' (line 4): DTSTART '20261325'"),
    ],
)
def test_what_is_no_calendar_is_refused(text: str, message: str) -> None:
    """The error says which line, and what a file looks like."""
    with pytest.raises(ScheduleError) as caught:
        read_ics(text)
    assert message in caught.value.message


_WORDS = st.sampled_from(
    [
        *("BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "RRULE:FREQ=YEARLY"),
        *("DTSTART:20240229", "DTEND:99991231", "RDATE:00010101", "EXDATE:20240229T000000Z"),
        *("RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z", "X-WR-TIMEZONE:Asia/Tokyo", " folded", ""),
        *("DTSTART:99991231T235959Z", "RECURRENCE-ID:20240229", "DURATION:P9999W", "SUMMARY:\\"),
    ]
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(_WORDS, max_size=9))
def test_no_file_raises_anything_else(lines: list[str]) -> None:
    """Any text is either days that a calendar takes, or a ScheduleError."""
    text = "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])
    try:
        items = read_ics(text)
    except ScheduleError as error:
        assert error.message  # noqa: PT017 - both outcomes are right
    else:
        compile_calendar(items)
