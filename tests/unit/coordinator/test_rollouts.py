"""Fires that go from host to host: how many at a time, how fast, and when they stop."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.coordinator.machine.events import AgentBye
from tocsin.coordinator.machine.state import Policy
from tocsin.execution import Status
from tocsin.model import Target

from .bench import Bench, job

POLICY = Policy(rejoin_s=30, agent_silence_s=1e6, unplaced_s=600)


class Fleet(Bench):
    """A bench with agents named by letters, and a job that goes to all of them."""

    def __init__(self, agents: str, *, fields: dict[str, Any] | None = None, **target: Any) -> None:
        super().__init__(POLICY)
        self.names = agents
        self.open: dict[str, str] = {}
        self.connect()
        self.put(job(schedule=[], target=Target(**{"agents": "all", **target}), **(fields or {})))

    def connect(self) -> None:
        """Have every agent say hello, with what it runs."""
        for name in self.names:
            under_way = [
                self.running(f"{run.id}.{run.attempt}")
                for run in self.runs.values()
                if run.agent_id == name and run.finished_us is None
            ]
            self.open[name] = self.hello(name, attempts=under_way)

    def fire(self) -> None:
        """Run the job."""
        self.request("backup")

    def end(self, name: str, status: Status = Status.SUCCEEDED) -> None:
        """End what an agent runs."""
        run = next(r for r in self.runs.values() if r.agent_id == name and r.finished_us is None)
        code = 0 if status is Status.SUCCEEDED else 1
        said = self.ended(f"{run.id}.{run.attempt}", status, code)
        self.report(self.open[name], said, agent_id=name)

    def come_back(self, seconds: float = 1.0) -> None:
        """Restart the coordinator, and let all agents come back."""
        self.restart(seconds)
        self.connect()

    @property
    def story(self) -> str:
        """How each host's run stands, in order: a dot waits, an x is a skip, else its initial."""
        letters = {"dispatched": "D", "succeeded": "S", "queued": ".", "skipped": "x"}
        return "".join(letters.get(r.state, r.state[0].upper()) for r in self.records())


def test_at_most_so_many_hosts_are_at_it_at_a_time() -> None:
    """In the order of their names; each that ends lets the next one go, however it ended."""
    fleet = Fleet("ABCD", max_parallel=2)

    fleet.fire()
    assert fleet.story == "DD.."
    fleet.end("B", Status.FAILED)
    assert fleet.story == "DFD."
    fleet.end("A")
    fleet.end("C")
    fleet.end("D")

    assert fleet.story == "SFSS"


@pytest.mark.parametrize("restart", [False, True])
def test_the_others_wait_for_the_canary(*, restart: bool) -> None:
    """When it has succeeded all others go, also when the coordinator began anew meanwhile."""
    fleet = Fleet("ABCD", canary=1)
    fleet.fire()
    assert fleet.story == "D..."
    if restart:
        fleet.come_back()
        assert fleet.story == "R..."

    fleet.end("A")

    assert fleet.story == "SDDD"


def test_a_canary_that_does_not_succeed_stops_the_others() -> None:
    """Each has its record, which names the host; what goes on, goes on."""
    fleet = Fleet("ABCD", canary=2)
    fleet.fire()

    fleet.end("B", Status.TIMED_OUT)

    assert fleet.story == "DTxx"
    last = fleet.records()[-1]
    assert (last.reason, last.agent) == ("stopped", "d")
    assert last.facts == {"because": "canary b did not succeed", "failed": ["b"]}


def test_a_canary_that_fails_and_is_tried_again_keeps_its_place() -> None:
    """Only the end of the run counts."""
    fleet = Fleet("ABC", canary=1, fields={"retry": {"limit": 1, "delay": 5}})
    fleet.fire()
    fleet.end("A", Status.FAILED)
    assert fleet.story == "..."

    fleet.come_back()
    fleet.pass_time(10)
    assert fleet.story == "D.."
    fleet.end("A")

    assert fleet.story == "SDD"


def test_so_many_failures_stop_the_rest() -> None:
    """Those before it, and those under way, do not."""
    fleet = Fleet("ABCDE", max_parallel=1, stop_after=2)
    fleet.fire()
    fleet.end("A", Status.FAILED)
    fleet.end("B")
    assert fleet.story == "FSD.."

    fleet.end("C", Status.FAILED)

    assert fleet.story == "FSFxx"
    because = "2 hosts did not succeed, and stop_after is 2"
    assert fleet.records()[-1].facts == {"because": because, "failed": ["a", "c"]}


def test_hosts_follow_each_other_at_a_distance() -> None:
    """The steady clock counts; a restart lets nobody go before its time."""
    fleet = Fleet("ABC", stagger_s=10)
    fleet.fire()
    assert fleet.story == "D.."
    fleet.pass_time(9)
    assert fleet.story == "D.."

    fleet.pass_time(1)
    assert fleet.story == "DD."
    fleet.come_back(3)
    fleet.pass_time(6)
    assert fleet.story == "RR."
    fleet.pass_time(1)

    assert fleet.story == "RRD"


def test_a_killed_host_did_not_succeed_and_the_others_go_on() -> None:
    """But for a canary, whose kill stops them."""
    fleet = Fleet("ABC", max_parallel=1)
    fleet.fire()
    fleet.kill(fleet.records()[0].id)
    fleet.end("A", Status.CANCELLED)
    assert fleet.story == "CD."

    canary = Fleet("ABC", canary=1)
    canary.fire()
    canary.kill(canary.records()[0].id)
    canary.end("A", Status.CANCELLED)

    assert canary.story == "Cxx"


def test_a_fire_that_is_killed_as_a_whole_ends_as_a_whole() -> None:
    """What waited for its turn is cancelled, and nothing else begins."""
    fleet = Fleet("ABC", canary=1)
    fleet.fire()

    fleet.kill(*(run.id for run in fleet.records()))
    fleet.end("A", Status.CANCELLED)

    assert fleet.story == "CCC"


def test_a_host_that_is_down_is_passed_over_also_as_a_canary() -> None:
    """The next one in the order takes its place."""
    fleet = Fleet("ABCD", canary=1)
    fleet.feed(AgentBye("A", fleet.open["A"], final=True))
    fleet.pass_time(31)

    fleet.fire()
    assert fleet.story == "xD.."
    fleet.end("B")

    assert fleet.story == "xSDD"


def test_a_host_that_goes_down_before_its_turn_is_left_out() -> None:
    """It is looked at again when its turn comes."""
    fleet = Fleet("ABC", max_parallel=1)
    fleet.fire()
    fleet.feed(AgentBye("B", fleet.open["B"], final=True))
    fleet.pass_time(31)

    fleet.end("A")

    assert fleet.story == "SxD"
    assert fleet.records()[1].reason == "no_agent"


def test_a_lost_host_counts_as_a_failure_until_it_is_heard_again() -> None:
    """Its place is free meanwhile; what it did in truth counts in the end."""
    fleet = Fleet("ABC", max_parallel=1)
    fleet.fire()
    lost = fleet.records()[0]
    fleet.open["A"] = fleet.hello("A", spool="other")
    assert fleet.story == "LD."

    fleet.open["A"] = fleet.hello("A", spool="third", attempts=[fleet.running(f"{lost.id}.1")])
    assert fleet.story == "RD."
    fleet.end("B")
    assert fleet.story == "RS."
    fleet.end("A")

    assert fleet.story == "SSD"


def test_a_fire_under_way_overlaps_with_the_next_one() -> None:
    """Also while all its hosts but one are over, and that one waits for its turn."""
    fleet = Fleet("AB", stagger_s=100)
    fleet.put(job(target=Target(agents="all", stagger_s=100)))
    fleet.fire()
    fleet.end("A")

    fleet.pass_time(60)

    assert fleet.story == "S.x"
    assert fleet.records()[-1].reason == "overlap"


def test_a_fire_that_waits_for_the_earlier_one_begins_with_its_canary() -> None:
    """Also after a restart in between."""
    fleet = Fleet("ABC", canary=1, fields={"overlap": "queue"})
    fleet.fire()
    fleet.fire()
    fleet.come_back()
    fleet.end("A")
    fleet.end("B")
    fleet.end("C")

    assert fleet.story == "SSSD.."


def test_a_restart_counts_what_succeeded_and_failed_before() -> None:
    """The members that are over come back with those under way."""
    fleet = Fleet("ABCDE", max_parallel=1, stop_after=2)
    fleet.fire()
    fleet.end("A", Status.FAILED)
    fleet.end("B")
    fleet.come_back()

    fleet.end("C", Status.FAILED)

    assert fleet.story == "FSFxx"


def test_a_thousand_hosts_go_one_after_the_other() -> None:
    """Without a stack that grows with them."""
    fleet = Fleet("", max_parallel=1, stop_after=1)
    fleet.names = "A"
    for number in range(1000):
        name = f"H{number:04}"
        fleet.feed(AgentBye(name, fleet.hello(name), final=True))
    fleet.connect()
    fleet.fire()
    fleet.pass_time(31)
    assert fleet.story == "D" + 1000 * "."

    fleet.end("A")

    assert fleet.story == "S" + 1000 * "x"
