"""What a person does on the first day, in a tmux, with a real coordinator and a real agent."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.tmux import Tmux

pytestmark = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux is not installed: make services"
)
PROGRAM = [sys.executable, "-m", "tocsin.cli", "up"]
JOBS = """
jobs:
  ticker:
    schedule: "@every 1s"
    overlap: allow
    shell: echo tick
  talker:
    timeout: 1h
    shell: |
      n=0; while :; do n=$((n+1)); echo "line $n of many"; sleep 0.1; done
"""


@pytest.fixture(params=[(100, 30), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
def tmux(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tmux]:
    """A new fleet with two jobs, on a terminal of this size."""
    jobs = tmp_path / "jobs.yaml"
    jobs.write_text(JOBS)
    home = {"TOCSIN_HOME": str(tmp_path / "home")}
    with Tmux(tmp_path, [*PROGRAM, str(jobs)], request.param, home) as terminal:
        terminal.expect("[1 Overview]", "ticker", "agents 1/1")
        yield terminal
        terminal.press("C-c")  # q asks where runs are under way
        terminal.expect("ended with 0")


def _to(tmux: Tmux, field: str) -> None:
    """Go down the form to a field."""
    here = ""
    while here != field:
        before = here
        if before:
            tmux.press("Tab")
        while here == before:
            here = next(line for line in tmux.screen().splitlines() if line[:1] == ">").split()[0]
            here = here.removeprefix(">")


def test_a_job_is_made_and_fires(tmux: Tmux) -> None:
    """From nothing to a job that fires, with what the screen says alone."""
    tmux.press("2", "n")
    tmux.expect("new job", "F2 save")
    tmux.type("hello")
    _to(tmux, "command")
    tmux.type("echo hello from a new job")
    _to(tmux, "Schedule")
    tmux.type("* * * * * *")
    tmux.expect("every second", "valid")
    tmux.press("F2")
    tmux.expect("Create hello?")
    tmux.press("y")
    tmux.expect("saved hello, version 1")
    tmux.press("l")
    tmux.expect("hello from a new job")


def test_a_log_is_followed_and_the_run_killed(tmux: Tmux) -> None:
    """The log goes on by itself; x asks, y kills, and the record says cancelled."""
    tmux.press("2")
    tmux.expect("[2 Jobs]", "talker")
    tmux.press("g", "r")
    tmux.expect("run now talker", "talker", " running on ")
    tmux.press("l")
    tmux.expect("FOLLOW", "line 12 of many")
    tmux.press("x")
    tmux.expect("Kill run", "TERM")
    tmux.press("y")
    tmux.expect("CANCELLED")


def test_why_a_due_time_was_skipped(tmux: Tmux) -> None:
    """A job is paused, a due time passes, and w tells why nothing ran."""
    tmux.press("2", "G", "p")
    tmux.expect("pause ticker", "U undoes it")
    tmux.press("3")
    tmux.expect("skipped: paused")
    tmux.press("2", "w")
    tmux.expect("ticker > why", "paused")
    tmux.press("Escape")
    tmux.expect("p resume")
    tmux.press("U")
    tmux.expect("undone: pause ticker")


def test_an_agent_is_drained_and_used_again(tmux: Tmux) -> None:
    """Draining asks and names what depends on the host; the same key takes it back."""
    tmux.press("4")
    tmux.expect("[4 Agents]", "EXECUTORS")
    tmux.press("d")
    tmux.expect("Drain", "y drain")
    tmux.press("y")
    tmux.expect("draining")
    tmux.press("d")
    tmux.expect("give runs again", " up")


def test_a_removed_job_comes_back(tmux: Tmux) -> None:
    """D asks and says what follows; U brings the job back."""
    tmux.press("2", "g", "D")
    tmux.expect("Remove talker?", "stay on record")
    tmux.press("y")
    tmux.expect("remove talker", "jobs 1")
    tmux.press("U")
    tmux.expect("undone: remove talker", "jobs 2")


BROKEN = """
import sys
from tocsin.cli import main
from tocsin.tui.app import TocsinApp
def broken(self, event):
    raise RuntimeError("a screen broke")
TocsinApp.on_key = broken
main()
"""


def test_jobs_go_on_when_the_interface_breaks(tmp_path: Path) -> None:
    """A fault of a screen ends no run: what happens is printed, until ctrl+c ends it all."""
    jobs = tmp_path / "jobs.yaml"
    jobs.write_text(JOBS)
    home = {"TOCSIN_HOME": str(tmp_path / "home")}
    program = [sys.executable, "-c", BROKEN, "up", str(jobs)]
    with Tmux(tmp_path, program, (100, 30), home) as terminal:
        terminal.expect("[1 Overview]", "ticker", "agents 1/1", "live")
        terminal.press("j")
        terminal.expect("the terminal interface broke")
        terminal.expect("ticker", "succeeded")
        terminal.press("C-c")
        terminal.expect("ended with 0")
