"""What is ordered of agents, and what a command says of one."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from tocsin.messages.client_answers import AgentsPage, Answer, Done, JobsPage, PausesPage, RunsPage
from tocsin.messages.client_link import (
    Ask,
    CordonAgents,
    DrainAgents,
    ListAgents,
    ListJobs,
    ListPauses,
    ListRuns,
    RevokeAgents,
    UncordonAgents,
    UndrainAgents,
)
from tocsin.model import Agent, AgentState, Job, JobRow, RunState, Target

from .conftest import Desk, Tocsin
from .test_shapes import AT_US, RUN

_WEB = Agent(
    id="01A", key="ab" * 32, name="web1", state=AgentState.UP, slots=4, busy=1, executors=["shell"],
    tags={"role": "web"}, last_seen_us=AT_US,
)  # fmt: skip
_DB = replace(_WEB, id="01B", key="cd" * 32, name="db1", busy=0, tags={"role": "db"})


def _job(name: str, role: str) -> JobRow:
    target = Target(tags={"role": role})
    return JobRow(id=1, job=Job(name=name, executor="shell", config={}, target=target), version=1)


class Fleet:
    """Two agents, and what is asked of them is done."""

    def __init__(self) -> None:
        self.agents = {"web1": _WEB, "db1": _DB}
        self.busy = [1, 1, 0, 0]
        """How many runs web1 has, by look."""

    def answer(self, ask: Ask) -> Answer | None:
        """The answer to any question."""
        match ask:
            case ListAgents():
                if self.busy:
                    self.agents["web1"] = replace(self.agents["web1"], busy=self.busy.pop(0))
                return AgentsPage(list(self.agents.values()))
            case CordonAgents(names) | DrainAgents(names) | RevokeAgents(names):
                return Done(names)
            case UncordonAgents(names) | UndrainAgents(names):
                return Done(names)
            case ListPauses():
                return PausesPage([])
            case ListJobs():
                return JobsPage([_job("dump", "db"), _job("any", "*"), _job("none", "x")])
            case ListRuns():
                return RunsPage([replace(RUN, agent="web1", state=RunState.RUNNING)])
        return None


@pytest.fixture
def fleet(desk: Desk) -> Fleet:
    """A fleet behind the desk."""
    fleet = Fleet()
    desk.answer = fleet.answer
    return fleet


@pytest.mark.usefixtures("fleet")
def test_cordoning_says_what_goes_on_and_how_it_is_undone(tocsin: Tocsin, desk: Desk) -> None:
    """The reason travels along; an unknown agent is named with the nearest."""
    said = tocsin("agent", "cordon", "web1", "--reason", "disks")

    assert said.code == 0
    assert said.out == (
        "cordoned web1: it gets no runs; 1 run is going on\nundo: tocsin agent uncordon web1\n"
    )
    assert CordonAgents(["web1"], "disks") in desk.asked
    missing = tocsin("agent", "cordon", "web2")
    assert (missing.code, 'did you mean "web1"' in missing.err) == (4, True)


@pytest.mark.usefixtures("fleet")
def test_a_drain_waits_until_nothing_runs_any_more(tocsin: Tocsin, desk: Desk) -> None:
    """And passes its deadline on."""
    said = tocsin("agent", "drain", "web1", "--deadline", "1h", "--wait")

    assert (said.code, said.out.splitlines()[-1]) == (0, "all at rest")
    assert DrainAgents(["web1"], "", 3600.0) in desk.asked


def test_a_drain_that_takes_too_long_exits_1(tocsin: Tocsin, fleet: Fleet) -> None:
    """The agent goes on draining."""
    fleet.busy = [3, 3]

    said = tocsin("agent", "drain", "web1", "--wait", "--timeout", "0", "-o", "json")

    shown = json.loads(said.out)
    assert (said.code, shown["busy"]) == (1, {"web1": 3})
    assert shown["undo"] == ["tocsin agent undrain web1"]


@pytest.mark.parametrize(
    ("state", "again"),
    [(AgentState.CORDONED, "cordon"), (AgentState.DRAINING, "drain")],
)
def test_taking_an_order_back_says_how_to_give_it_again(
    tocsin: Tocsin, fleet: Fleet, state: AgentState, again: str
) -> None:
    """With the reason that it had; either command does it."""
    fleet.agents["db1"] = replace(_DB, state=state, held=state, reason="new disks")

    said = tocsin("agent", "undrain", "db1", "web1")

    assert said.out == (
        f"db1 was {state}, and gets runs again\n"
        "web1 was neither cordoned nor draining\n"
        f"undo: tocsin agent {again} db1 --reason 'new disks'\n"
    )


@pytest.mark.usefixtures("fleet")
def test_revoking_says_that_it_is_for_good(tocsin: Tocsin, desk: Desk) -> None:
    """There is no command that undoes it."""
    said = tocsin("agent", "revoke", "web1", "--lost-now")

    assert "undo: there is none" in said.out
    assert RevokeAgents(["web1"], "", lost_now=True) in desk.asked


def test_one_agent_is_shown_with_what_depends_on_it(tocsin: Tocsin, fleet: Fleet) -> None:
    """Its runs, and the jobs that no other agent could run; a revoked one could not."""
    fleet.agents["db2"] = replace(_DB, id="01C", name="db2", state=AgentState.REVOKED)
    shown = json.loads(tocsin("agent", "show", "db1", "-o", "json").out)
    assert (shown["only_here"], shown["runs"]) == (["dump"], [])

    said = tocsin("agent", "show", "web1")

    assert "no job depends on this agent alone" in said.out
    assert "runs under way:" in said.out
    assert RUN.id in said.out


def test_a_list_shows_who_is_held_though_it_is_down(tocsin: Tocsin, fleet: Fleet) -> None:
    """With the reason."""
    fleet.agents["db1"] = replace(
        _DB, state=AgentState.DOWN, held=AgentState.CORDONED, reason="disks"
    )

    fleet.agents["web1"] = replace(
        _DB, name="web1", state=AgentState.DRAINING, held=AgentState.DRAINING, reason="kernel"
    )

    shown = tocsin("agent", "list").out
    assert "down, cordoned (disks) " in shown
    assert "draining (kernel) " in shown
