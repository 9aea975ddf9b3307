"""What every executor does, seen through a real host process.

An executor joins by a `Specimen`: blocks of its own that make it do what each test needs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from tocsin.execution import Status, check_config, load_executor

from .host_client import Agent, Host, order

Block = dict[str, Any]


class Specimen(NamedTuple):
    """How to make one executor do what the contract speaks of."""

    name: str
    succeed: Block
    greet: Block
    """Prints `hello` to stdout and `oh` to stderr, a line each."""
    fail: Block
    """Ends with exit code 3."""
    linger: Block
    """Runs for minutes, ends at once when asked to."""
    resist: Block
    """Runs for minutes, ends only when made to."""
    refuse: Block
    """Cannot be started."""


SPECIMENS = [
    Specimen(
        "shell",
        succeed={"command": "true"},
        greet={"command": "echo hello; echo oh >&2"},
        fail={"command": "exit 3"},
        linger={"command": "echo up; exec sleep 600"},
        resist={"command": "trap '' TERM; echo up; while :; do sleep 600; done"},
        refuse={"argv": ["/no/such/program"]},
    ),
    Specimen(
        "scripted",
        succeed={},
        greet={"lines": 1, "stderr_lines": 1, "line": "hello"},
        fail={"exit_code": 3},
        linger={"run_for": "10m"},
        resist={"run_for": "10m", "ignore_cancel": True},
        refuse={"start_error": "not today"},
    ),
]


@pytest.fixture(params=SPECIMENS, ids=lambda specimen: specimen.name)
def specimen(request: pytest.FixtureRequest) -> Specimen:
    """Each in-tree executor in turn."""
    made: Specimen = request.param
    return made


@pytest.fixture
def host(boot: Callable[[str], Host], specimen: Specimen) -> Host:
    """A host of that executor."""
    return boot(specimen.name)


@pytest.fixture
def agent(host: Host) -> Agent:
    """An agent of that host."""
    return host.connect()


def test_a_class_says_what_it_is(specimen: Specimen) -> None:
    """Name, summary and main key are there, and the main key is one of its schema."""
    executor = load_executor(specimen.name)
    assert executor.name == specimen.name
    assert executor.summary
    assert "\n" not in executor.summary
    assert executor.main_key in executor.config.__struct_fields__


def test_a_module_imports_light(specimen: Specimen) -> None:
    """Importing the class for its schema loads no event loop and starts nothing."""
    heavy = "asyncio subprocess ssl socket threading importlib.metadata"
    code = (
        f"import sys; from {load_executor(specimen.name).__module__} import *; "
        f"print(*(m for m in {heavy.split()!r} if m in sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert shown.stdout.split() == []


def test_a_block_in_full_form_is_taken_again(specimen: Specimen) -> None:
    """What the check at apply time makes of a block passes the same check."""
    executor = load_executor(specimen.name)
    for block in specimen[1:]:
        full = check_config(executor, block)
        assert check_config(executor, full) == full


def test_an_unknown_key_is_refused_at_apply(specimen: Specimen) -> None:
    """A key that the schema does not have is an error that names it."""
    with pytest.raises(msgspec.ValidationError, match="nonsense"):
        check_config(load_executor(specimen.name), {**specimen.succeed, "nonsense": 1})


def test_a_success(agent: Agent, specimen: Specimen) -> None:
    """A run that succeeds begins, ends, and says so once."""
    run = order(specimen.name, "R", specimen.succeed)
    end = agent.run(run)
    assert end.outcome.status is Status.SUCCEEDED
    assert end.outcome.message == ""
    assert end.began_us is not None
    assert end.began_us == agent.began[run.key].at_us <= end.at_us
    assert len(agent.ended[run.key]) == 1


def test_output(host: Host, agent: Agent, specimen: Specimen) -> None:
    """Both streams are in their files, private to their owner, when the end is told."""
    run = order(specimen.name, "R", specimen.greet)
    assert agent.run(run).outcome.status is Status.SUCCEEDED
    assert host.stdout(run) == b"hello\n"
    assert host.stderr(run) in {b"oh\n", b"hello\n"}
    for suffix in ("out", "err"):
        assert (host.out / f"{run.key}.{suffix}").stat().st_mode & 0o777 == 0o600


def test_output_is_appended(host: Host, agent: Agent, specimen: Specimen) -> None:
    """What is in an output file already stays there."""
    run = order(specimen.name, "R", specimen.greet)
    (host.out / f"{run.key}.out").write_bytes(b"before\n")
    agent.run(run)
    assert host.stdout(run) == b"before\nhello\n"


def test_a_failure(agent: Agent, specimen: Specimen) -> None:
    """A run that fails carries its exit code, and a line that says why."""
    outcome = agent.run(order(specimen.name, "R", specimen.fail)).outcome
    assert outcome.status is Status.FAILED
    assert outcome.exit_code == 3
    assert outcome.message == "exit code 3"


def test_a_refusal_to_start(agent: Agent, specimen: Specimen) -> None:
    """A run that cannot be started fails without having begun, and says why in one line."""
    run = order(specimen.name, "R", specimen.refuse)
    end = agent.run(run)
    assert end.outcome.status is Status.FAILED
    assert end.began_us is None
    assert run.key not in agent.began
    assert end.outcome.message
    assert "\n" not in end.outcome.message


def test_an_unknown_key_fails_the_run(agent: Agent, specimen: Specimen) -> None:
    """A block that does not fit the host's schema fails the attempt, and names the key."""
    end = agent.run(order(specimen.name, "R", {**specimen.succeed, "nonsense": 1}))
    assert end.outcome.status is Status.FAILED
    assert end.began_us is None
    assert "nonsense" in end.outcome.message


def test_a_timeout(agent: Agent, specimen: Specimen) -> None:
    """A run that is not over in time is ended, and is told apart from a failure."""
    outcome = agent.run(order(specimen.name, "R", specimen.linger, timeout_s=0.25)).outcome
    assert outcome.status is Status.TIMED_OUT
    assert outcome.message.startswith("no end after 250ms")


def test_a_cancel(agent: Agent, specimen: Specimen) -> None:
    """A run is ended on request, long before its grace is over."""
    run = order(specimen.name, "R", specimen.linger, kill_after_s=3600.0)
    agent.start(run)
    agent.await_began(run)
    agent.cancel(run)
    outcome = agent.end_of(run).outcome
    assert outcome.status is Status.CANCELLED
    assert outcome.message.startswith("cancelled")


def test_a_cancel_of_what_resists(agent: Agent, specimen: Specimen) -> None:
    """A run that does not want to end is ended when its grace is over."""
    run = order(specimen.name, "R", specimen.resist, kill_after_s=0.2)
    agent.start(run)
    agent.await_began(run)
    agent.cancel(run)
    assert agent.end_of(run).outcome.status is Status.CANCELLED


def test_a_cancel_before_the_start(agent: Agent, specimen: Specimen) -> None:
    """Orders cancelled in the breath that gave them are cancelled, begun or not."""
    runs = [order(specimen.name, f"R{n}", specimen.linger) for n in range(100)]
    agent.start(*runs)
    agent.cancel(*runs)
    assert {agent.end_of(run).outcome.status for run in runs} == {Status.CANCELLED}


def test_a_cancel_of_the_unknown(agent: Agent, specimen: Specimen) -> None:
    """Cancelling what the host does not know, or what is over, changes nothing."""
    over = order(specimen.name, "R1", specimen.succeed)
    agent.run(over)
    agent.cancel(over, order(specimen.name, "R2", specimen.succeed))
    end = agent.run(order(specimen.name, "R3", specimen.succeed))
    assert end.outcome.status is Status.SUCCEEDED
    assert len(agent.ended[over.key]) == 1


def test_no_second_start(host: Host, agent: Agent, specimen: Specimen) -> None:
    """An attempt ordered again, in the same breath or when it is over, is not run again."""
    run = order(specimen.name, "R", specimen.greet)
    agent.start(run, run)
    agent.end_of(run)
    agent.start(run)
    agent.run(order(specimen.name, "S", specimen.succeed))
    assert len(agent.ended[run.key]) == 1
    assert host.stdout(run) == b"hello\n"


def test_attempts_of_a_run_are_apart(host: Host, agent: Agent, specimen: Specimen) -> None:
    """A second attempt of a run is another run to the host, with output of its own."""
    first, second = (order(specimen.name, "R", specimen.greet, attempt=n) for n in (1, 2))
    agent.run(first)
    agent.run(second)
    assert host.stdout(first) == host.stdout(second) == b"hello\n"


def test_two_hundred_at_once(agent: Agent, specimen: Specimen) -> None:
    """Two hundred runs are under way together, and each ends by itself."""
    runs = [order(specimen.name, f"R{n}", specimen.linger) for n in range(200)]
    agent.start(*runs)
    agent.hear_until(lambda: len(agent.began) == len(runs))
    assert not agent.ended
    agent.cancel(*runs[:100])
    agent.hear_until(lambda: len(agent.ended) == 100)
    assert {run.key for run in runs[:100]} == set(agent.ended)
    agent.cancel(*runs[100:])
    assert {agent.end_of(run).outcome.status for run in runs} == {Status.CANCELLED}


def test_an_agent_finds_its_runs_again(host: Host, agent: Agent, specimen: Specimen) -> None:
    """After an agent is gone, its successor is told what runs, and can end it."""
    run = order(specimen.name, "R", specimen.linger)
    agent.start(run)
    agent.await_began(run)
    agent.vanish()
    successor = host.connect()
    assert [began.key for began in successor.hello.running] == [run.key]
    assert successor.hello.running[0] == agent.began[run.key]
    assert successor.hello.ended == []
    successor.cancel(run)
    assert successor.end_of(run).outcome.status is Status.CANCELLED


def test_outcomes_are_kept_until_confirmed(host: Host, agent: Agent, specimen: Specimen) -> None:
    """Each new agent is told an outcome, until one confirms it."""
    run = order(specimen.name, "R", specimen.fail)
    end = agent.run(run)
    agent.vanish()
    for _ in range(2):
        successor = host.connect()
        assert successor.hello.ended == [end]
        assert successor.hello.running == []
        successor.vanish()
    last = host.connect()
    last.confirm(run)
    other = order(specimen.name, "S", specimen.succeed)
    last.run(other)
    last.vanish()
    assert [ended.key for ended in host.connect().hello.ended] == [other.key]
