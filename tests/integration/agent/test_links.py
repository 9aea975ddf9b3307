"""What an agent makes of a coordinator that forgets, is silent, or is somebody else."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.agent.enrol import Limits, enrol, request, with_token
from tocsin.errors import LinkError
from tocsin.execution import Status
from tocsin.link import new_keypair
from tocsin.messages.agent_link import Rejected, Resync

from .coordinator import DEADLINE_S, Coordinator, order
from .process import AgentProcess
from .stranger_desk import StrangerDesk


@pytest.mark.usefixtures("up")
def test_a_coordinator_that_forgot_is_greeted_again(coordinator: Coordinator) -> None:
    """A new session takes over what runs, without a gap in its output."""
    run = order("LONG", lines=30, interval="20ms")
    coordinator.dispatch(run)
    coordinator.until(lambda: coordinator.stdout(run.key))
    coordinator.tell(Resync("a restart"))
    coordinator.until(lambda: len(coordinator.hellos) == 2)
    assert [a.key for a in coordinator.hellos[1].attempts] == [run.key]
    coordinator.until_over()
    assert coordinator.stdout(run.key).count(b"\n") == 30


def test_a_silent_coordinator_is_dialled_again(up: AgentProcess, coordinator: Coordinator) -> None:
    """Results that came meanwhile arrive once it listens again."""
    coordinator.heartbeat_s = 0.1
    coordinator.tell(Resync("take a shorter heartbeat"))
    coordinator.until(lambda: len(coordinator.hellos) == 2)
    run = order("QUIET", run_for=0.1, lines=5)
    coordinator.dispatch(run)
    coordinator.deaf = True
    up.await_log("the coordinator is silent", coordinator)
    coordinator.deaf = False
    coordinator.until_over()
    assert coordinator.outcome(run.key).status is Status.SUCCEEDED
    assert coordinator.stdout(run.key).count(b"\n") == 5


@pytest.mark.usefixtures("up")
def test_acknowledgements_that_do_not_come_hold_things_up_only(coordinator: Coordinator) -> None:
    """Without acknowledgements a bounded number of reports is sent; with them, all."""
    coordinator.acks = False
    runs = [order(f"R{n}") for n in range(30)]
    for run in runs:
        coordinator.dispatch(run)
        coordinator.serve_for(0.02)
    assert coordinator.open
    assert coordinator.reports == 8
    coordinator.acks = True
    coordinator.tell(Resync("start over"))
    coordinator.until_over()
    assert {coordinator.outcome(run.key).status for run in runs} == {Status.SUCCEEDED}


def test_a_rejection_is_logged(up: AgentProcess, coordinator: Coordinator) -> None:
    """With its reason, for the person who reads the log."""
    coordinator.tell(Rejected("your protocol is too old"))
    up.await_log("session.rejected", coordinator)
    assert 'session.rejected reason="your protocol is too old"' in up.log


@pytest.mark.usefixtures("up")
def test_much_output_is_bounded(coordinator: Coordinator) -> None:
    """Of a hundred megabytes the kept head and tail arrive, around a gap of the right size."""
    total, keep = 100 << 20, 1 << 20
    run = order("MUCH", "shell", command=f"head -c {total} /dev/zero | tr '\\0' x")
    coordinator.dispatch(run)
    coordinator.until_over()
    (gap,) = coordinator.runs[run.key].gaps
    assert gap.gap_bytes == total - keep
    output = coordinator.stdout(run.key)
    assert len(output) == total
    assert output.count(b"x") == keep


def test_a_reload_is_told_at_once(
    agent: AgentProcess, coordinator: Coordinator, tmp_path: Path
) -> None:
    """A hello says what is new, also where nothing else would wake the agent."""
    coordinator.heartbeat_s = DEADLINE_S
    settings = tmp_path / "agent.toml"
    where = f'endpoint = "{coordinator.endpoint}"\nserver_key = "{coordinator.own.public}"\n'
    settings.write_text(f"{where}slots = 7\nexecutors = []\n")
    agent.start(settings, executors=[])
    coordinator.until(lambda: coordinator.hellos)
    agent.await_log("session.open", coordinator)
    agent.signal(signal.SIGHUP)
    coordinator.until(lambda: coordinator.hellos[-1].slots == 7)
    assert "link.redial" not in agent.log


class TestEnrolment:
    """The way in."""

    @pytest.fixture
    def desk(self) -> Iterator[StrangerDesk]:
        """An enrolment socket that is served."""
        made = StrangerDesk()
        thread = threading.Thread(target=made.serve)
        thread.start()
        yield made
        made.over.set()
        thread.join()

    def test_a_token_proves_itself(self, desk: StrangerDesk) -> None:
        """The coordinator sees name, tags and a proof that fits both keys, and its answer comes."""
        own = new_keypair()
        plain = request("web-1", {"role": "web"}, "c" * 64)
        asked = with_token(plain, "token", "secret", own.public, desk.own.public)
        answer = enrol("127.0.0.1", desk.port, own, desk.own.public, asked)
        assert answer == desk.answer
        assert desk.asked == [(own.public, asked)]
        assert asked.mac == desk.mac("secret", own.public, "c" * 64)

    def test_nobody_there(self) -> None:
        """The error says that nobody listens."""
        own = new_keypair()
        with pytest.raises(LinkError, match="nobody listens"):
            enrol("127.0.0.1", 1, own, own.public, request("x", {}), Limits(link_s=0.2))

    def test_somebody_else_there(self, desk: StrangerDesk) -> None:
        """The error says that it is not the coordinator that was meant."""
        own = new_keypair()
        with pytest.raises(LinkError, match="not the coordinator"):
            enrol("127.0.0.1", desk.port, own, own.public, request("x", {}), Limits(link_s=1.0))

    def test_no_answer(self, desk: StrangerDesk) -> None:
        """The error says that it did not answer."""
        desk.mute = True
        own = new_keypair()
        with pytest.raises(LinkError, match="did not answer"):
            enrol("127.0.0.1", desk.port, own, desk.own.public, request("x", {}), Limits(1.0, 1.0))

    def test_a_dropped_question_is_put_again(self, desk: StrangerDesk) -> None:
        """A coordinator that many hosts ask at once answers some of them later."""
        desk.drops = 2
        own, asked = new_keypair(), request("x", {})
        limits = Limits(again_s=0.05)
        answer = enrol("127.0.0.1", desk.port, own, desk.own.public, asked, limits)
        assert answer == desk.answer
        assert desk.asked[:3] == [(own.public, asked)] * 3
