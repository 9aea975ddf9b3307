"""Programs under the exec executor, in a real host."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.host_client import Agent, Bell, Host, await_gone, is_alive, order
from tocsin.execution import Order, Status, check_config
from tocsin.executors.checking.resource_checks import peak_bytes
from tocsin.executors.exec import Exec

EXAMPLES = Path(__file__).parents[3] / "examples" / "executors"
NODE = shutil.which("node")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host of the executor, with a folder of secrets."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "token").write_text("hunter22")
    (folder / "token").chmod(0o600)
    monkeypatch.setenv("TOCSIN_SECRETS", str(folder))
    made = Host("exec", tmp_path / "run")
    yield made
    made.end()


@pytest.fixture
def agent(host: Host) -> Agent:
    """Its agent."""
    return host.connect()


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    """A named pipe to wait at."""
    made = Bell(tmp_path / "bell")
    yield made
    made.close()


def program(*words: str, **more: Any) -> Order:
    """An order for a program, as its block says after the check at apply."""
    changes = {key: more.pop(key) for key in ("env", "kill_after_s", "timeout_s") if key in more}
    block = {"program": words[0], "args": list(words[1:]), **more}
    return order("exec", "R", check_config(Exec, block), **changes)


def sh(script: str, **more: Any) -> Order:
    """The same for a script."""
    return program("/bin/sh", "-c", script, **more)


def test_the_request(host: Host, agent: Agent) -> None:
    """A program reads one line of JSON with all that is to be known, and nothing after it."""
    env = {
        "TOCSIN_JOB": "job", "TOCSIN_AGENT": "db1", "TOCSIN_DUE": "2026-01-01T00:00:00Z",
        "TOCSIN_TRIGGER": "schedule", "TOCSIN_IDEMPOTENCY_KEY": "job/2026-01-01T00:00:00Z",
        "TOCSIN_PARAM_REGION": "eu",
    }  # fmt: skip
    config = {"deep": [1, None, {"ä": "☃"}]}
    run = program("cat", config=config, env=env, timeout_s=60.0)
    agent.run(run)
    (line,) = host.stdout(run).decode().splitlines()
    assert json.loads(line) == {
        "protocol": 1,
        "run_id": run.key.rpartition(".")[0],
        "attempt": 1,
        "key": run.key,
        "job": "job",
        "agent": "db1",
        "due": "2026-01-01T00:00:00Z",
        "trigger": "schedule",
        "idempotency_key": "job/2026-01-01T00:00:00Z",
        "params": {"region": "eu"},
        "config": config,
        "timeout_s": 60.0,
        "grace_s": 10.0,
    }


def test_what_it_says(host: Host, agent: Agent) -> None:
    """Output, facts and the result come as JSON lines, between lines that are plain."""
    run = sh(
        """printf '%s\\n' plain '{"output": "a"}' '{"output": "b\\n", "facts": {"n": 1}}' \\
        '{"output": "oh\\n", "stream": "stderr"}' '{"output_base64": "AP8="}' '{"no": 1}' \\
        '{"facts": {"n": 2, "m": [3]}, "result": "succeeded", "message": "well"}' after
        echo raw >&2; printf end"""
    )
    outcome = agent.run(run).outcome
    assert host.stdout(run) == b'plain\nab\n\0\xff{"no": 1}\nafter\nend'
    assert sorted(host.stderr(run).splitlines()) == [b"oh", b"raw"]
    assert (outcome.status, outcome.exit_code) == (Status.SUCCEEDED, 0)
    assert outcome.message == "well"
    assert outcome.facts == {"n": 2, "m": [3], "invalid_lines": 1}


@pytest.mark.parametrize(
    ("script", "status", "exit_code", "message"),
    [
        ("exit 0", Status.SUCCEEDED, 0, ""),
        ("exit 5", Status.FAILED, 5, "exit code 5"),
        ("kill -9 $$", Status.FAILED, 137, "killed by SIGKILL"),
        ("""echo '{"result": "failed"}'""", Status.FAILED, None, "it says that it failed"),
        (
            """echo '{"result": "succeeded"}'; exit 5""",
            Status.FAILED,
            5,
            "it said succeeded, then: exit code 5",
        ),
        (
            """echo '{"result": "ok"}'""",
            Status.FAILED,
            None,
            'its result is "ok"; expected "succeeded" or "failed"',
        ),
    ],
)
def test_ends(
    agent: Agent, script: str, status: Status, exit_code: int | None, message: str
) -> None:
    """The exit code decides where there is no result; a contradiction is a failure."""
    outcome = agent.run(sh(script)).outcome
    assert (outcome.status, outcome.exit_code, outcome.message) == (status, exit_code, message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["/no/such"], "command not found: /no/such"),
        (["no-such-program"], "command not found: no-such-program"),
        (["/etc/passwd"], "/etc/passwd: Permission denied"),
        (["true", "x" * (1 << 20)], "true: Argument list too long"),
    ],
)
def test_what_cannot_be_started(agent: Agent, words: list[str], message: str) -> None:
    """A program that is not to be had never begins."""
    end = agent.run(program(*words))
    assert end.began_us is None
    assert message in end.outcome.message


def test_a_request_that_nobody_reads(agent: Agent) -> None:
    """A request of megabytes blocks neither the program nor the host."""
    outcome = agent.run(program("true", config="x" * (8 << 20))).outcome
    assert outcome.status is Status.SUCCEEDED


def test_a_request_of_megabytes(host: Host, agent: Agent) -> None:
    """It comes whole, and can be read again from its beginning."""
    run = sh("wc -c; wc -c < /dev/stdin", config="x" * (4 << 20))
    agent.run(run)
    first, second = map(int, host.stdout(run).split())
    assert first == second > 4 << 20


def test_streams_closed_early(host: Host, agent: Agent) -> None:
    """A program that closes its streams goes on, and is heard as far as it spoke."""
    run = sh("echo first; exec >&- 2>&- <&-; sleep 0.1; exit 4")
    assert agent.run(run).outcome.exit_code == 4
    assert host.stdout(run) == b"first\n"


def test_a_child_that_holds_the_pipe(host: Host, agent: Agent, bell: Bell) -> None:
    """The end of the program is the end of the run, whoever holds its output open."""
    run = sh(f"sleep 600 & echo $! > {bell.path}; echo done")
    agent.start(run)
    (child,) = bell.pids(1)
    assert agent.end_of(run).outcome.status is Status.SUCCEEDED
    assert host.stdout(run) == b"done\n"
    assert is_alive(child)
    os.kill(child, 9)


def test_a_child_that_prints_for_ever(host: Host, agent: Agent, bell: Bell) -> None:
    """What is left in the background cannot hold up the end, nor print any more."""
    run = sh(f"yes & echo $! > {bell.path}; exit 3")
    agent.start(run)
    (child,) = bell.pids(1)
    assert agent.end_of(run).outcome.exit_code == 3
    await_gone(child)  # of SIGPIPE
    assert host.stdout(run).replace(b"y\n", b"") in {b"", b"y"}


def test_a_cancel_ends_the_tree(agent: Agent, bell: Bell) -> None:
    """SIGTERM to all of it; what is told before the end counts."""
    told = '{"facts": {"rows": 5}, "result": "failed", "message": "half"}'
    # The child rings itself: one that was only just forked might still heed the trap of the shell.
    child_script = 'echo $$ > "$0"; exec sleep 600'
    script = f"trap 'echo \"$1\"; exit 0' TERM; sh -c '{child_script}' \"$2\" & wait"
    run = program("sh", "-c", script, "sh", told, str(bell.path), kill_after_s=600.0)
    agent.start(run)
    (child,) = bell.pids(1)
    agent.cancel(run)
    outcome = agent.end_of(run).outcome
    assert outcome.status is Status.CANCELLED
    assert outcome.message == "cancelled; half"
    assert outcome.facts == {"rows": 5}
    await_gone(child)


@pytest.mark.parametrize(
    "script",
    [
        "head -c 256M /dev/zero",
        """yes '{"output": "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\\n"}' | head -c 64M""",
        """printf '{"output": "'; head -c 64M /dev/zero | tr '\\0' y""",
        """yes '{"facts": {"a": 1}}' | head -c 16M""",
    ],
)
def test_much_output(host: Host, agent: Agent, script: str) -> None:
    """A program is read as fast as it is kept, and no faster."""
    agent.run(sh("true"))
    before = peak_bytes(host)
    assert agent.run(sh(script)).outcome.status is Status.SUCCEEDED
    assert peak_bytes(host) - before < 16 << 20


def test_secrets(host: Host, agent: Agent) -> None:
    """A program has them in its environment; both its streams are masked, and its request bare."""
    script = 'test "$TOKEN" = hunter22 && cat && echo $TOKEN && echo $TOKEN >&2'
    run = order(
        "exec",
        "R",
        {"program": "sh", "args": ["-c", script], "config": {"token": "{{ secret.TOKEN }}"}},
        secrets={"TOKEN": "token"},
    )
    assert agent.run(run).outcome.status is Status.SUCCEEDED
    request, printed = host.stdout(run).splitlines()
    assert json.loads(request)["config"] == {"token": "***"}
    assert printed + b"\n" == host.stderr(run) == b"***\n"


def test_output_that_cannot_be_kept(host: Host, agent: Agent) -> None:
    """A program that prints where there is no room goes on, and its run says so."""
    shutil.rmtree(host.out)
    host.out.mkdir()
    run = sh("head -c 1M /dev/zero; echo x >&2")
    (host.out / f"{run.key}.out").symlink_to("/dev/full")
    outcome = agent.run(run).outcome
    assert outcome.status is Status.SUCCEEDED
    assert outcome.message == "output was lost: No space left on device"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as somebody else")
@pytest.mark.parametrize("is_secret", [False, True])
def test_another_user(host: Host, agent: Agent, *, is_secret: bool) -> None:
    """A job's `run_as` holds, with streams that go through the host too."""
    secrets = {"TOKEN": "token"} if is_secret else {}
    run = order(
        "exec",
        "R",
        {"program": "sh", "args": ["-c", "id -un; id -un >&2; wc -c | grep -q ..."]},
        run_as="nobody",
        secrets=secrets,
    )
    outcome = agent.run(run).outcome
    assert outcome.status is Status.SUCCEEDED, outcome
    assert host.stdout(run) == host.stderr(run) == b"nobody\n"


def test_the_shell_example(host: Host, agent: Agent) -> None:
    """It succeeds where there is room, and fails where there must be more than there can be."""
    run = program(str(EXAMPLES / "disk-space.sh"), "/", "100")
    outcome = agent.run(run).outcome
    assert outcome.status is Status.SUCCEEDED, outcome
    assert outcome.message == f"{outcome.facts['used_percent']}% used"
    assert host.stdout(run).startswith(b"Filesystem")
    block = {"program": str(EXAMPLES / "disk-space.sh"), "args": ["/", "-1"]}
    outcome = agent.run(order("exec", "F", block)).outcome
    assert outcome.status is Status.FAILED
    assert outcome.message.endswith("at most -1% may be")


@pytest.mark.skipif(
    NODE is None and os.environ.get("CI") != "true", reason="there is no node on this machine"
)
def test_the_node_example(host: Host, agent: Agent, tmp_path: Path) -> None:
    """It counts, fails where there are too many lines, and says what it cannot read."""
    assert NODE is not None, "node is missing: apt-get install nodejs"
    files = [tmp_path / name for name in ("one", "two")]
    for number, file in enumerate(files, 1):
        file.write_text("line\n" * number)
    env = {"PATH": f"{Path(NODE).parent}:/usr/bin:/bin"}
    script = str(EXAMPLES / "line-count.mjs")

    def counted(run: str, config: dict[str, Any]) -> Order:
        return order("exec", run, {"program": script, "config": config}, env=env)

    run = counted("R", {"files": [str(file) for file in files]})
    outcome = agent.run(run).outcome
    assert (outcome.status, outcome.message) == (Status.SUCCEEDED, "3 lines in 2 files")
    assert outcome.facts == {str(files[0]): 1, str(files[1]): 2, "lines": 3}
    assert host.stdout(run).decode() == f"1\t{files[0]}\n2\t{files[1]}\n"
    outcome = agent.run(counted("S", {"files": [str(files[1])], "at_most": 1})).outcome
    assert (outcome.status, outcome.exit_code) == (Status.FAILED, 1)
    assert outcome.message == "2 lines; at most 1 are wanted"
    outcome = agent.run(counted("T", {"files": ["/no/such"]})).outcome
    assert "ENOENT" in outcome.message
