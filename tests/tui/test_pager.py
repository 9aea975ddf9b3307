"""The log in a pager of the user's, on a terminal of its own."""

from __future__ import annotations

import os
from pathlib import Path

from tests.tui.driving import fleet
from tests.tui.fleet import RUNNING, run
from tests.tui.on_terminal import ALT_SCREEN_ON, Terminal
from tocsin.model import RunState

PAGER = """#!/bin/sh
echo "PAGER $(stat -c %a "$1") $(wc -l < "$1")"
echo "$1" > "$0.seen"
read -r line
echo "READ $line"
"""


def test_the_pager_has_the_whole_log_and_the_terminal(tmp_path: Path) -> None:
    """It is given all of the log, keys and the screen; then Tocsin is back, and the file gone."""
    pager = tmp_path / "pager"
    pager.write_text(PAGER)
    pager.chmod(0o755)
    with fleet() as coordinator:
        coordinator.page_pieces = 40
        coordinator.write(RUNNING.id, *(f"line {number}\n" for number in range(500)))
        shown = Terminal(coordinator, tmp_path / "client.key", PAGER=str(pager))
        try:
            shown.read_until(b"etl-orders", b"live")
            os.write(shown.master, b"3")
            shown.read_until(b"[3 Runs]")
            os.write(shown.master, b"\r")
            shown.read_until(b"line 499")
            os.write(shown.master, b"o")
            shown.read_until(b"PAGER 600 500")
            so_far = len(shown.output)
            coordinator.write(RUNNING.id, "printed meanwhile\n")
            coordinator.change(run(8, "reindex", RunState.RUNNING, agent="app-04"))
            before = shown.output.count(ALT_SCREEN_ON)
            os.write(shown.master, b"typed\n")
            shown.read_until(b"READ typed")
            assert b"meanwhile" not in shown.output[so_far:].partition(b"READ typed")[0]
            while shown.output.count(ALT_SCREEN_ON) == before:
                shown.output += os.read(shown.master, 65_536)
            shown.output = b""
            shown.read_until(b"etl-orders", b"meanwhile")
            os.write(shown.master, b"q")
            assert shown.end() == 0
        finally:
            shown.close()
    assert not Path((tmp_path / "pager.seen").read_text().strip()).exists()
