"""The TUI in a tmux of its own: what a person sees, and the keys that a person presses."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tocsin import clock

DEADLINE_S: Final = 30.0
_LOOK_S: Final = 0.1


class Tmux:
    """A tmux server with one window of a fixed size, in which a command runs."""

    def __init__(
        self, folder: Path, command: list[str], size: tuple[int, int], environ: dict[str, str]
    ) -> None:
        self._socket = str(folder / "tmux")
        columns, rows = size
        self._environ = {
            name: value for name, value in os.environ.items() if not name.startswith("TMUX")
        } | {"TERM": "xterm-256color", "LANG": "C.UTF-8", **environ}
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
            f"{shlex.join(command)}; echo ended with $?; exec cat",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tmux("kill-server")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: `Enter`, `Escape`, `C-p`, `a`."""
        for key in keys:
            self._tmux("send-keys", key)

    def type(self, text: str) -> None:
        """Type letters."""
        self._tmux("send-keys", "-l", text)

    def screen(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def expect(self, *texts: str, within_s: float = DEADLINE_S) -> str:
        """Look until all of these are on the screen; the screen."""
        deadline_s = clock.monotonic_s() + within_s
        while True:
            shown = self.screen()
            if all(text in shown for text in texts):
                return shown
            assert clock.monotonic_s() < deadline_s, f"not on the screen: {texts}\n{shown}"
            time.sleep(_LOOK_S)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words],
            env=self._environ, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout
