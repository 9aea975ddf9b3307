"""The program on a terminal of its own: how it begins, and what it leaves behind."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.tui.coordinator import Coordinator
from tests.tui.driving import fleet
from tocsin import clock
from tocsin.keys import write_keypair

DEADLINE_S = 30.0
ALT_SCREEN_ON, ALT_SCREEN_OFF = b"\x1b[?1049h", b"\x1b[?1049l"
MOUSE_ON, MOUSE_OFF = b"\x1b[?1000h", b"\x1b[?1000l"
PROGRAM = """
import sys
# first of all
from pathlib import Path
from tocsin.config import Context
from tocsin.tui.running import run_tui
name, endpoint, server_key, key_file = sys.argv[1:]
context = Context(name=name, endpoint=endpoint, server_key=server_key, key_file=Path(key_file))
sys.exit(run_tui(context))
"""


class Terminal:
    """A terminal with the TUI in it."""

    def __init__(
        self, coordinator: Coordinator, key_file: Path, *, first: str = "", **environ: str
    ) -> None:
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (30, 100))
        self._slave = os.dup(slave)
        self.before = self.attributes()
        self.output = b""
        write_keypair(key_file, coordinator.client_pair)
        context = ("prod-eu", coordinator.endpoint, coordinator.server_key, str(key_file))
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.replace("# first of all", first), *context],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={
                **os.environ,
                "TERM": "xterm-256color",
                "TOCSIN_HOME": str(key_file.parent),
                **environ,
            },
            start_new_session=True,
        )
        os.close(slave)

    def attributes(self) -> list[Any]:
        """How the terminal is set, see termios(3)."""
        return termios.tcgetattr(self._slave)

    def read_until(self, *texts: bytes) -> None:
        """Read until all of these were written."""
        deadline_s = clock.monotonic_s() + DEADLINE_S
        while not all(text in self.output for text in texts):
            left_s = deadline_s - clock.monotonic_s()
            assert left_s > 0, self.output[-2000:]
            if select.select([self.master], [], [], left_s)[0]:
                self.output += os.read(self.master, 65_536)

    def end(self) -> int:
        """Read on until the program is over; its exit code."""
        deadline_s = clock.monotonic_s() + DEADLINE_S
        while self.process.poll() is None:
            assert clock.monotonic_s() < deadline_s, self.output[-2000:]
            if select.select([self.master], [], [], 0.02)[0]:
                self.output += os.read(self.master, 65_536)
        while select.select([self.master], [], [], 0)[0]:
            self.output += os.read(self.master, 65_536)
        return self.process.returncode

    def vanish(self) -> None:
        """Be gone, as when a connection breaks."""
        os.close(self._slave)
        os.close(self.master)
        self._slave = self.master = -1

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for fd in {self.master, self._slave} - {-1}:
            os.close(fd)


@contextmanager
def terminal(tmp_path: Path, *, first: str = "", **environ: str) -> Iterator[Terminal]:
    """The TUI on a terminal, with a coordinator to talk to; `first` is run before it."""
    with fleet() as coordinator:
        shown = Terminal(coordinator, tmp_path / "client.key", first=first, **environ)
        try:
            yield shown
        finally:
            shown.close()


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


@pytest.mark.parametrize("environ", [{"LC_ALL": "de_DE.ISO-8859-1"}, {"TERM": "linux"}, {}])
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
