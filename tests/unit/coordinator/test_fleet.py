"""Every agent is known, so a fire on several hosts loses none of them."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.coordinator.machine.eligibility import verdicts
from tocsin.coordinator.machine.events import AgentBye, AgentJoined, AgentOffers
from tocsin.coordinator.machine.state import Policy
from tocsin.execution import Offer
from tocsin.model import Agent, AgentState, Choose, Run, Target
from tocsin.targeting import demand_of

from .bench import Bench, job

POLICY = Policy(rejoin_s=30, unplaced_s=600, agent_silence_s=1e6)


def on(bench: Bench, name: str = "backup") -> dict[str, str]:
    """By host: the state of its run, or the reason why it has none."""
    return {run.agent: run.reason or run.state for run in bench.records(name)}


def everywhere(bench: Bench, *agents: str, **target: Any) -> Bench:
    """A bench with agents and a job for all of them."""
    for agent_id in agents:
        bench.hello(agent_id)
    bench.put(job(schedule=[], target=Target(**{"agents": "all", **target})))
    return bench


def test_a_host_that_is_down_has_its_record_of_every_fire() -> None:
    """The record says since when it is down; the others run."""
    bench = everywhere(Bench(POLICY), "A", "B")
    down = bench.hello("C")
    bench.feed(AgentBye("C", down, final=True))
    since_us = bench.wall_us
    bench.pass_time(31)

    runs = bench.request("backup")

    assert on(bench) == {"a": "dispatched", "b": "dispatched", "c": "no_agent"}
    assert len({run.group for run in runs}) == 1
    assert [run.slot for run in runs] == [0, 1, 2]
    assert runs[2].facts == {"because": "host c is down since 2026-01-01T00:00:00.000000Z"}
    assert bench.agents["C"].down_since_us == since_us


def test_a_host_that_never_connected_is_known_and_down() -> None:
    """What it could execute nobody knows, so its tags decide."""
    bench = everywhere(Bench(), "A", tags={"name": "[an]"})
    bench.feed(AgentJoined(Agent(id="N", key="N", name="n")))
    bench.feed(AgentJoined(Agent(id="O", key="O", name="other")))

    runs = bench.request("backup")

    assert on(bench) == {"a": "dispatched", "n": "no_agent"}
    assert runs[1].facts == {"because": "host n is down: it has never connected"}


def test_a_fire_at_the_start_of_the_coordinator_waits_for_those_who_were_there() -> None:
    """Agents take a moment to come back; only those that do not are left out."""
    bench = everywhere(Bench(POLICY), "A", "B")

    bench.restart(5)
    bench.request("backup")
    bench.hello("A")
    assert on(bench) == {"a": "dispatched", "b": "queued"}
    bench.pass_time(31)

    assert on(bench) == {"a": "dispatched", "b": "no_agent"}
    assert bench.agents["B"].state is AgentState.DOWN


def test_a_restart_in_the_grace_gives_it_anew_and_loses_no_host() -> None:
    """What waits for its host is in the ledger, and waits again."""
    bench = everywhere(Bench(POLICY), "A", "B")
    bench.restart(5)
    bench.request("backup")
    bench.pass_time(20)

    bench.restart(5)
    bench.pass_time(20)
    bench.hello("A")
    bench.hello("B")

    assert on(bench) == {"a": "dispatched", "b": "dispatched"}


def test_an_agent_that_is_restarted_during_a_fire_gets_its_run() -> None:
    """A session that closed a moment ago is no reason to leave a host out."""
    bench = everywhere(Bench(POLICY), "A", "B")
    session = bench.hello("B")
    bench.feed(AgentBye("B", session, final=True))

    bench.request("backup")
    bench.pass_time(10)
    bench.hello("B")

    assert on(bench) == {"a": "dispatched", "b": "dispatched"}


def test_a_host_that_is_back_and_busy_keeps_its_run_waiting() -> None:
    """The grace is for coming back; a slot may take longer to be free."""
    bench = everywhere(Bench(POLICY), "A")
    bench.hello("A", slots=1)
    bench.put(job("hog", schedule=[]))
    bench.request("hog")
    bench.restart(1)
    (second,) = bench.request("backup")
    bench.hello("A", slots=1, attempts=[bench.running(bench.orders("A")[0].key)])

    bench.pass_time(60)

    assert bench.runs[second.id].state == "queued"


def test_fewer_hosts_than_wanted_are_one_record_that_says_so() -> None:
    """The missing ones are counted, and each unfit host has its reason."""
    bench = everywhere(Bench(POLICY), "A", "B", agents=3, tags={"role": ["", "db"]})
    bench.hello("A", tags={"role": "db"})
    bench.hello("B", tags={"role": "web"})

    runs = bench.request("backup")

    assert [(run.agent, run.state) for run in runs] == [("a", "dispatched"), ("", "skipped")]
    assert runs[1].facts == {
        "because": "1 of 3 hosts are to be had",
        "hosts": {"b": 'tagged role="web", not "" or "db"'},
    }


@pytest.mark.parametrize(
    ("choose", "hosts"),
    [
        (Choose.LEAST_BUSY, ["a", "c"]),
        (Choose.RANDOM, ["a", "b"]),  # `EvenChance` leaves them in order
        (Choose.STICKY, ["a", "d"]),
    ],
)
def test_so_many_hosts_are_chosen_by_the_rule_and_stand_in_order_of_their_names(
    choose: Choose, hosts: list[str]
) -> None:
    """Those that are there come before those that are waited for, but for a sticky job."""
    bench = Bench(POLICY)
    for agent_id in "DCBA":
        bench.hello(agent_id)
    bench.feed(AgentBye("D", bench.hello("D"), final=True))
    bench.put(job("hog", schedule=[], target=Target(tags={"name": "b"})))
    bench.request("hog")
    bench.put(job("tidy", schedule=[], target=Target(agents=2, choose=choose)))

    runs = bench.request("tidy")

    assert [run.agent for run in runs] == hosts


def test_a_run_that_no_agent_took_says_what_was_wrong_with_each() -> None:
    """The verdicts at the moment of giving up are its facts."""
    bench = Bench(Policy(unplaced_s=30, agent_silence_s=1e6))
    bench.hello("A", slots=1)
    bench.put(job("hog", schedule=[]), job(schedule=[]))
    bench.request("hog")
    (run,) = bench.request("backup")

    bench.pass_time(31)

    found: Run = bench.runs[run.id]
    assert found.reason == "no_agent"
    assert found.facts["hosts"] == {"a": "busy: all 1 slots are taken"}


def test_verdicts_name_every_agent_with_its_reason() -> None:
    """One line for each host, in words that go on after "it is"."""
    bench = Bench(POLICY)
    bench.hello("A", tags={"role": "db"})
    bench.hello("B", tags={"role": "web"})
    bench.feed(AgentBye("C", bench.hello("C", tags={"role": "db"}), final=True))
    bench.pass_time(60)
    bench.feed(AgentJoined(Agent(id="N", key="N", name="n", tags={"role": "db"})))
    wanted = job(target=Target(tags={"role": "db*"}))

    found = verdicts(bench.machine._state, demand_of(wanted), bench.now)

    assert [tuple(verdict) for verdict in found] == [
        ("a", True, "free: 0 of 8 slots are taken"),
        ("b", False, 'tagged role="web", not "db*"'),
        ("c", False, "down since 2026-01-01T00:00:00.000000Z"),
        ("n", False, "down: it has never connected"),
    ]


def test_a_host_whose_executor_does_not_work_has_its_record_too() -> None:
    """Nobody would notice otherwise; the record says what is wrong there."""
    bench = Bench(POLICY)
    sessions = {name: bench.hello(name) for name in ("A", "B")}
    bench.put(job(schedule=[], target=Target(agents="all")))
    broken = Offer("scripted", available=False, message="no engine")
    bench.feed(AgentOffers("B", sessions["B"], [broken, Offer("shell")]))

    runs = bench.request("backup")

    assert on(bench) == {"a": "dispatched", "b": "no_agent"}
    because = "host b is without a working executor scripted: no engine"
    assert runs[1].facts == {"because": because}
    assert bench.agents["B"].executors == ["shell"]
    found = {v.agent: v.why for v in verdicts(bench.machine._state, demand_of(job()), bench.now)}
    assert found["b"] == "without a working executor scripted: no engine"
    bench.hello("B")
    assert bench.agents["B"].offers == [Offer("scripted")]


def test_a_run_that_waits_goes_as_soon_as_its_executor_works() -> None:
    """What an agent says of its executors counts at once, in its own session."""
    bench = Bench(POLICY)
    session = bench.hello("A")
    bench.feed(AgentOffers("A", session, [Offer("scripted", available=False)]))
    bench.put(job(schedule=[]))
    bench.request("backup")
    assert on(bench) == {"": "queued"}
    bench.feed(AgentOffers("A", "OLD", [Offer("scripted")]))
    assert on(bench) == {"": "queued"}
    bench.feed(AgentOffers("A", session, [Offer("scripted")]))
    assert on(bench) == {"a": "dispatched"}
