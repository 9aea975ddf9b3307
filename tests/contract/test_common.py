"""What every executor gets from its host: secrets, placeholders, expectations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.execution import Expect, Status

from .conftest import Boot
from .host_client import Agent, Host, order


@pytest.fixture
def host(boot: Boot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host of the scripted executor, with a folder of secrets."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "token").write_text("hunter22\n")
    (folder / "token").chmod(0o600)
    monkeypatch.setenv("TOCSIN_SECRETS", str(folder))
    return boot("scripted")


@pytest.fixture
def agent(host: Host) -> Agent:
    """Its agent."""
    return host.connect()


def test_placeholders_are_filled_in(host: Host, agent: Agent) -> None:
    """The run's own id stands where the block asks for it."""
    run = order("scripted", "R", {"lines": 1, "line": "run {{ run.id }} {{ run.attempt }}"})
    agent.run(run)
    assert host.stdout(run) == f"run {run.key.replace('.', ' ')}\n".encode()


def test_a_placeholder_for_nothing_fails_before_the_start(agent: Agent) -> None:
    """The attempt never begins, and its message names the place."""
    end = agent.run(order("scripted", "R", {"line": "{{ param.x }}"}))
    assert end.began_us is None
    assert end.outcome.status is Status.FAILED
    assert end.outcome.message == "scripted: line: {{ param.x }} stands for nothing"


def test_a_secret_reaches_the_run_and_not_its_output(host: Host, agent: Agent) -> None:
    """What the executor writes and says is masked."""
    block = {"lines": 1, "line": "token {{ secret.TOKEN }}"}
    run = order("scripted", "R", block, secrets={"TOKEN": "token"})
    assert agent.run(run).outcome.status is Status.SUCCEEDED
    assert host.stdout(run) == b"token ***\n"
    refused = order(
        "scripted", "S", {"start_error": "no {{ secret.TOKEN }}"}, secrets={"TOKEN": "token"}
    )
    assert agent.run(refused).outcome.message == "no ***"


@pytest.mark.usefixtures("host")
def test_a_secret_is_a_variable_of_a_process(boot: Boot, tmp_path: Path) -> None:
    """A shell run finds it in its environment."""
    shell = boot("shell", tmp_path / "shell")
    run = order("shell", "R", 'test "$TOKEN" = hunter22', secrets={"TOKEN": "token"})
    assert shell.connect().run(run).outcome.status is Status.SUCCEEDED


def test_a_missing_secret_fails_before_the_start(agent: Agent) -> None:
    """Nothing is begun, and the message says which variable and which file."""
    end = agent.run(order("scripted", "R", {}, secrets={"PW": "pg/backup"}))
    assert end.began_us is None
    assert end.outcome.status is Status.FAILED
    assert end.outcome.message.startswith("secret PW: ")


def test_a_shell_line_is_taken_as_it_stands(boot: Boot, tmp_path: Path) -> None:
    """A value is never spliced into a command."""
    shell = boot("shell", tmp_path / "shell")
    run = order("shell", "R", "echo '{{ run.id }}'")
    shell.connect().run(run)
    assert shell.stdout(run) == b"{{ run.id }}\n"


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        (Expect(match="^line 3$"), ""),
        (Expect(not_match="line 2"), "the output matches line 2: line 2"),
        (Expect(exit_codes=[4]), "exit code 0; expected 4"),
    ],
)
def test_expectations(agent: Agent, expect: Expect, says: str) -> None:
    """The output and the exit code decide, when a job says so."""
    outcome = agent.run(order("scripted", "R", {"lines": 3}, expect=expect)).outcome
    assert outcome.message == says
    assert outcome.status is (Status.FAILED if says else Status.SUCCEEDED)
