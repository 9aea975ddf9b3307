"""The program on a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.tui.coordinator import Coordinator
from tests.tui.driving import fleet
from tests.tui.screens import Emulator
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

    def screen(self) -> Emulator:
        """What the terminal shows now."""
        emulator = Emulator((100, 30))
        emulator.feed(self.output.decode(errors="ignore"))
        return emulator

    def expect(self, *texts: str) -> None:
        """Read until all of these are in sight."""
        deadline_s = clock.monotonic_s() + DEADLINE_S
        while not all(text in (seen := "\n".join(self.screen().lines())) for text in texts):
            assert clock.monotonic_s() < deadline_s, seen
            self.read_more()

    def read_more(self) -> None:
        """Wait for something to be written, and read it."""
        assert select.select([self.master], [], [], DEADLINE_S)[0], self.output[-2000:]
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
