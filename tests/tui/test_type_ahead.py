"""Keys that arrive in one go, faster than anything can be drawn, and a program that is stopped."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.fleet import until
from tests.tui.on_terminal import ALT_SCREEN_OFF, Terminal, terminal


def jobs(t: Terminal) -> None:
    """Go to the list of jobs, with all of them in sight."""
    t.read_until(b"live", b"\x1b[?2004h")
    os.write(t.master, b"2")
    t.read_until(b"[2 Jobs]", b"gdpr-purge")


@pytest.mark.parametrize("keys", [b"q", b":q\r", b":quit\r"])
@pytest.mark.parametrize("behind", [b"", b"l", b"\r", b"w", b"e", b"D", b"3", b":job x\r", b"q"])
def test_nothing_happens_behind_the_key_that_leaves(
    tmp_path: Path, keys: bytes, behind: bytes
) -> None:
    """Whatever it would open."""
    with terminal(tmp_path) as t:
        jobs(t)
        os.write(t.master, keys + behind)
        assert t.end() == 0
        assert b"Traceback" not in t.output
        assert t.attributes() == t.before


@pytest.mark.parametrize("before", [b"l", b"\r", b"w", b"e", b"3", b"n", b"?"])
def test_leaving_waits_for_what_is_being_opened(tmp_path: Path, before: bytes) -> None:
    """A screen that is half there cannot be taken down."""
    with terminal(tmp_path) as t:
        jobs(t)
        os.write(t.master, before + b"\x03")
        assert t.end() == 0
        assert b"Traceback" not in t.output


@pytest.mark.parametrize("text", ["Daily", "rest of it", "zzz", "/etl", "qD y"])
def test_what_follows_the_key_of_the_filter_is_the_filter(tmp_path: Path, text: str) -> None:
    """And no key of the list."""
    with terminal(tmp_path) as t:
        jobs(t)
        os.write(t.master, f"/{text}\r".encode())
        t.expect(f"nothing matches '{text}'")
        os.write(t.master, b"q")
        assert t.end() == 0
        assert b"run now" not in t.output.rpartition(b"nothing matches")[2]


def test_what_follows_the_key_of_commands_is_the_command(tmp_path: Path) -> None:
    """It goes where it says."""
    with terminal(tmp_path) as t:
        jobs(t)
        os.write(t.master, b":job billing-sync\r")
        t.read_until(b"History")
        os.write(t.master, b"\x03")
        assert t.end() == 0


def test_a_question_is_not_answered_before_it_is_in_sight(tmp_path: Path) -> None:
    """A `y` that was typed ahead removes nothing."""
    with terminal(tmp_path) as t:
        jobs(t)
        os.write(t.master, b"Dy")
        t.expect("y remove", "esc leave it")
        os.write(t.master, b"n")
        t.expect("[2 Jobs]")
        os.write(t.master, b"q")
        assert t.end() == 0
        assert "✓ remove".encode() not in t.output


def test_a_letter_right_behind_escape_is_a_key_of_its_own(tmp_path: Path) -> None:
    """Terminals send alt and a letter as the same bytes."""
    with terminal(tmp_path) as t:
        jobs(t)
        os.write(t.master, b"/etl\r")
        t.expect("/etl  1 of 7")
        os.write(t.master, b"\x1bn")
        t.expect("new job", "F2 save")
        os.write(t.master, b"\x03")
        assert t.end() == 0


def test_the_overview_finds_jobs(tmp_path: Path) -> None:
    """What is typed behind `/` there is the filter of the jobs, and no key."""
    with terminal(tmp_path) as t:
        t.read_until(b"live", b"\x1b[?2004h")
        os.write(t.master, b"/pause\r")
        t.expect("[2 Jobs]", "/pause  ")
        os.write(t.master, b"q")
        assert t.end() == 0


def test_a_stopped_program_draws_all_anew_when_it_goes_on(tmp_path: Path) -> None:
    """The shell has written on the terminal meanwhile."""
    with terminal(tmp_path) as t:
        jobs(t)
        t.expect("gdpr-purge", "etl-orders")
        t.process.send_signal(signal.SIGTSTP)
        t.read_until(ALT_SCREEN_OFF)
        stat = Path(f"/proc/{t.process.pid}/stat")
        until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "the program to stop")
        t.output = b""
        t.process.send_signal(signal.SIGCONT)
        t.expect("[2 Jobs]", "gdpr-purge", "etl-orders", "q quit")
        os.write(t.master, b"q")
        assert t.end() == 0
