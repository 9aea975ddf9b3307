"""How a host lives: it outlives its agents, and ends when nobody needs it."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tocsin.execution import Health, Status
from tocsin.hosting import Confirm, Settings, StartRuns
from tocsin.wire import encode

from .host_client import Agent, Bell, Host, await_gone, order

Boot = Callable[..., Host]
SLEEP = {"command": "exec sleep 600"}


def test_it_ends_when_idle(boot: Boot) -> None:
    """A host that holds nothing ends after its idle time, its socket with it."""
    host = boot("scripted", idle_s=0.05)
    assert host.await_exit() == 0
    assert not host.socket_path.exists()


def test_it_ends_when_idle_under_an_agent(boot: Boot) -> None:
    """An idle host closes its agent's connection and ends."""
    host = boot("scripted", idle_s=1.0)
    agent = host.connect()
    run = order("scripted", "R", {})
    agent.run(run)
    agent.confirm(run)
    agent.await_closed()
    assert host.await_exit() == 0


def test_what_is_held_keeps_it_alive(boot: Boot, bell: Bell) -> None:
    """Neither a run nor an unconfirmed outcome lets a host end, however idle."""
    idle_s = 0.5
    host = boot("shell", idle_s=idle_s)
    agent = host.connect()
    run = order("shell", "R", f"echo up > {bell.path}; read line < {bell.path}.2")
    os.mkfifo(f"{bell.path}.2")
    agent.start(run)
    bell.lines(1)
    tick = order("shell", "T", f"sleep {2 * idle_s}")
    agent.run(tick)
    Path(f"{bell.path}.2").write_text("go\n", encoding="ascii")
    agent.end_of(run)
    agent.confirm(run)
    agent.vanish()
    successor = host.connect()
    assert [end.key for end in successor.hello.ended] == [tick.key]
    successor.confirm(tick)
    assert host.await_exit() == 0


def test_it_retires_when_empty(boot: Boot) -> None:
    """Asked to retire, a host ends at once when it holds nothing."""
    host = boot("scripted")
    agent = host.connect()
    agent.retire()
    agent.await_closed()
    assert host.await_exit() == 0


def test_an_order_right_behind_the_last_confirmation_is_run(boot: Boot) -> None:
    """A retiring host hears all that it has read before it takes itself for empty."""
    host = boot("scripted")
    agent = host.connect()
    first, second = order("scripted", "R", {}), order("scripted", "S", {})
    agent.run(first)
    agent.retire()
    agent.socket.sendall(encode(Confirm([first.key])) + encode(StartRuns([second])))
    assert agent.end_of(second).outcome.status is Status.SUCCEEDED


def test_it_retires_after_its_runs(boot: Boot) -> None:
    """Asked to retire, a host waits for its runs and for their confirmation."""
    host = boot("scripted")
    agent = host.connect()
    run = order("scripted", "R", {"run_for": 0.2})
    agent.start(run)
    agent.retire()
    assert agent.end_of(run).outcome.status is Status.SUCCEEDED
    agent.confirm(run)
    agent.await_closed()
    assert host.await_exit() == 0


def test_sigterm_ends_it_when_nothing_runs(boot: Boot) -> None:
    """SIGTERM is a retirement."""
    host = boot("scripted")
    agent = host.connect()
    host.signal(signal.SIGTERM)
    agent.await_closed()
    assert host.await_exit() == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGPIPE"])
def test_signals_do_not_end_runs(boot: Boot, name: str) -> None:
    """While something runs, no signal meant for an agent's end is an end of its runs."""
    host = boot("scripted")
    agent = host.connect()
    run = order("scripted", "R", {"run_for": "10m"})
    agent.start(run)
    agent.await_began(run)
    host.signal(signal.Signals[name])
    agent.vanish()
    successor = host.connect()
    assert [began.key for began in successor.hello.running] == [run.key]


def test_the_agents_death_is_survived(boot: Boot, tmp_path: Path) -> None:
    """A host has a session of its own, no terminal, and none of the agent's files open."""
    leaked = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(leaked, True)  # noqa: FBT003
    host = boot("shell")
    os.close(leaked)
    agent = host.connect()
    assert agent.hello.pid == host.pid
    assert os.getsid(host.pid) == host.pid
    fields = Path(f"/proc/{host.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    assert fields[4] == "0"  # the controlling terminal
    links = {fd.name: str(fd.readlink()) for fd in Path(f"/proc/{host.pid}/fd").iterdir()}
    assert links["0"] == links["1"] == os.devnull
    assert links["2"] == str(host.folder / "shell.log")
    assert str(tmp_path) not in links.values()


def test_a_run_ends_while_nobody_listens(boot: Boot, bell: Bell) -> None:
    """A run goes on without an agent, and its outcome waits for the next."""
    host = boot("shell")
    agent = host.connect()
    run = order("shell", "R", f"echo $$ > {bell.path}; read line < {bell.path}.2; exit 6")
    os.mkfifo(f"{bell.path}.2")
    agent.start(run)
    (pid,) = bell.pids(1)
    agent.vanish()
    Path(f"{bell.path}.2").write_text("go\n", encoding="ascii")
    await_gone(pid)
    successor = host.connect()
    end = successor.hello.ended[0] if successor.hello.ended else successor.end_of(run)
    assert end.outcome.exit_code == 6


def test_what_a_dead_agent_said_counts(boot: Boot) -> None:
    """Orders that a killed agent left in its socket are in the hello of the next."""
    host = boot("scripted")
    agent = host.connect()
    host.signal(signal.SIGSTOP)
    runs = [order("scripted", f"R{n}", {"run_for": "10m"}) for n in range(500)]
    agent.socket.sendall(encode(StartRuns(runs)))
    agent.vanish()
    half = encode(StartRuns([order("scripted", "S", {})]))[:-3]
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(host.socket_path))
    connection.sendall(half)
    connection.close()
    host.signal(signal.SIGCONT)
    successor = host.connect()
    assert {began.key for began in successor.hello.running} == {run.key for run in runs}


def test_the_last_connection_is_the_agent(boot: Boot) -> None:
    """A second connection takes the first one's place, which is closed."""
    host = boot("scripted")
    first = host.connect()
    run = order("scripted", "R", {"run_for": "10m"})
    first.start(run)
    second = host.connect()
    first.await_closed()
    assert [began.key for began in second.hello.running] == [run.key]
    second.cancel(run)
    assert second.end_of(run).outcome.status is Status.CANCELLED


@pytest.mark.parametrize(
    "data",
    [
        b"\xc1",
        b"\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        msgspec.msgpack.encode(["start"]),
        msgspec.msgpack.encode(["start", [1]]),
        msgspec.msgpack.encode(["rm", []]),
        b"\xdd\x7f\xff\xff\xff",
        b"\x91" * 100_000,
    ],
)
def test_nonsense_closes_the_connection(boot: Boot, data: bytes) -> None:
    """What is no message ends the connection with a line in the log, and no run."""
    host = boot("scripted")
    agent = host.connect()
    run = order("scripted", "R", {"run_for": "10m"})
    agent.start(run)
    agent.await_began(run)
    agent.socket.sendall(data)
    agent.await_closed()
    assert host.log().startswith("host.undecodable ")
    assert host.log().count("\n") == 1
    assert [began.key for began in host.connect().hello.running] == [run.key]


def test_a_key_that_is_a_path(boot: Boot) -> None:
    """A key cannot lead an output file out of its folder."""
    host = boot("shell")
    end = host.connect().run(order("shell", "R", "true", key="../R.1"))
    assert end.outcome.status is Status.FAILED
    assert not (host.folder / "R.1.out").exists()


def test_a_second_host_is_refused(boot: Boot) -> None:
    """A second host of a name ends with code 3 and leaves the first alone."""
    first = boot("scripted")
    second = boot("scripted")
    assert second.await_exit() == 3
    assert first.connect().hello.pid == first.pid


def test_a_dead_hosts_socket_is_replaced(boot: Boot) -> None:
    """After a host was killed, the next one takes over its socket and its name."""
    first = boot("scripted")
    first.end()
    assert first.socket_path.exists()
    second = boot("scripted")
    assert second.connect().hello.pid == second.pid


def test_an_executor_that_is_not_there(boot: Boot) -> None:
    """A host of an unknown executor ends with code 4."""
    assert boot("no-such-executor").await_exit() == 4


def test_a_crash_takes_its_runs_alone(boot: Boot) -> None:
    """An executor that kills its process ends the connection; the next host starts anew."""
    host = boot("scripted")
    agent = host.connect()
    agent.start(order("scripted", "R", {"crash": True}))
    agent.await_closed()
    assert host.await_exit() == 70
    assert boot("scripted").connect().hello.running == []


def test_the_socket_is_private(boot: Boot) -> None:
    """Nobody but the owner can speak to a host."""
    mode = boot("scripted").socket_path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_a_long_path(boot: Boot, tmp_path: Path) -> None:
    """A folder whose path does not fit a socket address is no obstacle."""
    folder = tmp_path / ("long" * 30) / "run"
    folder.mkdir(parents=True)
    host = boot("scripted", folder)
    run = order("scripted", "R", {"lines": 1})
    assert host.connect().run(run).outcome.status is Status.SUCCEEDED
    assert host.stdout(run) == b"line 1\n"


def test_thousands_of_orders(boot: Boot) -> None:
    """Ten thousand orders in messages of any size all end, and are told to the next agent."""
    host = boot("scripted")
    agent: Agent = host.connect()
    runs = [order("scripted", f"{n:026}", {"line": "x" * 200}) for n in range(12_000)]
    agent.start(*runs[:6_000])
    for n in range(6_000, len(runs), 7):
        agent.start(*runs[n : n + 7])
    agent.hear_until(lambda: len(agent.ended) == len(runs))
    agent.vanish()
    successor = host.connect()
    assert len(successor.hello.running) + len(successor.hello.ended) == len(runs)
    successor.ended = {end.key: [end] for end in successor.hello.ended}
    successor.hear_until(lambda: len(successor.ended) == len(runs))


TALKING = """
import asyncio
from tocsin.execution import Health
from tocsin.executors.scripted import Scripted

class Talking(Scripted):
    async def health(self):
        yield Health(True)
        yield {health}
        yield {health}
        raise OSError("no more")
"""


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ("Health(False, 'no\\nengine', {'n': 1})", Health(False, "no engine", {"n": 1})),  # noqa: FBT003 - a row
        ("'fine'", None),
    ],
)
def test_an_executor_says_how_it_is(
    boot: Boot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str, told: Health | None
) -> None:
    """Each agent is told the last of it; a stream that breaks breaks nothing else."""
    (tmp_path / "talking.py").write_text(TALKING.format(health=second))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TOCSIN_EXECUTOR", '{"use": "talking:Talking"}')
    host = boot("talk")
    first = host.connect()
    assert first.run(order("talk", "R", {})).outcome.status is Status.SUCCEEDED
    successor = host.connect()
    successor.run(order("talk", "S", {}))
    assert successor.healths == [told or Health(available=True)]


def test_settings(boot: Boot) -> None:
    """A host runs the executor that its settings name, with their keys laid under a block's."""
    use = "tocsin.executors.scripted:Scripted"
    settings = Settings(use=use, defaults={"lines": 2, "line": "from the agent"})
    host = boot("other-name", settings=settings)
    agent = host.connect()
    first, second = order("other-name", "R", {}), order("other-name", "S", {"line": "own"})
    agent.run(first)
    agent.run(second)
    assert host.stdout(first) == b"from the agent\n" * 2
    assert host.stdout(second) == b"own\n" * 2


@pytest.mark.parametrize(
    ("use", "says"),
    [
        ("no-such-executor", "no executor is called 'no-such-executor'"),
        ("no_such_module:It", "does not import: ModuleNotFoundError"),
        ("tocsin.executors.scripted:Scripted.name", "is none: its `summary` is no text"),
    ],
)
def test_settings_that_lead_nowhere(boot: Boot, use: str, says: str) -> None:
    """A host that has no executor to run says why, and ends."""
    host = boot("other-name", settings=Settings(use=use))
    assert host.await_exit() == 4
    assert says in host.words()
