"""The program on a terminal of its own: how it begins, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tui.driving import fleet
from tests.tui.on_terminal import (
    ALT_SCREEN_OFF,
    ALT_SCREEN_ON,
    DEADLINE_S,
    MOUSE_OFF,
    MOUSE_ON,
    PROGRAM,
    terminal,
)
from tocsin.keys import write_keypair


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signal_restores_the_terminal(tmp_path: Path, number: signal.Signals) -> None:
    """A signal that asks to end leaves the terminal as it was, and success as the exit code."""
    with terminal(tmp_path) as t:
        t.read_until(b"etl-orders", b"live")
        assert ALT_SCREEN_ON in t.output
        assert MOUSE_ON not in t.output
        assert t.attributes() != t.before
        t.process.send_signal(number)
        assert t.end() == 0
        assert t.output.rindex(ALT_SCREEN_OFF) > t.output.rindex(ALT_SCREEN_ON)
        assert t.attributes() == t.before
        assert b"Traceback" not in t.output


@pytest.mark.parametrize("key", [b"q", b"\x03"])
def test_key_leaves(tmp_path: Path, key: bytes) -> None:
    """The keys for leaving do, and leave the terminal as it was."""
    with terminal(tmp_path) as t:
        t.read_until(b"etl-orders", b"live")
        os.write(t.master, key)
        assert t.end() == 0
        assert t.attributes() == t.before


def test_vanished_terminal_ends_the_program(tmp_path: Path) -> None:
    """A program whose terminal is gone ends by itself, also where no SIGHUP tells it."""
    with terminal(tmp_path) as t:
        t.read_until(b"etl-orders", b"live")
        t.vanish()
        assert t.process.wait(DEADLINE_S) == 0


def test_vanished_terminal_ends_a_program_that_heeds_no_hangup(tmp_path: Path) -> None:
    """Also with SIGHUP ignored, as under nohup(1), on a terminal of its own; it does not spin."""
    first = (
        "import fcntl, signal, termios\n"
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    )
    with terminal(tmp_path, first=first) as t:
        t.read_until(b"etl-orders", b"live")
        t.vanish()
        assert t.process.wait(DEADLINE_S) == 0


def test_an_error_of_the_program_restores_the_terminal(tmp_path: Path) -> None:
    """A crash while it draws leaves the terminal as it was, and says what happened."""
    first = (
        "import tocsin.tui.app\n"
        "def broken(self, event):\n"
        "    raise RuntimeError('a screen broke')\n"
        "tocsin.tui.app.TocsinApp.on_key = broken"
    )
    with terminal(tmp_path, first=first) as t:
        t.read_until(b"etl-orders", b"live")
        os.write(t.master, b"j")
        assert t.end() == 1
        assert t.output.rindex(ALT_SCREEN_OFF) > t.output.rindex(ALT_SCREEN_ON)
        assert t.attributes() == t.before
        assert b"a screen broke" in t.output


@pytest.mark.parametrize("environ", [
    {"LC_ALL": "de_DE.ISO-8859-1"}, {"LANG": "C", "LC_CTYPE": "", "LC_ALL": ""},
    {"TERM": "linux"}, {},
])  # fmt: skip
def test_nothing_but_ascii_where_there_is_no_more(tmp_path: Path, environ: dict[str, str]) -> None:
    """By the locale and on the Linux console; the words are all there."""
    with terminal(tmp_path, **environ) as t:
        t.read_until(b"etl-orders", b"live", b"failed")
        t.process.send_signal(signal.SIGTERM)
        assert t.end() == 0
        assert t.output.isascii() is bool(environ)


def test_the_mouse_is_taken_where_it_is_wanted(tmp_path: Path) -> None:
    """And given back at the end."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/tui.toml").write_text("mouse = true\n")
    with terminal(tmp_path) as t:
        t.read_until(b"etl-orders", b"live", MOUSE_ON)
        t.process.send_signal(signal.SIGTERM)
        assert t.end() == 0
        assert t.output.rindex(MOUSE_OFF) > t.output.rindex(MOUSE_ON)


def test_a_wrong_setting_is_said_before_anything_is_drawn(tmp_path: Path) -> None:
    """The terminal is not touched."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/tui.toml").write_text('theme = "drak"\n')
    with terminal(tmp_path) as t:
        assert t.end() != 0
        assert b'there is no "drak"' in t.output
        assert ALT_SCREEN_ON not in t.output


def test_dumb_terminal_is_refused(tmp_path: Path) -> None:
    """On a terminal that cannot draw there is a message, no screen, and the exit code of misuse."""
    with terminal(tmp_path, TERM="dumb") as t:
        assert t.end() == 2
        assert b"TERM=dumb cannot draw screens" in t.output
        assert b"\x1b" not in t.output


def test_no_terminal_is_refused(tmp_path: Path) -> None:
    """Where output is no terminal there is a message that names the commands."""
    with fleet() as coordinator:
        write_keypair(tmp_path / "client.key", coordinator.client_pair)
        context = ("x", coordinator.endpoint, coordinator.server_key, str(tmp_path / "client.key"))
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *context],
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_no_colour_where_none_is_wanted(tmp_path: Path) -> None:
    """With NO_COLOR (no-color.org) the bytes hold no colour, and the words are all there."""
    with terminal(tmp_path, NO_COLOR="1", COLORTERM="truecolor") as t:
        t.read_until(b"etl-orders", b"live", b"failed")
        t.process.send_signal(signal.SIGTERM)
        assert t.end() == 0
        codes = {
            code
            for part in t.output.split(b"\x1b[")[1:]
            if (end := part.find(b"m")) >= 0 and set(part[:end]) <= set(b"0123456789;")
            for code in part[:end].split(b";")
        }
        assert not codes & {
            b"38",
            b"48",
            *(b"%d" % n for n in (*range(30, 38), *range(40, 48), *range(90, 108))),
        }
