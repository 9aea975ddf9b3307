"""The table of actions: what a key means, when, and what it is on the command line."""

from __future__ import annotations

import shlex

import click
import msgspec
import pytest

from tests.tui.fleet import FAILED, JOBS, RUNNING, job
from tocsin.cli.root import root
from tocsin.messages.client_link import KillRuns, PauseJobs, ResumeJobs, RunJobs
from tocsin.model import RunState
from tocsin.tui.actions import (
    ACTIONS,
    Action,
    Place,
    Situation,
    command_line,
    footer,
    for_key,
    help_lines,
    key_cap,
    result_line,
)

ETL, PAUSED = JOBS[4], JOBS[3]
ON_JOB = Situation(Place.JOBS, ETL, RUNNING)
ON_RUN = Situation(Place.RUN, ETL, RUNNING)


def _action(key: str, at: Situation) -> Action:
    action = for_key(key, at)
    assert action is not None
    return action


@pytest.mark.parametrize(
    ("key", "at", "ask"),
    [
        ("r", ON_JOB, RunJobs(["etl-orders"])),
        ("r", ON_RUN, RunJobs(["etl-orders"])),
        ("p", ON_JOB, PauseJobs(["etl-orders"])),
        ("p", Situation(Place.JOBS, PAUSED), ResumeJobs(["cleanup-tmp"])),
        ("x", ON_RUN, KillRuns([RUNNING.id])),
    ],
)
def test_asks(key: str, at: Situation, ask: msgspec.Struct) -> None:
    """A key asks the coordinator for what its action says, about what the cursor is on."""
    action = _action(key, at)
    assert action.ask is not None
    assert not action.blocked(at)
    assert action.ask(at) == ask


@pytest.mark.parametrize(
    ("key", "at", "reason"),
    [
        ("r", Situation(Place.JOBS), "there is no job here"),
        ("r", Situation(Place.JOBS, ETL, offline="offline"), "offline"),
        ("enter", Situation(Place.RUNS), "there is no run here"),
        ("l", Situation(Place.JOBS, ETL), "it has no runs yet"),
        ("x", Situation(Place.RUNS), "there is no run here"),
        ("x", Situation(Place.RUN, ETL, FAILED), "the run is over: failed"),
        ("x", Situation(Place.RUN, ETL, RUNNING, offline="offline"), "offline"),
        (
            "x",
            Situation(Place.RUN, ETL, msgspec.structs.replace(RUNNING, cancel_requested=True)),
            "it is being killed already",
        ),
    ],
)
def test_blocked_with_the_reason(key: str, at: Situation, reason: str) -> None:
    """What cannot be done says why, and stands in brackets in the footer."""
    action = _action(key, at)
    assert action.blocked(at) == reason
    assert f"({key_cap(action)} {action.name})" in footer(at, 200)


def test_each_key_has_one_meaning() -> None:
    """In no situation does a key stand for two things."""
    situations = [
        Situation(place, row, RUNNING, chosen_job=chosen, searching=searching)
        for place in Place
        for row in (ETL, PAUSED, None)
        for chosen in ("", "a")
        for searching in (False, True)
    ]
    for at in situations:
        keys = [a.key for a in ACTIONS if at.place in a.places and a.shown(at)]
        assert len(keys) == len(set(keys)), at


def test_what_changes_things_has_a_command() -> None:
    """Whatever asks the coordinator can be done on the command line, and the table says how."""
    for action in ACTIONS:
        if action.ask is not None:
            assert action.command.startswith("tocsin "), action.id


@pytest.mark.parametrize("command", sorted({action.command for action in ACTIONS} - {""}))
def test_command_is_understood(command: str) -> None:
    """The command line that an action names is one that the command line takes."""
    _, *words = shlex.split(command.replace("JOB", "a-job").replace("RUN", "a-run"))
    found: click.Command = root
    while isinstance(found, click.Group):
        name, inner, words = found.resolve_command(click.Context(found), words)
        assert inner is not None, name
        found = inner
    found.make_context(found.name, words)


def test_danger_asks_and_names_what_follows() -> None:
    """Killing asks first, with run, job, agent and the grace that the job gives."""
    assert [action.id for action in ACTIONS if action.dangerous] == ["kill"]
    gentle = job(5, "etl-orders", kill_after_s=90.0)
    question = _action("x", ON_RUN).question(Situation(Place.RUN, gentle, RUNNING))
    for text in (RUNNING.id[-6:], "etl-orders", "etl-03", "KILL 1m30s later"):
        assert text in question


def test_command_line_quotes() -> None:
    """Names are quoted for a shell, and a command without its name is no command."""
    at = Situation(Place.JOBS, job(1, "it's"))
    assert command_line(_action("r", at), at) == """tocsin job run 'it'"'"'s'"""
    assert command_line(_action("r", at), Situation(Place.JOBS)) == ""


def test_result_names_what_was_made() -> None:
    """What was done is told with the run that came of it."""
    assert result_line(_action("r", ON_JOB), ON_JOB, [FAILED.id]) == (
        f"✓ run now etl-orders: run {FAILED.id[-6:]}"
    )
    assert result_line(_action("p", ON_JOB), ON_JOB, ["etl-orders"]) == "✓ pause etl-orders"


@pytest.mark.parametrize("width", [20, 40, 80, 100, 140])
@pytest.mark.parametrize("place", list(Place))
def test_footer_fits_and_keeps_the_way_out(place: Place, width: int) -> None:
    """Whatever the width, the footer ends with help and the way out."""
    line = footer(Situation(place, ETL, RUNNING, searching=True), width)
    assert len(line) == width
    assert line.rstrip().endswith("? help  q quit")


def test_help_has_every_action() -> None:
    """The help names every action, within its width."""
    lines = help_lines(71)
    assert all(len(line) == 71 for line in lines)
    assert all(any(a.help in line for line in lines) for a in ACTIONS)


def test_states_that_are_over_cannot_be_killed() -> None:
    """Exactly the states under way can be killed."""
    kill = _action("x", ON_RUN)
    under_way = {
        state
        for state in RunState
        if not kill.blocked(
            Situation(Place.RUN, ETL, msgspec.structs.replace(RUNNING, state=state))
        )
    }
    assert under_way == {"queued", "dispatched", "accepted", "running"}
