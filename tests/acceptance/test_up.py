"""`tocsin up` as a new user starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import TOCSIN, Fleet, until

EXAMPLES = Path(__file__).parents[2] / "examples"


class Home(Fleet):
    """A directory of its own for `tocsin up`; its commands find the context there."""

    def environ(self, who: str) -> dict[str, str]:  # noqa: ARG002 - one home for all
        """The environment of everybody in this home."""
        return {**os.environ, "TOCSIN_HOME": str(self.home / "here")}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """An empty home."""
    made = Home(tmp_path)
    try:
        yield made
    finally:
        made.close()


def children(pid: int) -> list[int]:
    """The living children of a process."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def test_the_examples_fire_and_only_the_expected_failure_fails(home: Home) -> None:
    """One command: every example has a run, and the exit code is that of a good day."""
    done = home.call("up", str(EXAMPLES), "--for", "13s", "-o", "json", stdin=subprocess.DEVNULL)

    assert done.returncode == 0, done.stderr
    runs: list[dict[str, Any]] = json.loads(done.stdout)
    ends = {(run["job"], run["state"]) for run in runs}
    assert {
        ("disk-space", "succeeded"),
        ("fetch-page", "succeeded"),
        ("flaky", "succeeded"),
        ("broken", "failed"),
        ("long", "cancelled"),
    } <= ends


def test_a_failure_that_is_not_expected_is_the_exit_code(home: Home, tmp_path: Path) -> None:
    """A script learns that something is wrong."""
    file = tmp_path / "bad.yaml"
    file.write_text('jobs: {bad: {schedule: "* * * * * *", shell: "exit 3"}}')

    done = home.call("up", str(file), "--for", "3s", stdin=subprocess.DEVNULL)

    assert done.returncode == 1
    assert "exit code 3" in done.stdout


def test_a_wrong_file_starts_nothing(home: Home, tmp_path: Path) -> None:
    """Its fault is said before anything is made."""
    file = tmp_path / "bad.yaml"
    file.write_text("jobs: {bad: {shel: x}}")

    done = home.call("up", str(file), "--for", "3s", stdin=subprocess.DEVNULL)

    assert done.returncode == 2
    assert 'did you mean "shell"?' in done.stderr
    assert not (home.home / "here").exists()


def test_what_is_killed_is_started_again_and_all_ends_together(home: Home) -> None:
    """Both daemons come back after SIGKILL; SIGTERM of the parent leaves nobody behind.

    A later `up` without files knows which jobs may fail.
    """
    process = subprocess.Popen(
        [TOCSIN, "up", str(EXAMPLES)],
        env=home.environ(""),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    home.processes["up"] = process
    until(lambda: home.call("run", "list").stdout.count("\n") > 1, "the first run")
    before = children(process.pid)

    for child in before:
        os.kill(child, signal.SIGKILL)
    until(lambda: len(set(children(process.pid)) - set(before)) == 2, "both to be there again")
    count = len(until(lambda: home.json("run", "list"), "the runs"))
    until(lambda: len(home.json("run", "list")) > count, "another run")
    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 0
    again = home.call("up", "--for", "11s", stdin=subprocess.DEVNULL)
    assert again.returncode == 0, again.stderr
