"""The table of actions: what a key means, when, and what it is on the command line."""

from __future__ import annotations

import shlex

import click
import msgspec
import pytest
from msgspec.structs import replace

from tests.tui.fleet import AGENTS, FAILED, JOBS, NOW_US, RUNNING, job
from tocsin.cli.root import root
from tocsin.errors import ConfigError, RequestError
from tocsin.messages.client_link import (
    NEEDED_ROLE,
    Ask,
    KillRuns,
    PauseJobs,
    PutJobs,
    RemoveJobs,
    RerunRuns,
    ResumeJobs,
    RunJobs,
    UncordonAgents,
)
from tocsin.model import AgentState, JobVersion, Role, RunState
from tocsin.tui.actions.action import Action, Flag, Place, Situation, allowed, forbidden
from tocsin.tui.actions.commands import Names, complete, read
from tocsin.tui.actions.table import ACTIONS, Table
from tocsin.tui.actions.telling import (
    command_line,
    footer,
    help_lines,
    key_cap,
    result_line,
)
from tocsin.tui.hour import Spread
from tocsin.tui.state import Rows, View

TABLE = Table()
BILLING, ETL, PAUSED = JOBS[1], JOBS[4], JOBS[3]
SPREAD = Spread(NOW_US, (ETL, PAUSED), 60.0, 12, 2, 8, 6)
ON_JOB = Situation(place=Place.JOBS, jobs=(ETL,), runs=(RUNNING,))
ON_RUN = Situation(place=Place.RUN, jobs=(ETL,), runs=(RUNNING,))
ON_AGENT = Situation(place=Place.AGENTS, agents=(AGENTS[0],))
CORDONED = msgspec.structs.replace(AGENTS[0], held=AgentState.CORDONED, reason="disk")
PENDING = msgspec.structs.replace(AGENTS[0], state=AgentState.PENDING)
WAITING = msgspec.structs.replace(RUNNING, state=RunState.QUEUED, agent="")
VIEW = View(
    Rows(
        {row.job.name: row for row in JOBS},
        {run.id: run for run in (FAILED, RUNNING)},
        {agent.id: agent for agent in AGENTS},
    ),
    whole=True,
)
NEWER, OLDER = (replace(ETL.job, timeout_s=seconds) for seconds in (3.0, 2.0))
VERSIONS = tuple(
    JobVersion(job_id=5, version=number, name="etl-orders", job=old, changed_us=0, changed_by="ana")
    for number, old in ((3, NEWER), (2, OLDER))
)
NAMES = Names(contexts=["prod", "test"], themes=["dark", "light"])


def _on(place: Place, **more: object) -> Situation:
    return msgspec.structs.replace(Situation(place=place), **more)


def _action(key: str, at: Situation) -> Action:
    action = TABLE.for_key(key, at)
    assert action is not None
    return action


@pytest.mark.parametrize(
    ("key", "at", "ask"),
    [
        ("r", ON_JOB, RunJobs(["etl-orders"])),
        ("r", ON_RUN, RunJobs(["etl-orders"])),
        (
            "r",
            _on(Place.RUNS, jobs=(BILLING, ETL), runs=(FAILED, RUNNING)),
            RunJobs(["billing-sync", "etl-orders"]),
        ),
        ("r", _on(Place.RUNS, jobs=(ETL,), runs=(FAILED, RUNNING)), RunJobs(["etl-orders"])),
        (
            "R",
            _on(Place.RUNS, jobs=(BILLING,), runs=(FAILED, RUNNING)),
            RerunRuns([FAILED.id]),
        ),
        ("p", ON_JOB, PauseJobs(["etl-orders"])),
        ("p", _on(Place.JOBS, jobs=(PAUSED,)), ResumeJobs(["cleanup-tmp"])),
        ("p", _on(Place.JOBS, jobs=(PAUSED, ETL)), PauseJobs(["etl-orders"])),
        (
            "P",
            _on(Place.JOBS, jobs=(ETL,), text="2h disk work"),
            PauseJobs(["etl-orders"], "disk work", 7200.0),
        ),
        (
            "P",
            _on(Place.JOB, jobs=(ETL,), text="disk work"),
            PauseJobs(["etl-orders"], "disk work"),
        ),
        (
            "V",
            _on(Place.JOB, jobs=(ETL,), versions=VERSIONS),
            PutJobs([NEWER], {"etl-orders": 1}),
        ),
        ("V", _on(Place.JOB, versions=VERSIONS), PutJobs([NEWER], {"etl-orders": 0})),
        (
            "V",
            _on(Place.JOB, jobs=(msgspec.structs.replace(ETL, version=3),), versions=VERSIONS),
            PutJobs([OLDER], {"etl-orders": 3}),
        ),
        (
            "J",
            _on(Place.SCHEDULE, spread=SPREAD),
            PutJobs(SPREAD.changed(), {"etl-orders": 1, "cleanup-tmp": 1}),
        ),
        ("D", _on(Place.JOBS, jobs=(PAUSED, ETL)), RemoveJobs(["cleanup-tmp", "etl-orders"])),
        ("x", ON_RUN, KillRuns([RUNNING.id])),
        ("x", _on(Place.RUNS, runs=(FAILED, RUNNING)), KillRuns([RUNNING.id])),
    ],
)
def test_asks(key: str, at: Situation, ask: msgspec.Struct) -> None:
    """A key asks for what its action says, about what is marked and about no more than fits."""
    action = _action(key, at)
    assert action.ask is not None
    assert not action.blocked(at)
    assert action.ask(at) == ask


@pytest.mark.parametrize(
    ("key", "at", "undo"),
    [
        ("p", ON_JOB, ResumeJobs(["etl-orders"])),
        ("p", _on(Place.JOBS, jobs=(PAUSED, ETL)), ResumeJobs(["etl-orders"])),
        ("p", _on(Place.JOBS, jobs=(PAUSED,)), PauseJobs(["cleanup-tmp"])),
        ("D", _on(Place.JOBS, jobs=(ETL,)), PutJobs([ETL.job], {"etl-orders": 0})),
        ("P", _on(Place.JOBS, jobs=(ETL,), text="2h"), ResumeJobs(["etl-orders"])),
        ("P", _on(Place.JOBS, jobs=(PAUSED,), text="2h"), PauseJobs(["cleanup-tmp"])),
        ("P", _on(Place.JOBS, jobs=(PAUSED, ETL), text="2h"), None),
        (
            "V",
            _on(Place.JOB, jobs=(ETL,), versions=VERSIONS),
            PutJobs([ETL.job], {"etl-orders": 2}),
        ),
        ("V", _on(Place.JOB, versions=VERSIONS), RemoveJobs(["etl-orders"])),
        ("r", ON_JOB, None),
        ("x", ON_RUN, None),
        ("c", ON_AGENT, UncordonAgents(["etl-03"])),
        ("d", ON_AGENT, UncordonAgents(["etl-03"])),
    ],
)
def test_undo_takes_back_what_was_changed_and_no_more(
    key: str, at: Situation, undo: Ask | None
) -> None:
    """What was paused, removed or cordoned before stays as it was."""
    assert _action(key, at).undo(at) == undo


@pytest.mark.parametrize(
    ("key", "at", "reason"),
    [
        ("r", _on(Place.JOBS), "there is no job here"),
        ("r", _on(Place.JOBS, jobs=(ETL,), offline="offline"), "offline"),
        ("r", _on(Place.RUNS, runs=(FAILED,)), "the job was removed"),
        ("r", _on(Place.JOB, runs=(FAILED,)), "the job was removed; V brings it back"),
        ("c", _on(Place.JOB, runs=(FAILED,)), "the job was removed; V brings it back"),
        ("R", _on(Place.RUN, runs=(FAILED,)), "its job was removed"),
        ("J", _on(Place.WHY, runs=(FAILED,)), "the job was removed"),
        ("J", _on(Place.EVENTS), "it is about no job that is still here"),
        ("A", _on(Place.EVENTS), "it is about no agent that is still here"),
        ("A", _on(Place.RUNS, runs=(WAITING,)), "it was given to no agent"),
        ("enter", _on(Place.RUNS), "there is no run here"),
        ("V", _on(Place.JOB, jobs=(ETL,)), "its versions are not known"),
        (
            "V",
            _on(Place.JOB, jobs=(ETL,), versions=(replace(VERSIONS[0], job=None),)),
            "version 3 is its removal",
        ),
        (
            "V",
            _on(Place.JOB, jobs=(ETL,), versions=(replace(VERSIONS[0], job=ETL.job),)),
            "it is as version 3 was",
        ),
        (
            "V",
            _on(Place.JOB, jobs=(replace(ETL, version=3),), versions=VERSIONS[:1]),
            "there is no version before this one",
        ),
        ("l", _on(Place.JOBS, jobs=(ETL,)), "it has no runs yet"),
        ("x", _on(Place.RUNS), "there is no run here"),
        ("x", _on(Place.RUN, jobs=(ETL,), runs=(FAILED,)), "the run is over: failed"),
        ("x", _on(Place.RUN, runs=(RUNNING,), offline="offline"), "offline"),
        (
            "x",
            _on(Place.RUN, runs=(msgspec.structs.replace(RUNNING, cancel_requested=True),)),
            "it is being killed already",
        ),
        ("d", _on(Place.AGENTS, agents=(PENDING,)), "it waits to be let in: a accepts it"),
    ],
)
def test_blocked_with_the_reason(key: str, at: Situation, reason: str) -> None:
    """What cannot be done says why, and stands in brackets in the footer."""
    action = _action(key, at)
    assert action.blocked(at) == reason
    assert f"({key_cap(action.key)} {action.name})" in footer(TABLE, at, 300)


def test_a_pause_of_no_length_is_refused() -> None:
    """What was typed is looked at before it is sent."""
    at = _on(Place.JOBS, jobs=(ETL,), text="0s no")
    assert _action("P", at).blocked(at) == "0s is no time at all"


SITUATIONS = [
    Situation(
        place=place,
        jobs=jobs,
        runs=runs,
        agents=(agent,),
        flags=frozenset(flags),
        versions=VERSIONS,
        spread=spread,
    )
    for place in Place
    for jobs in ((ETL, BILLING), (PAUSED,), ())
    for runs in ((RUNNING,), (FAILED,), ())
    for agent in (AGENTS[0], CORDONED, PENDING)
    for flags in (set[Flag](), set(Flag))
    for spread in (SPREAD, None)
]


def test_each_key_has_one_meaning() -> None:
    """In no situation does a key stand for two things."""
    for at in SITUATIONS:
        keys = [action.key for action in TABLE.here(at) if action.key]
        assert len(keys) == len(set(keys)), (at.place, sorted(keys))


def test_each_name_has_one_meaning() -> None:
    """An action is found by its id; two that share an id would share a name behind the colon."""
    names = [action.id for action in ACTIONS]
    assert len(names) == len(set(names))


def test_what_changes_things_has_a_command() -> None:
    """Whatever asks the coordinator can be done on the command line, and the table says how."""
    for action in ACTIONS:
        if action.ask is not None:
            assert action.command.startswith("tocsin "), action.id


def test_roles_are_those_of_the_coordinator() -> None:
    """An action needs the role without which the coordinator would decline its question."""
    seen = set()
    for at in SITUATIONS:
        for action in TABLE.here(at):
            if action.ask is not None and not action.blocked(at):
                assert action.needs is NEEDED_ROLE[type(action.ask(at))], action.id
                seen.add(action.id)
    assert seen == {action.id for action in ACTIONS if action.ask is not None}


def test_what_one_may_not_do_is_not_offered() -> None:
    """A viewer sees no key that changes anything; pressed, it says which role it needs."""
    viewer = msgspec.structs.replace(ON_JOB, role=Role.VIEWER)
    assert {action.needs for action in TABLE.offered(viewer)} == {Role.VIEWER}
    assert forbidden(_action("p", viewer), viewer) == (
        "it needs the role operator, and yours is viewer"
    )
    operator = msgspec.structs.replace(ON_JOB, role=Role.OPERATOR)
    assert allowed(_action("p", operator), operator)
    assert not allowed(_action("D", operator), operator)
    kept = msgspec.structs.replace(ON_JOB, role=Role.ADMIN, read_only=True)
    assert forbidden(_action("p", kept), kept) == "this context is read-only"


COMMANDS = sorted({action.command for action in ACTIONS if action.command})


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_understood(command: str) -> None:
    """The command line that an action names is one that the command line takes."""
    _, *words = shlex.split(command.replace("FILE", "/dev/null"))
    found: click.Command = root
    while isinstance(found, click.Group):
        name, inner, words = found.resolve_command(click.Context(found), words)
        assert inner is not None, name
        found = inner
    found.make_context(found.name, words)


def test_danger_asks_and_names_what_follows() -> None:
    """Killing asks first, with run, job, agent and the grace that the job gives."""
    gentle = job(5, "etl-orders", kill_after_s=90.0)
    at = msgspec.structs.replace(ON_RUN, jobs=(gentle,))
    question = _action("x", ON_RUN).question(at)
    for text in (RUNNING.id[-6:], "etl-orders", "etl-03", "KILL 1m30s later"):
        assert text in question


@pytest.mark.parametrize(
    ("key", "at", "asks"),
    [
        ("x", ON_RUN, True),
        ("D", ON_JOB, True),
        ("d", ON_AGENT, True),
        ("X", ON_AGENT, True),
        ("a", _on(Place.AGENTS, agents=(PENDING,)), True),
        ("r", ON_JOB, False),
        ("r", _on(Place.JOBS, jobs=(ETL, PAUSED)), True),
        ("p", ON_JOB, False),
        ("P", ON_JOB, False),
        ("V", _on(Place.JOB, jobs=(ETL,), versions=VERSIONS), True),
        ("c", ON_AGENT, True),
    ],
)
def test_what_cannot_be_undone_or_is_for_many_asks(key: str, at: Situation, asks: bool) -> None:  # noqa: FBT001 - a row of the table
    """What U takes back at once is done at once."""
    assert bool(_action(key, at).question(at)) is asks


def test_command_line_quotes() -> None:
    """Names are quoted for a shell, and a command without its name is no command."""
    at = _on(Place.JOBS, jobs=(job(1, "it's"), ETL))
    assert command_line(_action("r", at), at) == """tocsin job run 'it'"'"'s' etl-orders"""
    assert command_line(_action("r", at), _on(Place.JOBS)) == ""


@pytest.mark.parametrize(
    ("key", "at", "line"),
    [
        ("w", ON_JOB, "tocsin why etl-orders"),
        ("w", ON_RUN, f"tocsin why etl-orders --run {RUNNING.id}"),
        (
            "w",
            _on(Place.JOB, jobs=(ETL,), runs=(RUNNING,), at_us=1_774_357_200_000_000),
            "tocsin why etl-orders --at 2026-03-24T13:00:00Z",
        ),
        (
            "w",
            _on(Place.JOB, jobs=(ETL,), runs=(RUNNING,), flags=frozenset({Flag.CHOSEN})),
            f"tocsin why etl-orders --run {RUNNING.id}",
        ),
        (
            "P",
            _on(Place.JOB, jobs=(ETL,), text="2h disk work"),
            "tocsin job pause etl-orders --for 2h --reason 'disk work'",
        ),
        (
            "V",
            _on(Place.JOB, jobs=(ETL,), versions=VERSIONS),
            "tocsin job revert etl-orders 3",
        ),
        ("J", ON_RUN, "tocsin job show etl-orders"),
        ("A", ON_RUN, "tocsin agent show etl-03"),
    ],
)
def test_command_line_says_what_was_chosen(key: str, at: Situation, line: str) -> None:
    """The run, the time, the version or the reason stand behind the command, as it takes them."""
    assert command_line(_action(key, at), at) == line
    _, *words = shlex.split(line)
    found: click.Command = root
    while isinstance(found, click.Group):
        name, inner, words = found.resolve_command(click.Context(found), words)
        assert inner is not None, name
        found = inner
    found.make_context(found.name, words)


def test_revert_names_what_follows() -> None:
    """The keys that become other, the version that it becomes, and when it is due then."""
    at = _on(Place.JOB, jobs=(ETL,), versions=VERSIONS)
    question = _action("V", at).question(at)
    for text in ("version 3?", "timeout: 45m → 3s", "It becomes version 2", "U takes it back"):
        assert text in question


def test_a_removed_job_goes_back_to_what_it_was_before_its_removal() -> None:
    """The newest version of it is the removal."""
    removal = msgspec.structs.replace(VERSIONS[0], version=4, job=None)
    at = _on(Place.JOB, jobs=(), versions=(removal, VERSIONS[0]))
    action = _action("V", at)
    assert action.blocked(at) == ""
    assert f"in version {VERSIONS[0].version}?" in action.question(at)


def test_result_names_what_was_made() -> None:
    """What was done is told with the run that came of it."""
    assert result_line(_action("r", ON_JOB), ON_JOB, [FAILED.id]) == (
        f"✓ run now etl-orders: {FAILED.id[-6:]}"
    )
    assert result_line(_action("p", ON_JOB), ON_JOB, ["etl-orders"]) == "✓ pause etl-orders"


@pytest.mark.parametrize("width", [20, 40, 80, 100, 140])
@pytest.mark.parametrize("place", [place for place in Place if place is not Place.EDITOR])
def test_footer_fits_and_keeps_the_way_out(place: Place, width: int) -> None:
    """Whatever the width, the footer ends with help and the way out."""
    at = Situation(place=place, jobs=(ETL,), runs=(RUNNING,), flags=frozenset(Flag))
    line = footer(TABLE, at, width)
    assert len(line) == width
    assert line.rstrip().endswith("? help  q quit")


def test_help_has_every_action_that_has_a_key() -> None:
    """The help of its places names every action, within its width."""
    for action in ACTIONS:
        for place in action.places if action.key else ():
            lines = help_lines(TABLE, place, 71)
            assert all(len(line) == 71 for line in lines)
            assert any(action.name in line for line in lines), action.id
            told = " ".join(" ".join(lines).split())
            assert action.help in told, action.id


def test_states_that_are_over_cannot_be_killed() -> None:
    """Exactly the states under way can be killed."""
    kill = _action("x", ON_RUN)
    under_way = {
        state
        for state in RunState
        if not kill.blocked(
            msgspec.structs.replace(ON_RUN, runs=(msgspec.structs.replace(RUNNING, state=state),))
        )
    }
    assert under_way == {"queued", "dispatched", "accepted", "running"}


def test_keys_can_be_given_anew() -> None:
    """The footer, the key and the help all know a key that the user chose."""
    table = Table({"run": "f5", "kill": "f8"})
    assert table.for_key("r", ON_JOB) is None
    action = table.for_key("f5", ON_JOB)
    assert action is not None
    assert action.id == "run"
    assert "F5 run now" in footer(table, ON_JOB, 300)
    assert any("F5 " in line for line in help_lines(table, Place.JOBS, 71))


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"puase": "f5"}, 'did you mean "pause"?'),
        ({"run": "p"}, "that key is"),
        ({"quit": "x"}, "that key is"),
    ],
)
def test_keys_that_clash_are_refused(keys: dict[str, str], says: str) -> None:
    """What would leave a key with two meanings, or names no action, is told."""
    with pytest.raises(ConfigError) as caught:
        Table(keys)
    assert says in f"{caught.value.message} {caught.value.hint}"


def test_keys_may_be_swapped() -> None:
    """Two actions may take each other's keys."""
    table = Table({"run": "e", "edit": "r"})
    action = table.for_key("e", ON_JOB)
    assert action is not None
    assert action.id == "run"


@pytest.mark.parametrize(
    ("text", "names", "action"),
    [
        ("pause etl-orders", ["etl-orders"], "pause"),
        ("run billing-sync", ["billing-sync"], "run"),
        ("q", [], "quit"),
        (f"kill {RUNNING.id[-6:]}", ["etl-orders"], "kill"),
        ("over", [], "overview"),
        ("rm etl-orders", ["etl-orders"], "remove"),
        ("job rm etl-orders", ["etl-orders"], "remove"),
        ("tocsin job pause billing-sync", ["billing-sync"], "pause"),
        (f"run kill {RUNNING.id[-6:]}", ["etl-orders"], "kill"),
    ],
)
def test_commands_are_actions_by_name(text: str, names: list[str], action: str) -> None:
    """A name, or what begins one alone, and what it is to be done to."""
    call = read(text, TABLE, VIEW, _on(Place.EVENTS))
    assert call.action.id == action
    assert call.at.job_names == names
    assert call.at.place in call.action.places


def test_command_without_a_name_is_about_the_cursor() -> None:
    """What the keys would act on."""
    assert read("pause", TABLE, VIEW, ON_JOB).at == ON_JOB


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("puase etl", 'did you mean "pause"?'),
        ("pause etl-order", 'did you mean "etl-orders"?'),
        ("re", "may be"),
        ("quit now", "takes nothing"),
        ("kill zzz", "there is no run 'zzz'"),
    ],
)
def test_commands_that_are_wrong_say_how(text: str, says: str) -> None:
    """What is not understood is told with what may have been meant."""
    with pytest.raises(RequestError) as caught:
        read(text, TABLE, VIEW, _on(Place.JOBS))
    assert says in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("pau", ["pause"]),
        ("pause et", ["pause etl-orders"]),
        ("pause db", ["pause backup-db"]),
        ("theme ", ["theme dark", "theme light"]),
        ("context p", ["context prod"]),
        ("drain w", ["drain web-017"]),
        ("nonsense x", []),
    ],
)
def test_completions(text: str, lines: list[str]) -> None:
    """What begins so comes before what holds it."""
    assert complete(text, TABLE, VIEW, ON_JOB, NAMES) == lines
