"""The line above a log, the times before its lines, and the log as a file."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.tui.fleet import BERLIN, NOW_US
from tests.unit.tui.test_log_lines import lines_of, pieces_of
from tocsin.messages.client_answers import OutputPiece
from tocsin.tui import log_file
from tocsin.tui.log_lines import LogLines
from tocsin.tui.log_view import Mode
from tocsin.tui.log_words import (
    Standing,
    Times,
    cannot_be_read,
    log_line,
    log_time,
    none_shown,
    not_found,
)


@pytest.mark.parametrize(
    ("times", "after_s", "told"),
    [
        (Times.CLOCK, 0.0, "14:03:22.000"),
        (Times.SINCE, 1.25, "00:00:01.250"),
        (Times.SINCE, 3725.0, "01:02:05.000"),
        (Times.SINCE, -1.0, "00:00:00.000"),
        (Times.NONE, 1.0, ""),
    ],
)
def test_times(times: Times, after_s: float, told: str) -> None:
    """Of the day, since the start, or none."""
    assert log_time(NOW_US + round(after_s * 1e6), times, BERLIN, NOW_US) == told


def test_no_time_since_a_start_that_was_not() -> None:
    """It is as wide as the others."""
    assert len(log_time(NOW_US, Times.SINCE, BERLIN, None)) == 12


def _standing(**more: object) -> Standing:
    told = {"mode": Mode(), "follow": True, "wrap": False, "over": False, "unseen": 0,
            "needle": "", "matches": 0, "nth_match": 0, "busy": ""}  # fmt: skip
    return Standing(**{**told, **more})  # type: ignore[arg-type]


def _opened() -> LogLines:
    lines = LogLines()
    lines.open(pieces_of(*[(1, b"0123456789\n")] * 9)[5:], earlier=True, later=False)
    return lines


@pytest.mark.parametrize(
    ("lines", "standing", "width", "parts"),
    [
        (lines_of((1, b"a\nb\n")), _standing(), 60, ["stdout+stderr  2 lines, 4 B ", "FOLLOW ─"]),
        (lines_of((1, b"a\n")), _standing(over=True), 60, [" END ─"]),
        (_opened(), _standing(), 80, ["4 lines loaded  44 B of 2 KiB "]),
        (_opened(), _standing(follow=False, unseen=37), 60, ["+37 new, f follows"]),
        (_opened(), _standing(not_kept=5 << 19), 80, ["44 B of 2 KiB  2.5 MiB not kept "]),
        (_opened(), _standing(not_kept=5 << 19), 66, ["4 lines loaded  2.5 MiB not kept "]),
        (_opened(), _standing(not_kept=5 << 19), 50, ["stdout+stderr  2.5 MiB not kept "]),
        (LogLines(), _standing(unread=True), 60, ["stdout+stderr  2 KiB ", "reading ─"]),
        (
            LogLines(),
            _standing(unread=True, blocked="offline"),
            70,
            ["stdout+stderr  2 KiB ", "cannot be read while offline ─"],
        ),
        (_opened(), _standing(blocked="offline"), 80, ["4 lines loaded ", " OFFLINE ─"]),
        (_opened(), _standing(blocked="offline", over=True), 80, [" END ─"]),
        (
            _opened(),
            _standing(needle="x" * 20, matches=3, nth_match=1, mode=Mode("!y"), wrap=True),
            70,
            ["─ Log ", "only !y  'xxxxxxxxxxxxxxxxxxxx': 1 of 3+ loaded  wrap  FOLLOW ─"],
        ),
    ],
)
def test_title(lines: LogLines, standing: Standing, width: int, parts: list[str]) -> None:
    """Where the reader stands is always told; how much there is where there is room."""
    told = log_line(lines, standing, 2048, width)
    assert cell_len(told) == width
    assert all(part in told for part in parts), told


def test_what_is_not_there_and_where_it_may_have_been() -> None:
    """Nobody is to believe that something was not printed when that cannot be known."""
    assert not_found("x", 0, over=True) == "'x' is nowhere in the output"
    assert not_found("/x/", 0, over=False) == "/x/ is nowhere in the output so far"
    assert not_found("x", 2048, over=True).endswith("in the output, of which 2 KiB is not kept")
    assert none_shown(Mode("x"), 0, whole=True) == "there is no such line: x"
    told = "no such line is loaded: x; / looks through all of it; 2 KiB of the output is not kept"
    assert none_shown(Mode("x"), 2048, whole=False) == told
    assert cannot_be_read("not connected yet") == "cannot be read: not connected yet"


def test_a_file_that_is_kept(tmp_path: Path) -> None:
    """Nobody else can read it, and none that exists is written over."""
    first, file = log_file.open_kept(tmp_path, "01ABC")
    with file:
        log_file.write(file, OutputPiece(1, 1, 1, 0, 0, b"text\n"))
    second, file = log_file.open_kept(tmp_path, "01ABC")
    file.close()
    assert (first.name, second.name) == ("01ABC.log", "01ABC-2.log")
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert first.read_bytes() == b"text\n"


def test_a_gap_is_told_in_the_file() -> None:
    """In a line of its own, before what follows it."""
    file = io.BytesIO()
    log_file.write(file, OutputPiece(1, 1, 1, 0, 0, b"tail\n", 2048))
    assert file.getvalue() == b"\n-- 2 KiB not kept here --\ntail\n"


@pytest.mark.parametrize(
    ("environ", "command"),
    [({}, ["less", "-R"]), ({"PAGER": ""}, ["less", "-R"]), ({"PAGER": "most -w"}, ["most", "-w"])],
)
def test_pager(environ: dict[str, str], command: list[str]) -> None:
    """The user's own, or the usual one."""
    assert log_file.pager(environ) == command
