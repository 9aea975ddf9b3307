"""Runs of the shell executor that are units: what systemd is asked for, and what it is not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.host_client import (
    Agent,
    Bell,
    Host,
    await_gone,
    is_alive,
    kill_all,
    order,
)
from tests.fleet import until
from tocsin.execution import Limits, Order, Status

from .systemctl import is_loaded, properties, systemctl, unit_of


def shell_order(config: dict[str, Any] | str, run: str = "R", **changes: Any) -> Order:
    """An order for the shell executor."""
    return order("shell", run, config, **changes)


def test_a_run_is_a_unit_named_for_it(agent: Agent, bell: Bell) -> None:
    """It is in the slice of jobs, says what it is, and goes when its end is known."""
    run = shell_order(f"echo $$ > {bell.path}; exec sleep 600")
    agent.start(run)
    agent.await_began(run)
    (pid,) = bell.pids(1)
    name, main, slice_, said = properties(run, "Id", "MainPID", "Slice", "Description")
    assert (name, main, slice_) == (unit_of(run), str(pid), "tocsin-jobs.slice")
    assert said == f"Tocsin run {run.env['TOCSIN_RUN_ID']}, attempt 1: job"
    agent.cancel(run)
    assert agent.end_of(run).outcome.facts["unit"] == unit_of(run)
    until(lambda: not is_loaded(run), "the unit to be forgotten")


def test_a_run_need_not_be_a_unit(agent: Agent) -> None:
    """`unit: false` is a process of the host's own."""
    run = shell_order({"command": "cat /proc/self/cgroup", "unit": False})
    assert "unit" not in agent.run(run).outcome.facts


def test_every_exit_code_of_a_short_run(agent: Agent) -> None:
    """A program that ends at once with a code that systemd uses itself is told from systemd."""
    runs = {code: shell_order(f"exit {code}", f"R{code}") for code in range(256)}
    agent.start(*runs.values())
    ends = {code: agent.end_of(run).outcome for code, run in runs.items()}
    assert {code: end.exit_code for code, end in ends.items()} == {code: code for code in runs}
    assert {end.status for code, end in ends.items() if code} == {Status.FAILED}


def test_limits_are_set(agent: Agent, bell: Bell) -> None:
    """Whether the kernel enforces them is another matter, and said."""
    limits = Limits(memory_bytes=64 << 20, cpu_percent=50, tasks=12)
    run = shell_order(f"echo $$ > {bell.path}; exec sleep 600", limits=limits)
    agent.start(run)
    agent.await_began(run)
    names = ("MemoryMax", "MemorySwapMax", "CPUQuotaPerSecUSec", "TasksMax", "OOMPolicy")
    assert properties(run, *names) == ["67108864", "0", "500ms", "12", "kill"]
    agent.cancel(run)
    facts = agent.end_of(run).outcome.facts
    known = Path("/sys/fs/cgroup/cgroup.controllers").read_text(encoding="ascii").split()
    missing = [name for name in ("memory", "cpu", "pids") if name not in known]
    assert ("limits" in facts) == bool(missing)
    assert all(name in facts.get("limits", "") for name in missing)


def test_the_surroundings_are_systemds_work(agent: Agent, bell: Bell) -> None:
    """User, niceness, umask and limits are properties of the unit: nothing stands in front."""
    block = {
        "command": f"echo $$ > {bell.path}; exec sleep 600",
        "user": "nobody", "nice": 5, "umask": "027", "ulimits": {"nofile": "100:200"},
    }  # fmt: skip
    bell.path.chmod(0o666)
    bell.path.parent.chmod(0o755)
    for folder in bell.path.parents[:3]:
        folder.chmod(0o755)
    run = shell_order(block)
    agent.start(run)
    (pid,) = bell.pids(1)
    names = ("User", "Nice", "UMask", "LimitNOFILE", "LimitNOFILESoft")
    assert properties(run, *names) == ["nobody", "5", "0027", "200", "100"]
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    )
    assert (status["Umask"], status["CapEff"]) == ("0027", "0" * 16)
    agent.cancel(run)
    agent.end_of(run)


ODD = {
    "QUOTES": "a 'b' \"c\" `d` $HOME ${X} %n %% \\ \\n",
    "LINES": "one\ntwo\n\n\tthree ",
    "CONTROL": "bell \x07 escape \x1b[0m return \r delete \x7f",
    "with-dash.and.dot": "x=y",
    "UMLAUT": "grüße 漢",
    "EMPTY": "",
    "#HASH": "; comment",
}


def test_odd_variables(shell: Host, agent: Agent) -> None:
    """Whatever a variable may hold arrives as it is, through all that a unit is written in."""
    run = shell_order({"argv": ["/usr/bin/env", "-0"], "env": ODD})
    assert agent.run(run).outcome.status is Status.SUCCEEDED
    found = dict(v.split("=", 1) for v in shell.stdout(run).decode().rstrip("\0").split("\0"))
    assert {name: found.get(name) for name in ODD} == ODD
    names = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PWD"}
    assert found.keys() == names | ODD.keys() | {"TOCSIN_RUN_ID", "TOCSIN_ATTEMPT"}


def test_odd_words(shell: Host, agent: Agent) -> None:
    """Arguments are neither expanded nor split, and survive a reload of the unit."""
    words = [*ODD.values(), "-x", "$", "$$", "$$$", "$HOME", "${HOME}", "%u", "*", "a b", ";"]
    script = 'printf "%s\\0" "$@"; sleep 1'
    run = shell_order({"argv": ["/bin/sh", "-c", script, *words]})
    agent.start(run)
    agent.await_began(run)
    systemctl("daemon-reload")
    assert is_loaded(run)
    assert agent.end_of(run).outcome.status is Status.SUCCEEDED
    assert shell.stdout(run).decode().split("\0")[:-1] == words[1:]


def test_a_huge_environment_is_no_line_of_a_unit_file(shell: Host, agent: Agent) -> None:
    """A megabyte of variables arrives whole, and a reload in the meantime does no harm."""
    big = {f"V{n}": "x" * 100_000 for n in range(12)}
    run = shell_order({"command": 'sleep 1; echo "${#V0} ${#V11}"', "env": big})
    agent.start(run)
    agent.await_began(run)
    systemctl("daemon-reload")
    assert is_loaded(run)
    assert agent.end_of(run).outcome.status is Status.SUCCEEDED
    assert shell.stdout(run) == b"100000 100000\n"


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A secret that the next host knows as `token`."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    value = 'hunter22 "quoted" $HOME \\ %n'
    (folder / "token").write_text(value, encoding="utf-8")
    (folder / "token").chmod(0o600)
    monkeypatch.setenv("TOCSIN_SECRETS", str(folder))
    return value


def test_secrets_are_not_to_be_seen(secret: str, shell: Host, agent: Agent, bell: Bell) -> None:
    """A process has them by every way; systemd shows none to anybody, nor do files."""
    script = 'printf "%s\\n" "$TOKEN" "$ALSO" "$1" "$(cat)"; env; echo up > "$0"; exec sleep 600'
    block = {
        "argv": ["/bin/sh", "-c", script, str(bell.path), "--password={{ secret.TOKEN }}"],
        "env": {"ALSO": "url://{{ secret.TOKEN }}@host"},
        "stdin": "in: {{ secret.TOKEN }}",
    }
    run = shell_order(block, secrets={"TOKEN": "token"})
    agent.start(run)
    bell.lines(1)
    said = shell.stdout(run).decode()
    assert said.splitlines()[:4] == [
        secret, f"url://{secret}@host", f"--password={secret}", f"in: {secret}",
    ]  # fmt: skip
    assert "TOCSIN_WORD" not in said
    assert "TOCSIN_LAUNCH" not in said
    shown = systemctl("show", unit_of(run)) + systemctl("cat", unit_of(run))
    assert "sleep 600" not in shown  # a command with a secret in it is hidden whole
    for folder in (Path("/run/systemd"), shell.folder):
        for path in folder.rglob("*"):
            if path.is_file() and path.parent != shell.out:
                shown += path.read_text(errors="replace")
    shown += subprocess.run(
        ["journalctl", "--no-pager", "-o", "export"], capture_output=True, text=True, check=True
    ).stdout
    assert "hunter22" not in shown
    agent.cancel(run)
    agent.end_of(run)


def test_what_is_left_behind_lives_on(agent: Agent, bell: Bell) -> None:
    """After a good end and after a bad one; its unit goes with the last of it."""
    for code in (0, 4):
        line = f"setsid sh -c 'echo $$ > {bell.path}; exec sleep 600' & exit {code}"
        run = shell_order(line, f"R{code}")
        assert agent.run(run).outcome.exit_code == code
        pids = bell.pids(1)
        agent.confirm(run)
        systemctl("daemon-reload")
        assert is_alive(pids[0])
        kill_all(pids)
        until(lambda run=run: not is_loaded(run), "the unit to go")  # type: ignore[misc]


def test_a_service_that_a_run_restarts_is_none_of_its_own(agent: Agent) -> None:
    """It is not ended with the run, whatever the run's end."""
    Path("/run/systemd/system/lab-daemon.service").write_text(
        "[Service]\nExecStart=/bin/sleep 600\n", encoding="ascii"
    )
    systemctl("daemon-reload")
    run = shell_order("systemctl restart lab-daemon; sleep 600", timeout_s=3.0, kill_after_s=0.5)
    assert agent.run(run).outcome.status is Status.TIMED_OUT
    assert systemctl("show", "lab-daemon", "--property=ActiveState") == "ActiveState=active\n"
    systemctl("stop", "lab-daemon")


def test_a_tree_that_hides_is_ended(agent: Agent, bell: Bell) -> None:
    """One that clears its environment, leaves its session and its parent is in the cgroup still."""
    hidden = f'trap "" TERM; echo $$ > {bell.path}; while :; do sleep 600; done'
    line = f"trap '' TERM; setsid --fork env -i setsid --fork /bin/sh -c '{hidden}'; sleep 600"
    run = shell_order(line, kill_after_s=0.3)
    agent.start(run)
    (pid,) = bell.pids(1)
    agent.cancel(run)
    outcome = agent.end_of(run).outcome
    assert (outcome.status, outcome.exit_code) == (Status.CANCELLED, 137)
    await_gone(pid)


def test_a_unit_that_somebody_stops(agent: Agent) -> None:
    """An administrator's stop is the end of a run, and is told as what it is."""
    run = shell_order("exec sleep 600")
    agent.start(run)
    agent.await_began(run)
    systemctl("stop", unit_of(run))
    outcome = agent.end_of(run).outcome
    assert outcome.status is Status.FAILED
    assert re.fullmatch("its unit is gone: .*|killed by SIGTERM", outcome.message)


def test_reloads_and_a_new_systemd(shell: Host, agent: Agent, tmp_path: Path) -> None:
    """Every run is what it should be, and ends as it ends, while systemd reads its units anew.

    And is itself executed anew. One that was made, and not yet started, must not change by that.
    """
    cwd = tmp_path / "a 'folder' with $HOME; %n"
    cwd.mkdir()
    line = 'printf "%s|" "$0;" "$A" "$(pwd)" \'x;y\' `echo z` $(umask) $(ulimit -n) $(nice) $(cat)'
    block = {
        "env": {"A": 'a;b "c" $d \\ %e', "odd-name": "f;g"}, "cwd": str(cwd), "stdin": "in;put",
        "umask": "027", "nice": 3, "ulimits": {"nofile": "111:222"},
    }  # fmt: skip
    said = f'sh;|a;b "c" $d \\ %e|{cwd}|x;y|z|0027|111|3|in;put|'
    runs = [
        shell_order({"command": f"{line}; sleep 0.{n % 10}; exit {n}", **block}, f"R{n}")
        for n in range(60)
    ]
    for n, run in enumerate(runs):
        agent.start(run)
        if n % 10 == 5:
            systemctl("daemon-reload" if n % 20 == 5 else "daemon-reexec")
    ends = [agent.end_of(run).outcome for run in runs]
    assert [end.exit_code for end in ends] == list(range(60)), ends
    assert {shell.stdout(run).decode() for run in runs} == {said}


def test_a_thousand_at_once(agent: Agent) -> None:
    """All are under way together, and the end of each is heard."""
    runs = [shell_order("exec sleep 20", f"R{n}", kill_after_s=60.0) for n in range(1000)]
    agent.start(*runs)
    agent.hear_until(lambda: len(agent.began) == len(runs))
    agent.hear_until(lambda: len(agent.ended) == len(runs))
    assert {agent.ended[run.key][0].outcome.status for run in runs} == {Status.SUCCEEDED}
