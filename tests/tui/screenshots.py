"""`make screenshots`: the pictures in docs/screenshots, of a fleet that really runs.

A coordinator and an agent are started as `tocsin up examples/` starts them, in a folder of their
own; then the TUI is driven by the keys of `SHOTS`, and each screen is exported as SVG by Textual.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from textual.pilot import Pilot

from tocsin.config import Context, find_places, read_context
from tocsin.keys import read_keypair
from tocsin.link import Hub
from tocsin.tui.app import TocsinApp
from tocsin.tui.session import Session, Target
from tocsin.tui.settings import TuiSettings

from .driving import expect

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs/screenshots"
SIZE: Final = (100, 30)
_FONTS: Final = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
"""A picture asks no other host for anything; any monospaced font does."""


class Shot(NamedTuple):
    """A picture: the keys that lead to it from the one before, and what has to be on it."""

    name: str
    keys: tuple[str, ...]
    texts: tuple[str, ...]


SHOTS: Final = (
    # The retry of `flaky` and the end of `broken` show that there was a full round.
    Shot("jobs", ("2",), ("●", "►", "✗", "flaky")),
    Shot("runs", ("3", "g"), ("ok", "failed, exit 3", "skipped: overlap", "►")),
    Shot("run", ("slash", *"job:long state:running", "enter", "enter"), ("of 300", "FOLLOW")),
    Shot("help", ("question_mark",), ("ctrl+c",)),
    Shot("editor", ("escape", "escape", "2", "e"), ("F2",)),
    Shot("job", ("escape", "g", "enter"), ("Next fires", "Fails, by cause", "broken")),
    Shot("why", ("w",), ("placement", "failed")),
    Shot("agents", ("4",), ("only here",)),
    Shot("schedule", ("5",), ("peak",)),
    Shot("overview", ("1", "plus"), ("broken", "in a row", "►")),
)


@contextmanager
def demo() -> Iterator[Context]:
    """A fleet with the example jobs."""
    with tempfile.TemporaryDirectory(prefix="tocsin-demo-") as home:
        environ = {**os.environ, "TOCSIN_HOME": home}
        process = subprocess.Popen(
            [sys.executable, "-m", "tocsin.cli", "up", "--no-tui", str(ROOT / "examples")],
            env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            process.stdout.readline()  # of the first run: all of it is up
            yield read_context(find_places(environ).context_file)
        finally:
            process.terminate()
            process.communicate()


async def take(context: Context) -> None:
    """Drive the TUI from screen to screen."""
    target = Target(context.endpoint, context.server_key, read_keypair(context.key_file))
    hub = Hub()
    app = TocsinApp(
        lambda tell: Session(hub, target, tell),
        name="prod-eu",
        settings=TuiSettings(theme="dark", zone="Europe/Berlin"),
    )
    try:
        async with app.run_test(size=SIZE) as pilot:
            await expect(pilot, "● live")
            for shot in SHOTS:
                await _shoot(pilot, shot)
    finally:
        hub.close()


async def _shoot(pilot: Pilot[None], shot: Shot) -> None:
    for key in shot.keys:
        await pilot.press(key)
    await expect(pilot, *shot.texts)
    svg = pilot.app.export_screenshot(title="tocsin", simplify=True)
    (FOLDER / f"{shot.name}.svg").write_text(_FONTS.sub("", svg), encoding="utf-8")
    sys.stdout.write(f"{shot.name}.svg\n")
    sys.stdout.flush()


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with demo() as context:
        asyncio.run(take(context))


if __name__ == "__main__":
    main()
