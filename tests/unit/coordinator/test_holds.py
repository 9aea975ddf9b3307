"""What people order of agents holds at once, through restarts, until it is taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.coordinator.machine.events import AgentBye, AgentJoined, AgentsHeld, AgentsRevoked
from tocsin.coordinator.machine.state import Policy
from tocsin.coordinator.registry import Registry
from tocsin.coordinator.store.port import PeerRow
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.messages.agent_link import Cancel, Rejected
from tocsin.messages.enrolment import Enrol, Enrolled, fingerprint
from tocsin.model import Agent, AgentState, Role, Target

from .bench import ASKER, START_US, Bench, job

POLICY = Policy(rejoin_s=30, agent_silence_s=1e6, unplaced_s=600, lost_after_s=60)


def bench_with(*agents: str) -> Bench:
    """A bench with agents that have four slots each, and a job that they may run beside itself."""
    bench = Bench(POLICY)
    for agent_id in agents:
        bench.hello(agent_id, slots=4)
    bench.put(job(schedule=[], overlap="allow"))
    return bench


def hold(bench: Bench, agent_id: str, held: AgentState | None, **fields: Any) -> None:
    """Give an order for an agent."""
    bench.feed(AgentsHeld(ASKER, "ann", [agent_id], held, **fields))


def revoke(bench: Bench, agent_id: str, *, lost_now: bool = False) -> None:
    """Strike an agent off."""
    bench.feed(AgentsRevoked(ASKER, "ann", [agent_id], "stolen", lost_now))


@pytest.mark.parametrize("held", [AgentState.CORDONED, AgentState.DRAINING])
def test_an_agent_that_is_held_gets_no_runs_and_keeps_those_it_has(held: AgentState) -> None:
    """Until it is taken back."""
    bench = bench_with("A", "B")
    bench.request("backup", "backup")

    hold(bench, "A", held, reason="disks")
    bench.request(*["backup"] * 6)

    assert (len(bench.orders("A")), len(bench.orders("B"))) == (1, 4)
    assert bench.agents["A"].state is held
    assert (bench.agents["A"].reason, bench.agents["A"].held_by) == ("disks", "ann")
    hold(bench, "A", None)
    assert len(bench.orders("A")) == 4
    assert (bench.agents["A"].state, bench.agents["A"].reason) == ("up", "")


def test_an_order_holds_through_restarts_of_both_sides() -> None:
    """A hello does not take it back, nor does the agent's being away."""
    bench = bench_with("A")
    hold(bench, "A", AgentState.CORDONED, reason="disks")
    bench.hello("A")
    bench.restart(1)
    session = bench.hello("A")
    assert bench.agents["A"].state is AgentState.CORDONED
    bench.feed(AgentBye("A", session, final=True))
    assert (bench.agents["A"].state, bench.agents["A"].held) == ("down", "cordoned")

    bench.hello("A")
    bench.request("backup")

    assert bench.orders("A") == []
    assert bench.agents["A"].state is AgentState.CORDONED


def test_a_fire_on_several_hosts_says_which_one_is_held() -> None:
    """The reason that was given is in the record."""
    bench = bench_with("A", "B")
    bench.put(job("all", schedule=[], target=Target(agents="all")))
    hold(bench, "B", AgentState.CORDONED, reason="disks")

    runs = bench.request("all")

    assert [(run.agent, run.reason) for run in runs] == [("a", ""), ("b", "no_agent")]
    assert runs[1].facts == {"because": "host b is cordoned: disks"}


@pytest.mark.parametrize("restart", [False, True])
def test_what_still_runs_when_a_drain_is_over_is_cancelled(*, restart: bool) -> None:
    """Not before, and also when the coordinator began anew meanwhile."""
    bench = bench_with("A")
    (run,) = bench.request("backup")
    hold(bench, "A", AgentState.DRAINING, deadline_s=60.0)
    if restart:
        bench.restart(10)
        bench.hello("A", attempts=[bench.running(f"{run.id}.1")])
    bench.pass_time(49 if restart else 59)
    assert bench.told(Cancel) == []

    bench.pass_time(1)

    assert [cancel.keys for cancel in bench.told(Cancel)] == [[f"{run.id}.1"]]
    assert bench.runs[run.id].reason == "host a is drained, and its time is up"


def test_a_drain_that_is_taken_back_cancels_nothing() -> None:
    """Its deadline goes with it."""
    bench = bench_with("A")
    bench.request("backup")
    hold(bench, "A", AgentState.DRAINING, deadline_s=60.0)
    hold(bench, "A", None)

    bench.pass_time(100)

    assert bench.told(Cancel) == []


def test_a_revoked_agent_gets_nothing_and_its_runs_are_lost_in_time() -> None:
    """Its records keep its name; it is told, in case that it listens."""
    bench = bench_with("A")
    (run,) = bench.request("backup")

    revoke(bench, "A")
    bench.request("backup")
    bench.pass_time(59)
    assert bench.runs[run.id].state == "dispatched"
    bench.pass_time(1)

    assert (bench.runs[run.id].state, bench.runs[run.id].agent) == ("lost", "a")
    assert len(bench.orders("A")) == 1
    assert len(bench.told(Rejected)) == 1


def test_the_runs_of_a_revoked_agent_are_lost_at_once_when_that_is_asked_for() -> None:
    """One that may be repeated goes to another agent."""
    bench = bench_with("A")
    bench.put(job("safe", schedule=[], on_lost="retry", retry={"delay": 1}))
    bench.request("backup", "safe")

    revoke(bench, "A", lost_now=True)
    bench.hello("B")
    bench.pass_time(2)

    (run,) = bench.records()
    assert (run.state, run.reason) == ("lost", "its agent was revoked")
    assert [order.job for order in bench.orders("B")] == ["safe"]


def test_runs_that_are_for_a_revoked_agent_alone_are_over() -> None:
    """Also those that wait for their turn."""
    bench = bench_with("A", "B")
    bench.put(job("all", schedule=[], target=Target(agents="all", max_parallel=1)))
    bench.request("all")

    revoke(bench, "B")

    assert [run.reason for run in bench.records("all")] == ["", "no_agent"]
    assert bench.records("all")[1].facts == {"because": "host b is revoked: stolen"}


def test_a_revoked_agent_is_not_heard_nor_meant_after_a_restart() -> None:
    """A hello that was under way is refused; fires do not count it any more."""
    bench = bench_with("A", "B")
    bench.put(job("all", schedule=[], target=Target(agents="all")))
    revoke(bench, "A")
    bench.restart(1)

    bench.hello("A")
    bench.hello("B")
    runs = bench.request("all")

    assert [run.agent for run in runs] == ["b"]
    assert [s.agent.id for s in bench.machine.sessions()] == ["B"]
    assert bench.agents["A"].state is AgentState.REVOKED


def test_a_host_that_joins_again_takes_its_place() -> None:
    """It is let in anew, and gets runs."""
    bench = bench_with("A")
    revoke(bench, "A")
    anew = Agent(id="A", key="other", name="a")
    bench.agents["A"] = anew

    bench.feed(AgentJoined(anew))
    bench.hello("A")
    bench.request("backup")

    assert len(bench.orders("A")) == 1
    assert bench.agents["A"].key == "other"


def test_a_struck_off_key_is_unknown_and_a_name_is_free_for_a_new_one() -> None:
    """Also the key of the command line that came with the host; the agent keeps its id."""
    store = SqliteStore(None)
    registry = Registry(store, server_key="", port=1, new_id=lambda: "A1")
    keys = {"host": "ab" * 32, "user": "cd" * 32, "other": "ef" * 32, "again": "12" * 32}
    registry._keep(PeerRow(keys["other"], Role.VIEWER, "user@web10"))
    registry.enrol(keys["host"], Enrol(1, "web1", {}, "", b"", ""), START_US)
    agent = registry.accept(fingerprint(keys["host"]))
    registry._keep(PeerRow(keys["user"], Role.VIEWER, "user@web1"))

    registry.strike_off(agent)
    registry.note([Agent(id="A1", key=keys["host"], name="web1", state=AgentState.REVOKED)])

    assert [registry.knows(keys[who]) for who in ("host", "user", "other")] == [False, False, True]
    store.commit()
    assert [peer.key for peer in store.peers()] == [keys["other"]]
    registry.enrol(keys["again"], Enrol(1, "web1", {}, "", b"", ""), START_US)
    assert registry.accept(fingerprint(keys["again"])).id == "A1"
    answer = registry.enrol(keys["again"], Enrol(1, "web1", {}, "", b"", ""), START_US)
    assert answer == Enrolled("A1", "web1", 1)
