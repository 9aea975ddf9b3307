"""Exit codes, and what goes with them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tocsin.cli import failing
from tocsin.errors import (
    ConfigError,
    ExecutorError,
    JobFileError,
    LinkError,
    ProtocolError,
    RequestError,
    TocsinError,
)
from tocsin.messages.client_answers import Answer, RunsPage
from tocsin.messages.client_link import Ask, GetRuns

from .conftest import Desk, Tocsin
from .test_shapes import RUN

_CODES = [
    (RequestError("x"), 1),
    (ExecutorError("x"), 1),
    (ConfigError("x"), 2),
    (JobFileError(["x"]), 2),
    (LinkError("x"), 3),
    (ProtocolError("x"), 3),
    (failing.NotFoundError("x"), 4),
]


@pytest.mark.parametrize(("error", "code"), _CODES)
def test_each_kind_of_error_has_its_code(error: TocsinError, code: int) -> None:
    """Scripts tell declined, wrong, unreachable and not found apart."""
    assert failing.exit_code(error) == code


def test_a_wrong_command_or_option_says_what_is_near(tocsin: Tocsin) -> None:
    """Usage errors are exit code 2, with the nearest name."""
    assert tocsin("aply") == (
        2,
        "",
        "tocsin: there is no command 'aply'; did you mean \"apply\"?\n  see: tocsin --help\n",
    )
    said = tocsin("run", "list", "--stat", "failed")
    assert said.code == 2
    assert "tocsin: No such option '--stat'" in said.err
    assert "see: tocsin run list --help" in said.err


@pytest.mark.parametrize("noun", ["job", "run"])
def test_a_noun_alone_shows_its_commands(tocsin: Tocsin, noun: str) -> None:
    """That is help, and bad usage all the same."""
    said = tocsin(noun)
    assert said.code == 2
    assert "Commands:" in said.err


def test_without_a_terminal_the_program_alone_prints_help(tocsin: Tocsin) -> None:
    """Nothing is drawn where nobody looks."""
    said = tocsin()
    assert said.code == 0
    assert said.out.startswith("Usage: tocsin")


def test_without_a_coordinator_the_next_step_is_said(tocsin: Tocsin, home: Path) -> None:
    """Both ways to have one."""
    said = tocsin("status")
    assert said == (
        2,
        "",
        (
            "tocsin: no coordinator is known here\n"
            "  start one with `tocsin up`, or join one with `tocsin agent join`\n"
        ),
    )
    said = tocsin("--context", str(home / "x.toml"), "status")
    assert said == (2, "", f"tocsin: {home}/x.toml: there is no such file\n  check the path\n")


def test_all_faults_of_job_files_are_lines_that_editors_understand(
    tocsin: Tocsin, tmp_path: Path
) -> None:
    """`file:line: …`, then how many there are; this is found before anybody is asked."""
    (tmp_path / "x.yaml").write_text("jobs:\n  a: {}\n  b: {}\n")
    said = tocsin("apply", str(tmp_path))
    first, second, last, _ = said.err.splitlines()
    assert said.code == 2
    assert first.startswith(f"{tmp_path}/x.yaml:2: jobs.a: ")
    assert second.startswith(f"{tmp_path}/x.yaml:3: jobs.b: ")
    assert last == "tocsin: 2 faults"


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    """As SIGPIPE would: no traceback, exit code 141."""
    reader, writer = os.pipe()
    os.close(reader)
    code = "from tocsin.cli import main; import sys; sys.exit(main())"
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-c", code, "next", "* * * * * *", "-n", "5000"],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_documentation_lists_the_same_codes() -> None:
    """docs/cli.md and the module say the same of each code."""
    page = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
    row = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
    assert failing.__doc__ is not None
    assert row.findall(failing.__doc__) == row.findall(page.partition("## Exit codes")[2])


def test_an_interrupt_ends_a_command_that_waits(desk: Desk) -> None:
    """ctrl+c while an answer is held: no traceback, exit code 130."""
    asked = threading.Event()

    def answer(ask: Ask) -> Answer | None:
        if isinstance(ask, GetRuns) and ask.wait_s:
            asked.set()
            return None
        return RunsPage([RUN])

    desk.answer = answer
    # What runs in the background of a shell is begun with the signal ignored.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from tocsin.cli import main; sys.exit(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "run", "wait", RUN.id], stderr=subprocess.PIPE
    )
    assert asked.wait(60)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")
