"""Copying with a real tmux, and from the program itself."""

from __future__ import annotations

import asyncio
import base64
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.driving import expect, fleet, shown
from tests.tui.screens import Pair
from tocsin import clock
from tocsin.tui.clipboard import copy, sequence

DEADLINE_S = 30.0
TEXT = "backup läuft ✓\n"
PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from tocsin.tui.clipboard import copy
said = asyncio.run(copy(sys.argv[1], os.environ, Path(sys.argv[2]), sys.stdout.write))
Path(sys.argv[3]).write_text(said)
os.read(0, 1)
"""


class Tmux:
    """A tmux server of its own, with one client on a terminal."""

    def __init__(self, socket: Path, setting: str, command: list[str]) -> None:
        program = shutil.which("tmux")
        if program is None:
            raise FileNotFoundError("tmux is missing; `make services` installs it on Debian")
        self._server = [program, "-S", str(socket), "-f", os.devnull]
        self.master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        environ = {key: it for key, it in os.environ.items() if key != "TMUX"}
        self._client = subprocess.Popen(
            [*self._server, "set", "-g", "set-clipboard", setting, ";", "new-session", *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(slave)
        self.output = b""

    def read_until(self, *texts: bytes) -> None:
        """Read what the terminal around it gets until all of these were there."""
        deadline_s = clock.monotonic_s() + DEADLINE_S
        while not all(text in self.output for text in texts):
            left_s = deadline_s - clock.monotonic_s()
            assert left_s > 0, self.output[-2000:]
            if select.select([self.master], [], [], left_s)[0]:
                self.output += os.read(self.master, 65_536)

    def buffer(self) -> str:
        """The newest of tmux's own buffers."""
        asked = [*self._server, "show-buffer"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout

    def close(self) -> None:
        """Leave nothing behind."""
        subprocess.run([*self._server, "kill-server"], capture_output=True, check=False)
        self._client.wait(DEADLINE_S)
        os.close(self.master)


@pytest.fixture(params=["external", "on", "off"])
def tmux(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tmux]:
    """The program that copies, in a tmux with this setting; `external` is tmux's own."""
    words = (sys.executable, "-c", PROGRAM, TEXT, str(tmp_path), str(tmp_path / "said"))
    started = Tmux(tmp_path / "tmux", request.param, list(words))
    try:
        yield started
    finally:
        started.close()


def test_tmux_passes_it_to_the_terminal_around_it(tmux: Tmux, tmp_path: Path) -> None:
    """With every setting of tmux, the default one included."""
    tmux.read_until(b"\x1b]52;", base64.b64encode(TEXT.encode()))
    said = tmp_path / "said"
    deadline_s = clock.monotonic_s() + DEADLINE_S
    while not said.exists() or not said.read_text():
        assert clock.monotonic_s() < deadline_s
    assert said.read_text() == "to tmux and the clipboard of the terminal around it"
    assert tmux.buffer() == TEXT


def test_without_tmux_there_is_the_file(tmp_path: Path) -> None:
    """A tmux that is gone, or too old, is no reason to lose a text."""
    environ = {"TERM": "tmux-256color", "TMUX": str(tmp_path / "gone"), "PATH": str(tmp_path)}
    said = asyncio.run(copy(TEXT, environ, tmp_path, pytest.fail))
    assert str(tmp_path / "copied.txt") in said
    assert (tmp_path / "copied.txt").read_text() == TEXT


def test_the_program_says_where_a_text_went(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sequence reaches the terminal, and the line above the footer tells."""
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    sent: list[str] = []

    async def play() -> None:
        pair = Pair((100, 30))
        with fleet() as coordinator:
            async with shown(coordinator, pair=pair) as pilot:
                await expect(pilot, "● live")
                pair.ours.feed = sent.append  # type: ignore[assignment, method-assign]
                pilot.app.copy_to_clipboard(TEXT)
                await expect(pilot, "copied backup läuft ✓ to the terminal's clipboard")

    asyncio.run(play())
    assert sequence(TEXT) in sent
