"""`tocsin maintenance`, and what other commands say of it."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from tocsin.messages.client_answers import AgentsPage, Answer, Done, JobsPage, PausesPage
from tocsin.messages.client_link import (
    Ask,
    EndPause,
    GetJobs,
    ListAgents,
    ListJobs,
    ListPauses,
    PauseScope,
    RunJobs,
    StartPause,
)
from tocsin.model import Agent, AgentState, Job, JobRow, Pause, Scope

from .conftest import Desk, Tocsin
from .test_shapes import AT, AT_US

ROWS = {
    name: JobRow(id=1, job=Job(name=name, executor="shell", config={}, labels=labels), version=1)
    for name, labels in [("db-main", {"team": "data"}), ("web", {})]
}
AGENTS = [
    Agent(id="A", key="ab" * 32, name="db1", state=AgentState.UP, tags={"role": "db"}),
    Agent(id="", key="cd" * 32, name="db2", state=AgentState.PENDING, tags={"role": "db"}),
]


class Site:
    """A coordinator with two jobs and one agent, and the pauses that it was asked for."""

    def __init__(self) -> None:
        self.pauses: list[Pause] = []

    def answer(self, ask: Ask) -> Answer | None:
        """The answer to any question."""
        match ask:
            case StartPause(scopes, reason, _, until_us):
                first = len(self.pauses)
                self.pauses += [
                    Pause(id=f"01P{first + i}", scope=s.scope, value=s.value, reason=reason,
                          by="ann", since_us=AT_US, until_us=until_us)
                    for i, s in enumerate(scopes)
                ]  # fmt: skip
                return Done([pause.id for pause in self.pauses[first:]])
            case EndPause(ids) | RunJobs(ids):
                return Done(ids)
            case ListPauses():
                return PausesPage(self.pauses)
            case ListJobs():
                return JobsPage(list(ROWS.values()))
            case GetJobs(names):
                return JobsPage([ROWS[name] for name in names if name in ROWS])
            case ListAgents():
                return AgentsPage(AGENTS)
        return None


@pytest.fixture
def site(desk: Desk) -> Site:
    """Nothing is paused yet."""
    site = Site()
    desk.answer = site.answer
    return site


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("options", "scope", "affected"),
    [
        (["--all"], PauseScope(Scope.ALL), "2: db-main, web"),
        (["--job", "db-*"], PauseScope(Scope.JOB, "db-*"), "1: db-main"),
        (["--label", "team=d*"], PauseScope(Scope.LABEL, "team=d*"), "1: db-main"),
        (["--agent", "db?"], PauseScope(Scope.AGENT, "db?"), "1: db1"),
        (["--tag", "role=db"], PauseScope(Scope.TAG, "role=db"), "1: db1"),
    ],
)
def test_maintenance_says_what_it_affects_and_how_to_undo_it(
    tocsin: Tocsin, desk: Desk, options: list[str], scope: PauseScope, affected: str
) -> None:
    """Hosts that were not let in yet are no agents."""
    said = tocsin("maintenance", "start", *options, "--reason", "disks", "--for", "90m")

    assert StartPause([scope], "disks", 5400.0) in desk.asked
    assert said.out.startswith("01P0  ")
    assert f"  affects {affected}\n" in said.out
    assert said.out.endswith("undo: tocsin maintenance end 01P0\n")
    assert (said.code, said.err) == (0, "")


@pytest.mark.usefixtures("site")
def test_maintenance_of_nothing_is_accepted_with_a_warning(tocsin: Tocsin) -> None:
    """The job may come later."""
    said = tocsin("maintenance", "start", "--job", "zzz", "--reason", "x")

    assert said.code == 0
    assert said.err == "tocsin: jobs named zzz are paused, and there are none now\n"


@pytest.mark.usefixtures("site")
def test_several_scopes_are_several_pauses(tocsin: Tocsin) -> None:
    """As JSON too, with the names of what each of them affects."""
    told = json.loads(
        tocsin("maintenance", "start", "--job", "web", "--agent", "*", "--reason", "x",
               "--until", "2026-01-01T00:00:00Z", "-o", "json").out
    )  # fmt: skip

    assert told["names"] == ["01P0", "01P1"]
    assert [pause["affected"] for pause in told["pauses"]] == [["web"], ["db1"]]
    assert told["pauses"][0]["until"] == AT
    assert told["undo"] == ["tocsin maintenance end 01P0 01P1"]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ([], "nothing is named that is to be paused"),
        (["--label", "team"], "--label: 'team' is no label: write key=value"),
        (["--tag", "=db"], "--tag: '=db' is no tag: write key=value"),
        (["--all", "--until", "soon"], "'soon' is no time"),
    ],
)
def test_maintenance_that_means_nothing_is_refused(
    tocsin: Tocsin, desk: Desk, options: list[str], wrong: str
) -> None:
    """Before anything is asked for."""
    said = tocsin("maintenance", "start", *options, "--reason", "x")

    assert said.code == 2
    assert wrong in said.err
    assert desk.asked == []


def test_maintenance_is_listed_and_ended(tocsin: Tocsin, site: Site, desk: Desk) -> None:
    """Its undo begins the same again; an unknown id is exit code 4."""
    pause = Pause(id="01P", scope=Scope.JOB, value="a b", reason="x y", since_us=AT_US)
    site.pauses = [pause, replace(pause, id="01Q", scope=Scope.ALL, value="")]

    assert [row["id"] for row in json.loads(tocsin("maintenance", "list", "-o", "json").out)] == [
        "01P", "01Q",
    ]  # fmt: skip
    assert "x y" in tocsin("maintenance", "list").out
    said = tocsin("maintenance", "end", "01p")
    assert said.out.endswith("undo: tocsin maintenance start --job 'a b' --reason 'x y'\n")
    assert desk.asked[-1] == EndPause(["01P"])
    assert tocsin("maintenance", "end", "01Z").code == 4


def test_lists_say_what_is_paused_and_why(tocsin: Tocsin, site: Site) -> None:
    """Jobs and agents alike, with the ids of the maintenance as JSON."""
    site.pauses = [
        Pause(id="01P", scope=Scope.JOB, value="db-*", reason="disks", since_us=AT_US),
        Pause(id="01Q", scope=Scope.TAG, value="role=db", reason="kernel", since_us=AT_US),
    ]

    jobs = tocsin("job", "list").out.splitlines()
    assert "paused: disks" in jobs[1]
    assert "enabled" in jobs[2]
    assert "up, paused: kernel" in tocsin("agent", "list").out
    rows = json.loads(tocsin("job", "list", "-o", "json").out)
    assert [row["maintenance"] for row in rows] == [["01P"], []]
    rows = json.loads(tocsin("agent", "list", "-o", "json").out)
    assert rows[0]["maintenance"] == ["01Q"]
    assert "paused: disks" in tocsin("job", "show", "db-main").out


def test_running_a_paused_job_says_so(tocsin: Tocsin, site: Site) -> None:
    """It runs; that an agent is paused is said too, since a run may have to wait for it."""
    site.pauses = [
        Pause(id="01P", scope=Scope.JOB, value="db-*", reason="disks", since_us=AT_US),
        Pause(id="01Q", scope=Scope.AGENT, value="db1", reason="kernel", since_us=AT_US),
    ]

    said = tocsin("job", "run", "db-main")

    assert said.code == 0
    assert said.err.splitlines() == [
        "tocsin: db-main is paused: disks; it runs all the same",
        "tocsin: agents named db1 are paused (kernel), 1 of 2: a run that needs one of them waits",
    ]
