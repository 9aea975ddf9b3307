"""A host that is killed loses no run: the next one finds them all, as they are or as they ended."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import Boot
from tests.contract.host_client import Agent, Bell, Host, await_gone, order
from tests.fleet import until
from tocsin.execution import Expect, Order, Status

from .systemctl import is_loaded, systemctl, unit_of


def shell_order(config: dict[str, Any] | str, run: str = "R", **changes: Any) -> Order:
    """An order for the shell executor."""
    return order("shell", run, config, **changes)


def journals(host: Host) -> list[str]:
    """The journals that a host keeps of its runs."""
    return sorted(path.name for path in (host.folder / "shell.handles").iterdir())


@pytest.fixture
def succeed(boot: Boot) -> Any:
    """Kill a host, and give an agent of the next one."""

    def next_agent(host: Host) -> Agent:
        if host.exit_code is None:
            host.signal(signal.SIGKILL)
            host.await_exit()
        return boot("shell").connect()

    return next_agent


def test_runs_under_way_are_found_again(
    shell: Host, agent: Agent, bell: Bell, succeed: Any
) -> None:
    """With their begin, and with the end that they come to."""
    line = f"echo up > {bell.path}; read x < {bell.path}.2; echo heard $x; exit 5"
    run = shell_order(line)
    Path(f"{bell.path}.2").unlink(missing_ok=True)

    os.mkfifo(f"{bell.path}.2")
    agent.start(run)
    bell.lines(1)
    agent.await_began(run)
    successor = succeed(shell)
    assert successor.hello.running == [agent.began[run.key]]
    Path(f"{bell.path}.2").write_text("it\n", encoding="ascii")
    end = successor.end_of(run)
    assert (end.outcome.status, end.outcome.exit_code) == (Status.FAILED, 5)
    assert end.began_us == agent.began[run.key].at_us
    assert shell.stdout(run) == b"heard it\n"


def test_a_host_that_is_stopped_waits_for_no_unit(
    shell: Host, agent: Agent, bell: Bell, succeed: Any
) -> None:
    """It ends at once and leaves its runs to the next; for one that is no unit, it stays."""
    line = f"echo up > {bell.path}; read x < {bell.path}.2; echo heard $x"
    run = shell_order(line)
    Path(f"{bell.path}.2").unlink(missing_ok=True)
    os.mkfifo(f"{bell.path}.2")
    agent.start(run)
    bell.lines(1)
    agent.await_began(run)
    shell.signal(signal.SIGTERM)
    shell.await_exit()
    assert shell.exit_code == 0
    successor = succeed(shell)
    child = shell_order({"command": f"echo up > {bell.path}; exec sleep 600", "unit": False}, "R2")
    successor.start(child)
    bell.lines(1)
    successor.await_began(child)
    os.kill(successor.hello.pid, signal.SIGTERM)
    Path(f"{bell.path}.2").write_text("it\n", encoding="ascii")
    assert successor.end_of(run).outcome.status is Status.SUCCEEDED
    assert shell.stdout(run) == b"heard it\n"
    successor.cancel(child)
    assert successor.end_of(child).outcome.status is Status.CANCELLED


def test_ends_that_nobody_saw_are_told(shell: Host, agent: Agent, bell: Bell, succeed: Any) -> None:
    """What ended while there was no host is told as it ended, the output judged as ever."""
    ends = {"true": (0, ""), "exit 7": (7, "exit code 7"), "kill -9 $$": (137, "killed by SIGKILL"),
            "kill -15 $$": (143, "killed by SIGTERM")}  # fmt: skip
    runs = [
        shell_order(f"echo $$ > {bell.path}; sleep 2; echo done; {line}", f"R{n}",
                    expect=Expect(match="done") if line == "true" else None)
        for n, line in enumerate(ends)
    ]  # fmt: skip
    agent.start(*runs)
    pids = bell.pids(len(runs))
    agent.hear_until(lambda: len(agent.began) == len(runs))
    shell.signal(signal.SIGKILL)
    shell.await_exit()
    for pid in pids:
        await_gone(pid)
    successor = succeed(shell)
    found = {run.key: successor.end_of(run).outcome for run in runs}
    assert [(found[run.key].exit_code, found[run.key].message) for run in runs] == [*ends.values()]


def test_a_burst_of_starts(shell: Host, agent: Agent, tmp_path: Path, succeed: Any) -> None:
    """A host that dies in the middle of starting fifty runs: each runs once, and ends once."""
    witness = tmp_path / "witness"
    runs = [shell_order(f"echo {n} >> {witness}; sleep 1; exit {n}", f"R{n}") for n in range(50)]
    agent.start(*runs)
    agent.hear_until(lambda: len(agent.began) >= 10)
    successor = succeed(shell)
    held = {began.key for began in successor.hello.running}
    held |= {end.key for end in successor.hello.ended}
    unheard = [run for run in runs if run.key not in held]
    successor.start(*unheard)  # as an agent would, of those that no host has heard of
    successor.ended = {end.key: [end] for end in successor.hello.ended}
    assert [successor.end_of(run).outcome.exit_code for run in runs] == list(range(50))
    assert sorted(map(int, witness.read_text().split())) == list(range(50))
    assert {len(ends) for ends in successor.ended.values()} == {1}


def test_nothing_is_left_in_the_end(shell: Host, agent: Agent, succeed: Any) -> None:
    """An end is told to each agent until one confirms it; then journal and unit are gone."""
    run = shell_order("exit 3")
    end = agent.run(run)
    assert journals(shell) == [run.key]
    successor = succeed(shell)
    assert successor.hello.ended == [end]
    assert successor.hello.running == []
    until(lambda: not is_loaded(run), "the unit to be forgotten")
    successor.confirm(run)
    until(lambda: not journals(shell), "the journal to go")


def test_an_end_that_no_agent_confirmed_before_its_host_died(
    shell: Host, agent: Agent, bell: Bell, succeed: Any
) -> None:
    """The unit is kept until the end is, whoever dies in between."""
    run = shell_order(f"echo $$ > {bell.path}; exit 6")
    shell.signal(signal.SIGSTOP)
    agent.start(run)
    shell.signal(signal.SIGCONT)
    (pid,) = bell.pids(1)
    await_gone(pid)
    successor = succeed(shell)
    held = {end.key: end for end in successor.hello.ended}
    end = held.get(run.key) or successor.end_of(run)
    assert end.outcome.exit_code == 6


def test_time_goes_on(shell: Host, agent: Agent, bell: Bell, succeed: Any) -> None:
    """A timeout counts from the begin, not from the new host's."""
    line = f"trap '' TERM; setsid --fork sleep 600; echo up > {bell.path}; sleep 600; sleep 600"
    run = shell_order(line, timeout_s=2.0, kill_after_s=0.3)
    agent.start(run)
    bell.lines(1)
    agent.await_began(run)
    successor = succeed(shell)
    end = successor.end_of(run)
    assert (end.outcome.status, end.outcome.exit_code) == (Status.TIMED_OUT, 137)
    assert end.at_us - agent.began[run.key].at_us < 30_000_000


def test_a_cancel_by_the_next_host(shell: Host, agent: Agent, bell: Bell, succeed: Any) -> None:
    """The whole tree ends, those who left its session among them."""
    line = f"setsid --fork env -i /bin/sh -c 'echo $$ > {bell.path}; exec sleep 600'; sleep 600"
    run = shell_order(line)
    agent.start(run)
    (pid,) = bell.pids(1)
    agent.await_began(run)
    successor = succeed(shell)
    successor.cancel(run)
    assert successor.end_of(run).outcome.status is Status.CANCELLED
    await_gone(pid)


def test_a_unit_that_went_meanwhile_is_lost(shell: Host, agent: Agent, succeed: Any) -> None:
    """Nobody can know how it ended."""
    run = shell_order("exec sleep 600")
    agent.start(run)
    agent.await_began(run)
    shell.signal(signal.SIGKILL)
    shell.await_exit()
    systemctl("stop", unit_of(run))
    outcome = succeed(shell).end_of(run).outcome
    assert outcome.status is Status.LOST
    assert outcome.message == f"its unit {unit_of(run)} is gone"


def test_journals_that_make_no_sense(shell: Host, agent: Agent, bell: Bell, succeed: Any) -> None:
    """Half a journal, a stranger's file and one of an earlier boot are left out, and deleted."""
    run = shell_order(f"echo up > {bell.path}; exec sleep 600")
    agent.start(run)
    bell.lines(1)
    agent.await_began(run)
    folder = shell.folder / "shell.handles"
    whole = (folder / run.key).read_bytes()
    (folder / "R-half.1").write_bytes(whole[:20])
    (folder / "R-empty.1").touch()
    (folder / "R-other.1").write_bytes(whole)
    (folder / "R-strange.1").write_bytes(b"\xc1\xff strange")
    (folder / run.key).write_bytes(whole + b"\x93\xa5began\x01")
    successor = succeed(shell)
    assert [began.key for began in successor.hello.running] == [run.key]
    assert journals(shell) == [run.key]
    successor.cancel(run)
    successor.end_of(run)
