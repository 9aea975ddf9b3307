"""Times, states and lines of text as people read them."""

from __future__ import annotations

from typing import Any

import pytest
from rich.cells import cell_len

from tests.tui.fleet import BERLIN, NOW_US, at, job, run
from tocsin.messages.client_answers import Status
from tocsin.model import JobRow, Run, RunState, Trigger
from tocsin.tui import words
from tocsin.tui.connection import Connection, Phase, badge, trouble
from tocsin.tui.plain import fit, one_line, rule, spread


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "now"), (1, "in 1s"), (98, "in 1m38s"), (119.9, "in 1m59s"), (120, "in 2m"),
        (2520, "in 42m"), (7020, "in 1h57m"), (86_399, "in 23h59m"), (90_000, "in 1d1h"),
        (172_800, "in 2d"), (-1, "now"), (-3, "3s LATE"), (-560, "9m LATE"),
    ],
)  # fmt: skip
def test_until(seconds: float, text: str) -> None:
    """What is to come is told in steps that do not flicker; what should have come is LATE."""
    assert words.until(at(seconds), NOW_US) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "now"), (3, "3s ago"), (3000, "50m ago")])
def test_ago(seconds: float, text: str) -> None:
    """What was is told by its age."""
    assert words.ago(at(-seconds), NOW_US) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2498, "14:45:00"), (86_400, "Wed 14:03"), (5 * 86_400, "Sun 15:03"),
        (-30 * 86_400, "22 Feb 14:03"), (400 * 86_400, "28 Apr 2027"),
    ],
)  # fmt: skip
def test_moment_on_the_local_calendar(seconds: float, text: str) -> None:
    """An instant is told on the local calendar, over a change to summer time too."""
    assert words.moment(at(seconds), NOW_US, BERLIN) == text


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (job(1, "a", "* * * * *", 42), "in 42s"),
        (job(1, "a", "* * * * *", 42, paused=True), "paused"),
        (job(1, "a", "* * * * *", 42, enabled=False), "off"),
        (job(1, "a", "@at 2020-01-01T00:00:00Z"), "never"),
        (job(1, "a"), "by hand"),
    ],
)
def test_next_due(row: JobRow, text: str) -> None:
    """The next fire is told, or why there is none."""
    assert words.next_due(row, NOW_US) == text


@pytest.mark.parametrize(
    ("latest", "last_state", "glyph", "text"),
    [
        (None, None, "○", "never ran"),
        (None, RunState.FAILED, "✗", "failed"),
        (run(1, "a", RunState.RUNNING), RunState.FAILED, "►", "running"),
        (run(1, "a", finished_us=at(-60)), None, "●", "ok 1m ago"),
    ],
)
def test_last(latest: Run | None, last_state: RunState | None, glyph: str, text: str) -> None:
    """The last run is told by glyph and by words; one under way counts most."""
    row = job(1, "a", last_state=last_state)
    assert words.job_glyph(row, latest)[0] == glyph
    assert words.last(row, latest, NOW_US) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"state": RunState.FAILED, "exit_code": 3}, "failed, exit 3"),
        ({"state": RunState.FAILED}, "failed"),
        ({"state": RunState.SKIPPED, "reason": "overlap"}, "skipped: overlap"),
        ({"state": RunState.RUNNING, "cancel_requested": True}, "being killed"),
        ({"state": RunState.CANCELLED, "cancel_requested": True}, "cancelled"),
    ],
)
def test_state(changes: dict[str, Any], text: str) -> None:
    """A state is a word, with what makes it clearer."""
    assert words.state(run(1, "a", **changes)) == text


def test_every_state_has_glyph_word_and_tone() -> None:
    """No state is without its three channels, and no glyph is wider than a cell."""
    for state in RunState:
        assert cell_len(words.GLYPH[state]) == 1
        assert words.WORD[state]
        assert words.tone(state)
    assert {words.why(run(1, "a", trigger=trigger)) for trigger in Trigger}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]52;c;aGk=\x1b\\after", "after"),
        ("a\tb", "a       b"),
        ("bell\x07", "bell·"),
        ("a\nb", "a b"),
        ("turned\u202eround", "turned·round"),
        ("c1\x9b31m", "c1·31m"),
        ("\x1b", ""),
        ("Grüße 世界", "Grüße 世界"),
    ],
)
def test_one_line_disarms(text: str, shown: str) -> None:
    """Nothing that a job prints can move the cursor, set a title or turn the text around."""
    assert one_line(text) == shown


@pytest.mark.parametrize("width", [0, 1, 2, 5, 6, 7, 20])
def test_fit_is_exact(width: int) -> None:
    """A text has exactly the cells it is given, wide characters included."""
    for text in ("", "abcdef", "世界世", "a世b界"):
        assert cell_len(fit(text, width)) == width
        assert cell_len(fit(text, width, right=True)) == width
        assert cell_len(spread(text, "end", width)) == width
        assert cell_len(rule(text, "end", width)) == width


_STATUS = Status("0", 1, 1, 0, 0, "ok", 0, 0, 0, 0, 0, None, {})
_BROKEN = Status("0", 1, 1, 0, 0, "cannot write", 0, 0, 0, 0, 0, None, {})


@pytest.mark.parametrize(
    ("connection", "text"),
    [
        (Connection(Phase.CONNECTING, at(-3)), "○ connecting 3s"),
        (Connection(Phase.UP, 0, at(-1), status=_STATUS), "● live"),
        (Connection(Phase.UP, 0, at(-1), lag_s=0.31, status=_STATUS), "● live, lag 0.3s"),
        (Connection(Phase.UP, 0, at(-13)), "! SILENT, data 13s old"),
        (Connection(Phase.UP, 0, at(-1), status=_BROKEN), "! live, store in trouble"),
        (Connection(Phase.DOWN, at(-2), at(-14)), "✗ OFFLINE, data 14s old"),
        (Connection(Phase.DOWN, at(-2)), "✗ OFFLINE"),
        (Connection(Phase.REFUSED, at(-2)), "✗ REFUSED"),
    ],
)
def test_badge_says_how_old_the_data_is(connection: Connection, text: str) -> None:
    """The header says in words whether what is shown is live, and its age when it is not."""
    shown = badge(connection, NOW_US)
    assert f"{shown.glyph} {shown.text}" == text


def test_trouble_is_told() -> None:
    """What is wrong is one line; nothing is said when nothing is."""
    assert trouble(Connection(Phase.UP, status=_STATUS)) == ""
    assert trouble(Connection(Phase.UP, status=_BROKEN)) == "store: cannot write"
    assert trouble(Connection(Phase.DOWN, reason="dialling x")) == "dialling x"
    assert "not admitted" in trouble(Connection(Phase.REFUSED))
    assert all(Connection(phase).blocks() for phase in Phase if phase is not Phase.UP)
