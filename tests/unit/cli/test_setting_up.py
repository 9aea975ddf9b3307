"""Setting a host up: where things go, and what is said where it cannot be done."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from tocsin.cli import systemctl
from tocsin.cli.agent_settings import check_free, write_agent_settings
from tocsin.cli.agent_start import is_joined
from tocsin.cli.init_coordinator import settings_above
from tocsin.cli.machine_mark import mark_of, read_mark, write_mark
from tocsin.errors import ConfigError

from .conftest import Tocsin


@pytest.mark.parametrize(
    ("text", "joined"),
    [("", False), ("# endpoint = 'x'\n", False), ("slots = 1\n", False),
     (" endpoint = 'x'\n", True), ("slots = 1\nendpoint='x'\n", True)],
)  # fmt: skip
def test_who_belongs_to_a_coordinator(tmp_path: Path, text: str, joined: bool) -> None:  # noqa: FBT001 - a table
    """Whose settings name one; those that a package brings do not."""
    path = tmp_path / "agent.toml"
    assert not is_joined(path)
    path.write_text(text)
    assert is_joined(path) == joined


def test_settings_go_above_what_a_file_says(tmp_path: Path) -> None:
    """So they are none of a table's; the rest stays, comments too."""
    path = tmp_path / "agent.toml"
    path.write_text("# mine\ndrain_s = 5\n[executor.http]\nenabled = false\n")
    check_free(path, {"tags": {}, "slots": None})
    write_agent_settings(path, {"endpoint": "tcp://x:1", "tags": {"a": "b"}})
    text = path.read_text()
    assert "# mine\n" in text
    assert tomllib.loads(text) == {
        "endpoint": "tcp://x:1", "tags": {"a": "b"}, "drain_s": 5,
        "executor": {"http": {"enabled": False}},
    }  # fmt: skip
    with pytest.raises(ConfigError, match="belongs to a coordinator already"):
        check_free(path, {})


def test_what_a_file_says_already_is_not_said_twice(tmp_path: Path) -> None:
    """It would be no TOML any more."""
    path = tmp_path / "agent.toml"
    path.write_text("slots = 5\n")
    with pytest.raises(ConfigError, match="says slots already"):
        check_free(path, {"slots": 6})
    path.write_text("slots = \n")
    with pytest.raises(ConfigError, match="not TOML"):
        check_free(path, {})


def test_where_a_unit_keeps_its_things() -> None:
    """As systemd says; the first of several folders."""
    shown = {"LoadState": "loaded", "User": "", "ConfigurationDirectory": "tocsin",
             "StateDirectory": "tocsin-agent:old other", "RuntimeDirectory": ""}  # fmt: skip
    unit = systemctl.Unit("a.service", shown)
    assert unit.places.config_dir == Path("/etc/tocsin")
    assert unit.places.data_dir == Path("/var/lib/tocsin-agent")
    assert unit.places.run_dir == Path("/run/tocsin")
    assert (unit.user, unit.is_installed, unit.is_active) == ("root", True, False)


def test_commands_of_others_are_not_about_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither are root's with a home of its own, nor those where systemd is not."""
    monkeypatch.setattr(systemctl, "BOOTED", Path("/nowhere"))
    assert systemctl.own_unit(systemctl.AGENT, {}) is None
    monkeypatch.setattr(systemctl, "BOOTED", Path("/"))
    assert systemctl.own_unit(systemctl.AGENT, {"TOCSIN_HOME": "/x"}) is None
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert systemctl.own_unit(systemctl.AGENT, {}) is None


def test_a_program_that_is_run() -> None:
    """Its exit code, and what it printed to either stream."""
    said = systemctl.run("sh", "-c", "echo a; echo b >&2; exit 3")
    assert said == systemctl.Said(3, "a\nb")
    assert systemctl.run("no-such-program").code == 127


def test_what_to_do_where_no_service_can_be_set_up(
    tocsin: Tocsin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refusal says what to do instead."""
    monkeypatch.setattr(systemctl, "BOOTED", Path("/nowhere"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said = tocsin("init", "coordinator")
    assert (said.code, "systemd does not run this host" in said.err) == (2, True)
    assert "tocsin coordinator" in said.err
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "sudo tocsin init coordinator" in tocsin("init", "coordinator").err


def test_the_machine_that_a_key_was_made_on(tmp_path: Path) -> None:
    """Its id is noted; one without an id is not known again."""
    source = tmp_path / "machine-id"
    assert mark_of(source) == ""
    source.write_text("abc\n")
    assert mark_of(source) == "abc"
    assert read_mark(tmp_path / "none") is None
    if write_mark(tmp_path) is not None:
        assert read_mark(tmp_path) == mark_of()


def test_settings_go_into_the_file_that_a_package_brings(tmp_path: Path) -> None:
    """Above its comments; what it says already is for its owner to change."""
    path = tmp_path / "coordinator.toml"
    path.write_text("#port = 7370\n\n#[policy]\n")
    text = settings_above(path, {"port": 7400})
    assert text == "port = 7400\n\n#port = 7370\n\n#[policy]\n"
    path.write_text(text)
    with pytest.raises(ConfigError, match="says another port"):
        settings_above(path, {"port": 7500})


def test_the_unit_of_one_more_agent() -> None:
    """Its name is part of a path and of a unit: nothing that means more to one of them."""
    assert systemctl.agent_unit("") == "tocsin-agent.service"
    assert systemctl.agent_unit("web.2") == "tocsin-agent@web.2.service"
    assert systemctl.executors_unit("web.2").name == "tocsin-executor-web.2@.service"
    for bad in ("a-b", "a/b", "../x", ".x", "a b", "ä", "x" * 33):
        with pytest.raises(ConfigError, match="cannot be an instance"):
            systemctl.agent_unit(bad)


def test_where_one_more_agent_cannot_be(tocsin: Tocsin, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anybody is asked to let it in, with what to do instead."""
    monkeypatch.setattr(systemctl, "BOOTED", Path("/nowhere"))
    said = tocsin("agent", "join", "j1:localhost:1:ab", "--instance", "web")
    assert (said.code, "another TOCSIN_HOME" in said.err) == (2, True)
