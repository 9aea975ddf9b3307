"""What the shell executor does beyond the contract."""

from __future__ import annotations

import os
import pwd
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tocsin.execution import Order, Status

from .host_client import Agent, Bell, Host, await_gone, is_alive, kill_all, order

MIB = 1 << 20


def shell_order(config: dict[str, Any] | str, **changes: Any) -> Order:
    """An order for the shell executor."""
    return order("shell", "R", config, **changes)


def python(code: str) -> list[str]:
    """The argv of a Python program."""
    return [sys.executable, "-I", "-S", "-c", code]


# Results.


@pytest.mark.parametrize("code", [0, 1, 2, 42, 126, 127, 255])
def test_exit_codes(agent: Agent, code: int) -> None:
    """The exit code of a command is that of the run; zero alone is success."""
    outcome = agent.run(shell_order(f"exit {code}")).outcome
    assert outcome.exit_code == code
    assert outcome.status is (Status.FAILED if code else Status.SUCCEEDED)


def test_other_codes_can_mean_success(agent: Agent) -> None:
    """`success_codes` decides what success is, zero included."""
    rsync = {"command": "exit 24", "success_codes": [0, 24]}
    assert agent.run(shell_order(rsync)).outcome.status is Status.SUCCEEDED
    grep = order("shell", "S", {"command": "true", "success_codes": [1]})
    assert agent.run(grep).outcome.status is Status.FAILED


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGTERM", "SIGHUP"])
def test_death_by_signal(agent: Agent, name: str) -> None:
    """A process that a signal ends fails with the code a shell gives it, and the signal's name."""
    outcome = agent.run(shell_order(f"kill -{name[3:]} $$")).outcome
    assert outcome.status is Status.FAILED
    assert outcome.exit_code == 128 + signal.Signals[name]
    assert outcome.message == f"killed by {name}"


def test_death_by_a_nameless_signal(agent: Agent) -> None:
    """A real-time signal is told by its number."""
    outcome = agent.run(shell_order("kill -40 $$")).outcome
    assert (outcome.exit_code, outcome.message) == (168, "killed by signal 40")


def test_peak_memory_and_cpu(agent: Agent) -> None:
    """Peak memory and CPU time are the process's own."""
    code = "x = bytearray(100 << 20); any(n < 0 for n in range(2_000_000))"
    outcome = agent.run(shell_order({"argv": python(code)})).outcome
    if outcome.peak_memory_bytes is not None or "unit" not in outcome.facts:
        assert outcome.peak_memory_bytes is not None
        assert 100 * MIB < outcome.peak_memory_bytes < 200 * MIB
    assert outcome.cpu_us is not None
    assert 1_000 < outcome.cpu_us < 60_000_000


def test_no_peak_is_better_than_a_wrong_one(agent: Agent) -> None:
    """A small process's peak drowns in the host's own, so none is told."""
    outcome = agent.run(shell_order("true")).outcome
    assert outcome.peak_memory_bytes is None
    assert outcome.cpu_us is not None


# Programs and command lines.


def test_a_missing_command_line(host_and_agent: tuple[Host, Agent]) -> None:
    """A command that the shell does not find ends with 127, and the shell's words are output."""
    host, agent = host_and_agent
    run = shell_order("no-such-program --flag")
    outcome = agent.run(run).outcome
    assert outcome.status is Status.FAILED
    assert outcome.exit_code == 127
    assert outcome.message == "exit code 127 (command not found)"
    assert b"no-such-program" in host.stderr(run)


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["no-such-program"], 127, "command not found: no-such-program"),
        (["/no/such"], 127, "command not found: /no/such"),
        (["/etc/passwd"], 126, "/etc/passwd: Permission denied"),
        (["/etc"], 126, "/etc: Permission denied"),
        (["true", "x" * 200_000], 126, "/bin/true: Argument list too long"),
    ],
)
def test_a_program_that_does_not_run(
    agent: Agent, argv: list[str], code: int, message: str
) -> None:
    """A program that cannot be run was never begun, and the line says why."""
    end = agent.run(shell_order({"argv": argv}))
    assert end.began_us is None
    assert end.outcome.status is Status.FAILED
    assert end.outcome.exit_code == code
    assert end.outcome.message.replace("/usr/bin/", "/bin/") == message


def test_a_script_without_its_interpreter(agent: Agent, tmp_path: Path) -> None:
    """A script whose first line names nothing is told apart from a missing program."""
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    outcome = agent.run(shell_order({"argv": [str(script)]})).outcome
    assert outcome.message == f"{script}: its interpreter is missing"


def test_a_command_too_long(agent: Agent) -> None:
    """A line longer than the system takes fails with a message that says so."""
    outcome = agent.run(shell_order(": " + "x" * 200_000)).outcome
    assert outcome.status is Status.FAILED
    assert "too long" in outcome.message


@pytest.mark.parametrize(
    "command",
    [
        "/bin/echo plain words",
        "/bin/echo   many    spaces ",
        "echo builtin -n",
        "/bin/echo a=b c:d e%f @g +h",
        "env true",
        "uname -s",
        "x=1 env true",
        "/bin/echo $HOME ~ *",
        "/bin/echo 'quoted words' \"more $((1+1))\" back\\ slash",
        "exit 3",
        "false",
        "no-such-program",
        "/no/such/program",
        "/etc/passwd",
        "/etc",
        "./relative",
        "script-without-shebang one two",
        "not-executable",
        "a-folder",
        "/bin/echo one; /bin/echo two",
        "/bin/echo one | cat",
        "! true",
        "if true; then /bin/echo yes; fi",
        "[ 1 = 2 ]",
        "{ /bin/echo group; }",
        "# only a comment",
        "",
        "   ",
        "-x",
        "+x",
        "- true",
        ": nothing",
        ". ./no-such-file",
        "/bin/echo é ü 漢",
        "/bin/echo tab\there",
        "/bin/echo new\n/bin/echo line",
        "/bin/echo {a,b}",
        "/bin/echo a!b ^c",
        "kill -9 $$",
        "/bin/sh -c true",
        "time",
        "sleep 0",
        "test -e /etc",
        "if",
        "case",
        "cd /tmp",
        "1",
        "env",
    ],
)
def test_the_same_as_sh(tmp_path: Path, host_and_agent: tuple[Host, Agent], command: str) -> None:
    """Whether or not a shell was spared, streams and exit code are those of `sh -c`."""
    host, agent = host_and_agent
    programs = tmp_path / "programs"
    (programs / "a-folder").mkdir(parents=True)
    (programs / "script-without-shebang").write_text('echo "script: $*"\n')
    (programs / "script-without-shebang").chmod(0o755)
    (programs / "not-executable").write_text("echo no\n")
    env = {"PATH": f"{programs}:/usr/bin:/bin"}
    if not command:
        command = " "
    run = shell_order({"command": command, "cwd": "/"}, env=env)
    outcome = agent.run(run).outcome
    user = pwd.getpwuid(os.getuid())
    clean = {
        "HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name,
        "SHELL": "/bin/sh", "PWD": "/",
        "LANG": os.environ.get("LANG", "C.UTF-8"), **run.env,
    }  # fmt: skip
    expected = subprocess.run(
        ["sh", "-c", "--", command],
        executable="/bin/sh",
        cwd="/",
        env=clean,
        capture_output=True,
        check=False,
    )
    code = expected.returncode
    assert outcome.exit_code == (128 - code if code < 0 else code)
    assert sorted(host.stdout(run).splitlines()) == sorted(expected.stdout.splitlines())
    assert host.stderr(run) == expected.stderr


# Streams.


@pytest.fixture
def host_and_agent(shell: Host, agent: Agent) -> tuple[Host, Agent]:
    """A host of the shell executor, and its agent."""
    return shell, agent


def test_huge_output(host_and_agent: tuple[Host, Agent]) -> None:
    """A hundred megabytes go to the file without passing through the host."""
    host, agent = host_and_agent
    run = shell_order("head -c 104857600 /dev/zero")
    assert agent.run(run).outcome.status is Status.SUCCEEDED
    path = host.out / f"{run.key}.out"
    assert path.stat().st_size == 100 * MIB
    path.unlink()


@pytest.mark.parametrize(
    "data",
    [bytes(range(256)), b"\xff\xfe\xc3(", b"no end of line", b"\n\n\r\n", b"\0" * 5000],
    ids=["binary", "invalid utf-8", "unterminated", "empty lines", "zeros"],
)
def test_output_is_bytes(host_and_agent: tuple[Host, Agent], data: bytes) -> None:
    """Output is kept byte for byte."""
    host, agent = host_and_agent
    run = shell_order({"argv": python(f"import os; os.write(1, {data!r}); os.write(2, {data!r})")})
    assert agent.run(run).outcome.status is Status.SUCCEEDED
    assert host.stdout(run) == host.stderr(run) == data


def test_closed_streams(agent: Agent) -> None:
    """A process that closes its streams runs on, and ends as it ends."""
    outcome = agent.run(shell_order("exec >&- 2>&- <&-; exit 7")).outcome
    assert outcome.exit_code == 7


def test_no_input(host_and_agent: tuple[Host, Agent]) -> None:
    """Without `stdin` there is nothing to read, and no waiting for it."""
    host, agent = host_and_agent
    run = shell_order("cat; wc -c")
    assert agent.run(run).outcome.status is Status.SUCCEEDED
    assert host.stdout(run).split() == [b"0"]


@pytest.mark.parametrize("size", [0, 1, 70_000, 5_000_000])
def test_input_of_any_size(host_and_agent: tuple[Host, Agent], size: int) -> None:
    """The text given as `stdin` is read whole, however large, by who reads it late too."""
    host, agent = host_and_agent
    text = "é" * size
    run = shell_order({"command": "wc -c; exit 5", "stdin": text})
    assert agent.run(run).outcome.exit_code == 5
    assert int(host.stdout(run)) == 2 * size


def test_input_that_nobody_reads(agent: Agent) -> None:
    """A process that does not read its input does not hold anything up."""
    outcome = agent.run(shell_order({"command": "true", "stdin": "x" * 1_000_000})).outcome
    assert outcome.status is Status.SUCCEEDED


def test_an_output_file_out_of_reach(host_and_agent: tuple[Host, Agent]) -> None:
    """A run whose output cannot be kept does not start, and says so."""
    host, agent = host_and_agent
    host.out.rename(host.folder / "elsewhere")
    run = shell_order("true")
    outcome = agent.run(run).outcome
    assert outcome.status is Status.FAILED
    assert outcome.message == f"the output file {run.key}.out: No such file or directory"


# What a process finds around it.


def test_environment(host_and_agent: tuple[Host, Agent], tmp_path: Path) -> None:
    """A job finds a clean environment and its own variables, none of the agent's."""
    host, agent = host_and_agent
    run = shell_order("/usr/bin/env -0", env={"GREETING": "grüße, 世界\n=;", "HOME": str(tmp_path)})
    agent.run(run)
    shown = host.stdout(run).decode().rstrip("\0").split("\0")
    env = dict(pair.split("=", 1) for pair in shown)
    assert env["GREETING"] == "grüße, 世界\n=;"
    assert env["HOME"] == str(tmp_path)
    assert env["TOCSIN_RUN_ID"] == run.env["TOCSIN_RUN_ID"]
    names = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PWD", "GREETING"}
    assert env.keys() == names | {"TOCSIN_RUN_ID", "TOCSIN_ATTEMPT"}


def test_a_bad_variable(agent: Agent) -> None:
    """A variable that cannot be set fails the run that has it."""
    assert agent.run(shell_order("true", env={"A=B": "c"})).outcome.status is Status.FAILED
    run = order("shell", "S", "true", env={"A": "zero\0byte"})
    assert agent.run(run).outcome.status is Status.FAILED


@pytest.mark.parametrize("config", [{"command": "pwd"}, {"argv": ["pwd"]}])
def test_working_directory(
    host_and_agent: tuple[Host, Agent], tmp_path: Path, config: dict[str, Any]
) -> None:
    """A run works where `cwd` says, the next one where it belongs."""
    host, agent = host_and_agent
    folder = tmp_path / "ein Verzeichnis"
    folder.mkdir()
    there = shell_order({**config, "cwd": str(folder)})
    home = order("shell", "S", config)
    agent.run(there)
    agent.run(home)
    assert host.stdout(there).decode() == f"{folder}\n"
    assert host.stdout(home).decode() == f"{Path.home()}\n"


def test_a_relative_program_is_looked_up_in_its_directory(agent: Agent, tmp_path: Path) -> None:
    """A relative path to a program starts from `cwd`."""
    script = tmp_path / "tool"
    script.write_text("#!/bin/sh\nexit 9\n")
    script.chmod(0o755)
    run = shell_order({"argv": ["./tool"], "cwd": str(tmp_path)})
    assert agent.run(run).outcome.exit_code == 9


@pytest.mark.parametrize(
    ("cwd", "reason"),
    [("/no/such", "No such file or directory"), ("/etc/passwd", "Not a directory")],
)
def test_a_bad_working_directory(agent: Agent, cwd: str, reason: str) -> None:
    """A directory that is none fails the run before it begins, and is named."""
    end = agent.run(shell_order({"command": "true", "cwd": cwd}))
    assert end.began_us is None
    assert end.outcome.message == f"cwd '{cwd}': {reason}"


def test_nothing_is_inherited(host_and_agent: tuple[Host, Agent]) -> None:
    """A process has its three streams, default signals, its own session and no terminal."""
    host, agent = host_and_agent
    code = (
        "import os;"
        "print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1]);"
        "status = open('/proc/self/status');"
        "print(*(l.split()[1] for l in status if l[:6] in {'SigBlk', 'SigIgn'}));"
        "print(os.getsid(0) == os.getpid() == os.getpgid(0))"
    )
    run = shell_order({"argv": ["/bin/sh", "-c", 'exec "$@"', "sh", *python(code)]})
    agent.run(run)
    fds, signals, own_session = host.stdout(run).decode().splitlines()
    assert fds == "[0, 1, 2]"
    blocked, ignored = (int(mask, 16) & 0x7FFF_FFFF for mask in signals.split())
    assert blocked == 0
    assert ignored == 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)  # Python's own doing
    assert own_session == "True"


def test_a_broken_pipe_ends_its_writer(agent: Agent) -> None:
    """SIGPIPE does what it does on a terminal."""
    outcome = agent.run(shell_order("yes | head -n 1 >/dev/null")).outcome
    assert outcome.status is Status.SUCCEEDED


def test_more_runs_than_descriptors(
    boot: Callable[..., Host],
) -> None:
    """A host takes as many as it may have, and each run finds the usual limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        host = boot("shell")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    agent = host.connect()
    block = {"command": "ulimit -Sn; exec sleep 600", "unit": False}
    runs = [order("shell", f"R{n}", block) for n in range(100)]
    agent.start(*runs)
    agent.hear_until(lambda: len(agent.began) + len(agent.ended) == len(runs))
    assert not agent.ended
    agent.cancel(*runs)
    for run in runs:
        agent.end_of(run)
    assert {host.stdout(run) for run in runs} == {b"64\n"}


# Process trees.


def test_background_children_are_left_alone(host_and_agent: tuple[Host, Agent], bell: Bell) -> None:
    """A run ends with its first process; what that left behind lives on and may still print."""
    host, agent = host_and_agent
    child = f"{sys.executable} -I -S -c 'import os, signal; signal.pause()'"
    run = shell_order(f"{child} & echo $! > {bell.path}; exit 4")
    assert agent.run(run).outcome.exit_code == 4
    pids = bell.pids(1)
    assert is_alive(pids[0])
    kill_all(pids)
    assert host.stdout(run) == b""


TREE = """
trap '' TERM
echo $$ > {bell}
sh -c 'trap "" TERM; echo $$ > {bell}; sleep 600; sleep 600' &
setsid sh -c 'trap "" TERM; echo $$ > {bell}; sleep 600; sleep 600' &
(setsid setsid sh -c 'trap "" TERM; echo $$ > {bell}; sleep 600; sleep 600' &) &
setsid --fork sh -c 'trap "" TERM; exec >&- 2>&-; echo $$ > {bell}; exec sleep 600'
wait
sleep 600
"""


@pytest.mark.parametrize("way", ["cancel", "timeout"])
def test_the_whole_tree_is_ended(agent: Agent, bell: Bell, way: str) -> None:
    """A tree that ignores SIGTERM is killed after the grace, with those who left the session."""
    timeout_s = 1.5 if way == "timeout" else 3600.0
    run = shell_order(TREE.format(bell=bell.path), kill_after_s=0.3, timeout_s=timeout_s)
    agent.start(run)
    pids = bell.pids(5)
    if way == "cancel":
        agent.cancel(run)
    outcome = agent.end_of(run).outcome
    assert outcome.status is (Status.CANCELLED if way == "cancel" else Status.TIMED_OUT)
    assert outcome.exit_code == 128 + signal.SIGKILL
    assert outcome.message.endswith("; killed by SIGKILL")
    for pid in pids:
        await_gone(pid)


def test_a_polite_end(host_and_agent: tuple[Host, Agent], bell: Bell) -> None:
    """A process may end in its own way within the grace, and the run was cancelled all the same."""
    host, agent = host_and_agent
    command = f"trap 'echo bye; exit 0' TERM; echo up > {bell.path}; while :; do sleep 0.01; done"
    run = shell_order(command, kill_after_s=3600.0)
    agent.start(run)
    bell.lines(1)
    agent.cancel(run)
    outcome = agent.end_of(run).outcome
    assert outcome.status is Status.CANCELLED
    assert outcome.exit_code == 0
    assert host.stdout(run) == b"bye\n"


def test_a_slow_child_gets_its_grace(host_and_agent: tuple[Host, Agent], bell: Bell) -> None:
    """The end is told when the last process of the tree is gone, not when the first is."""
    host, agent = host_and_agent
    slow = "trap 'sleep 0.2; echo slow; exit' TERM; echo up > {0}; while :; do sleep 0.01; done"
    command = f"({slow}) & echo up > {{0}}; exec sleep 600"
    run = shell_order(command.format(bell.path), kill_after_s=3600.0)
    agent.start(run)
    bell.lines(2)
    agent.cancel(run)
    outcome = agent.end_of(run).outcome
    assert outcome.exit_code == 128 + signal.SIGTERM
    assert host.stdout(run) == b"slow\n"


def test_a_stopped_tree_is_ended(agent: Agent, bell: Bell) -> None:
    """A process that is stopped is woken to hear that it must end."""
    run = shell_order(f"echo $$ > {bell.path}; kill -STOP $$; sleep 600", kill_after_s=3600.0)
    agent.start(run)
    bell.lines(1)
    agent.cancel(run)
    assert agent.end_of(run).outcome.status is Status.CANCELLED


def test_other_runs_are_left_alone(agent: Agent, bell: Bell) -> None:
    """Ending one run's tree ends no process of another attempt, not even of the same run."""
    command = f"setsid sh -c 'echo $$ > {bell.path}; exec sleep 600' & echo $$ > {bell.path}; wait"
    first = order("shell", "R", command)
    others = [order("shell", "S", command), order("shell", "R", command, attempt=2)]
    agent.start(*others)
    theirs = bell.pids(4)
    agent.start(first)
    own = bell.pids(2)
    agent.cancel(first)
    agent.end_of(first)
    assert all(map(is_alive, theirs))
    assert not any(map(is_alive, own))
    agent.cancel(*others)
    for other in others:
        agent.end_of(other)
    for pid in theirs:
        await_gone(pid)


def test_many_trees_are_ended_together(agent: Agent, bell: Bell) -> None:
    """Fifty trees are ended at once, each with its escapee."""
    command = f"setsid sh -c 'echo $$ > {bell.path}; exec sleep 600' & exec sleep 600"
    runs = [order("shell", f"R{n}", command, kill_after_s=3600.0) for n in range(50)]
    agent.start(*runs)
    pids = bell.pids(50)
    agent.cancel(*runs)
    assert {agent.end_of(run).outcome.status for run in runs} == {Status.CANCELLED}
    for pid in pids:
        await_gone(pid)
