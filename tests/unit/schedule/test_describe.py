"""Schedules in plain English, and the doubts about them."""

from __future__ import annotations

import pytest

from tocsin.schedule import parse


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * *", "every minute (UTC)"),
        ("*/5 * * * *", "every 5 minutes (UTC)"),
        ("30 2 * * *", "at 02:30 every day (UTC)"),
        ("30 2 * 3-5 *", "at 02:30 every day in March, April and May (UTC)"),
        ("15 30 2 * * *", "at 02:30:15 every day (UTC)"),
        ("0 9-17 * * 1-5", "every hour from 09:00 to 17:00 Monday to Friday (UTC)"),
        ("*/15 9-17 * * MON-FRI", "every 15 minutes, 09:00 to 17:45 Monday to Friday (UTC)"),
        ("0 0 1,15 * 5", "at 00:00 on days 1 and 15 of the month or on Friday (UTC)"),
        ("0 0 1,15 * *", "at 00:00 on days 1 and 15 of the month (UTC)"),
        ("0 0 L * *", "at 00:00 on the last day of the month (UTC)"),
        ("0 0 L 2 *", "at 00:00 on the last day of February (UTC)"),
        ("0 0 L-3 * *", "at 00:00 on the day 3 before the last day of the month (UTC)"),
        ("0 0 * * 5#3", "at 00:00 on the third Friday of the month (UTC)"),
        ("0 0 29 2 *", "at 00:00 on day 29 of February (UTC)"),
        (
            "0 12 */2 * 1",
            "at 12:00 on every 2nd day from day 1 to 31 of the month, if also on Monday (UTC)",
        ),
        ("*/10 * * * * *", "every 10 seconds (UTC)"),
        ("*/10 * 9 * * *", "every 10 seconds, 09:00 to 09:59 (UTC)"),
        ("5,20 * * * * *", "every minute, at seconds 5 and 20 (UTC)"),
        ("0 0 15W * *", "at 00:00 on the working day nearest to day 15 of the month (UTC)"),
        (
            "0 0 L-2W 5 *",
            "at 00:00 on the working day nearest to the day 2 before the last day of May (UTC)",
        ),
        ("0 0 1 * 0-6", "at 00:00 every day (UTC)"),
        ("0 0 1-31 * *", "at 00:00 every day (UTC)"),
        ("0 0 LW * *", "at 00:00 on the last working day of the month (UTC)"),
        ("0 */4 * * *", "every 4 hours (UTC)"),
        ("15 */2 * * *", "every 2 hours at minute 15 (UTC)"),
        ("H/15 * * * *", "every 15 minutes from minute 4 (UTC)"),
        ("H H * * *", "at 08:34 every day (UTC)"),
        ("0 1-23/2 * * *", "every 2 hours from 01:00 (UTC)"),
        ("30 9-17 * * *", "every hour from 09:30 to 17:30 (UTC)"),
        ("5,10,35 * * * *", "at minutes 5, 10 and 35 of every hour (UTC)"),
        ("5,10,35 9,12-15 * * *", "at minutes 5, 10 and 35 of hours 9 and 12 to 15 (UTC)"),
        ("0 3,9,22 * * 0,6", "at 03:00, 09:00 and 22:00 on Saturday and Sunday (UTC)"),
        ("7 1,2,3,7,9,11,13 * * *", "at minute 7 of hours 1 to 3, 7, 9, 11 and 13 (UTC)"),
        ("30 0 * * * *", "every hour, at second 30 (UTC)"),
        ("0,20 */5 * * * *", "every 5 minutes, at seconds 0 and 20 (UTC)"),
        ("* * * * * *", "every second (UTC)"),
        ("*/7 * * * *", "at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour (UTC)"),
        ("0 0 * 1,7 *", "at 00:00 every day in January and July (UTC)"),
        ("0 0 1 1 *", "at 00:00 on day 1 of January (UTC)"),
        ("*/20 8-10,14 * * *", "every 20 minutes of hours 8 to 10 and 14 (UTC)"),
        ("0 0 * * SAT-SUN", "at 00:00 on Saturday and Sunday (UTC)"),
        ("0 0 */2 * *", "at 00:00 on every 2nd day from day 1 to 31 of the month (UTC)"),
        ("0 0-23 * * *", "every hour (UTC)"),
        ("0 0 * * 6L", "at 00:00 on the last Saturday of the month (UTC)"),
        ("* 9-17 * * *", "every minute, 09:00 to 17:59 (UTC)"),
        ("0 0 1,2,3,10 * *", "at 00:00 on days 1 to 3 and 10 of the month (UTC)"),
        ("0 0 * * MON,WED#1", "at 00:00 on Monday and the first Wednesday of the month (UTC)"),
        ("@hourly", "every hour (UTC)"),
        ("@every 1d", "every day"),
        ("@every 1w", "every week"),
        ("@every 90s", "every 1 minute 30 seconds"),
        ("@every 1h30m", "every 1 hour 30 minutes"),
        ("@every 2h", "every 2 hours"),
        ("@at 2026-01-01T09:00", "once, at 2026-01-01T09:00 (UTC)"),
        ("@at 2026-01-01T09:00Z", "once, at 2026-01-01T09:00Z"),
        (
            "TZ=Europe/Paris @at 2026-03-29T02:30",
            "once, at 2026-03-29T02:30 (Europe/Paris), or when the clock has leapt over that",
        ),
        ("@manual", "only when asked for"),
        (
            "0 0 L,L-3 * *",
            "at 00:00 on the last day and the day 3 before the last day of the month (UTC)",
        ),
        ("@calendar daily", "at 00:00 every day (UTC)"),
        ("@calendar weekly", "at 00:00 on Monday (UTC)"),
        ("@calendar minutely UTC", "every minute (UTC)"),
        ("@calendar quarterly", "at 00:00 on day 1 of January, April, July and October (UTC)"),
        ("@calendar *:0/15", "every 15 minutes (UTC)"),
        ("@calendar Fri *-*-13 18:00", "at 18:00 on day 13 of the month, if also on Friday (UTC)"),
        ("@calendar *-02~01", "at 00:00 on the last day of February (UTC)"),
        (
            "@calendar *-05~2",
            "at 00:00 on the day 1 before the last day of May (UTC)",
        ),
        ("@calendar 2026-12-24 18:00", "at 18:00 on day 24 of December in 2026 (UTC)"),
        ("@calendar 2026..2028-*-* 1:00", "at 01:00 every day in 2026 to 2028 (UTC)"),
        (
            "@calendar 2026-1..3-* 1:00",
            "at 01:00 every day in January, February and March in 2026 (UTC)",
        ),
    ],
)
def test_a_schedule_in_words(text: str, words: str) -> None:
    """The description says when the job is due."""
    assert parse(text, key="backup").describe() == words


def test_the_words_name_the_zone() -> None:
    """Times of day are times of a zone."""
    assert parse("30 2 * * *", "Asia/Tokyo").describe() == "at 02:30 every day (Asia/Tokyo)"


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("0 0 1 * 1", ["a day that matches either of them is enough"]),
        ("0 0 */2 * 1", ["a day must match both"]),
        ("0 0 L * 1", ["a day that matches either of them is enough"]),
        ("0 0 1 * *", []),
        ("0 0 * * 1", []),
        ("0 0 ? * 1", []),
        ("0 0 1 * 0-6", ["one leaves no day out: every day"]),
        ("0 0 1-31 * 1", ["one leaves no day out: every day"]),
        ("0 0 1-31 * *", []),
        ("* 2 * * *", ["due every minute of that hour"]),
        ("* 2-3 * * *", []),
        ("0 0 31 * *", ["months without such a day are left out"]),
        ("0 0 28,31 * *", []),
        ("0 0 L * *", []),
        ("@every 1h", []),
        ("@calendar Fri *-*-13", []),
        ("@calendar *-*-31", ["months without such a day are left out: *-*~01 is the last"]),
        ("@calendar 2:*", ["due every minute of that hour"]),
    ],
)
def test_a_doubt_is_a_warning(text: str, doubts: list[str]) -> None:
    """What is allowed but may not be meant is said, and nothing else."""
    warnings = parse(text).warnings
    assert len(warnings) == len(doubts)
    assert all(doubt in warning for doubt, warning in zip(doubts, warnings, strict=True))
