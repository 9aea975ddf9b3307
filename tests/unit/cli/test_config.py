"""Where files are, and how settings are read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest

from tocsin.cli.agent_start import agent_config
from tocsin.cli.start import coordinator_config
from tocsin.config import (
    Context,
    find_context,
    find_places,
    list_contexts,
    read_context,
    read_settings,
    write_context,
    write_settings,
)
from tocsin.errors import ConfigError


def test_one_variable_moves_everything() -> None:
    """TOCSIN_HOME holds for all directories, and wins over systemd's."""
    places = find_places({"TOCSIN_HOME": "/x", "STATE_DIRECTORY": "/s"}, daemon=True)
    assert [str(path) for path in msgspec.structs.astuple(places)] == [
        "/x/config",
        "/x/data",
        "/x/log",
        "/x/run",
    ]
    assert find_places({"TOCSIN_HOME": "x"}).data_dir == Path.cwd() / "x" / "data"


def test_a_daemon_heeds_systemd_and_a_command_does_not() -> None:
    """The first directory of each of its variables."""
    environ = {
        "CONFIGURATION_DIRECTORY": "/etc/tocsin",
        "STATE_DIRECTORY": "/var/lib/tocsin:/var/lib/other",
        "LOGS_DIRECTORY": "/var/log/tocsin",
        "RUNTIME_DIRECTORY": "/run/tocsin",
    }
    places = find_places(environ, daemon=True)
    assert [str(path) for path in msgspec.structs.astuple(places)] == [
        "/etc/tocsin",
        "/var/lib/tocsin",
        "/var/log/tocsin",
        "/run/tocsin",
    ]
    assert Path("/etc/tocsin") not in msgspec.structs.astuple(find_places(environ))


def test_otherwise_the_users_directories_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG's."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/xdg")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    places = find_places({"XDG_RUNTIME_DIR": "/run/user/7"})
    assert places.config_dir == Path("/xdg/tocsin")
    assert places.run_dir == Path("/run/user/7/tocsin")
    assert find_places({}).run_dir == Path("/data/tocsin/run")


def test_a_context_is_written_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    """Any text survives; a relative key file is beside the context."""
    path = tmp_path / "new" / "context.toml"
    context = Context(
        name='a "b" \\ \x01 é', endpoint="tcp://x:1", server_key="ab", key_file=Path("c.key")
    )
    write_context(path, context)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_context(path) == msgspec.structs.replace(context, key_file=path.parent / "c.key")
    assert os.listdir(path.parent) == ["context.toml"]  # noqa: PTH208 - drafts too


def test_the_named_context_goes_before_the_variable_and_the_usual_place(tmp_path: Path) -> None:
    """`--context`, TOCSIN_CONTEXT, context.toml."""
    places = find_places({"TOCSIN_HOME": str(tmp_path)})
    blank = Context(name="", endpoint="e", server_key="k", key_file=Path("/k"))
    paths = {name: tmp_path / f"{name}.toml" for name in ("option", "variable")}
    paths["usual"] = places.context_file
    for name, path in paths.items():
        write_context(path, msgspec.structs.replace(blank, name=name))
    environ = {"TOCSIN_CONTEXT": str(paths["variable"])}
    assert find_context(str(paths["option"]), environ, places).name == "option"
    assert find_context(None, environ, places).name == "variable"
    assert find_context(None, {}, places).name == "usual"
    places.context_file.unlink()
    with pytest.raises(ConfigError, match="no coordinator is known here"):
        find_context(None, {}, places)


class _Inner(msgspec.Struct, frozen=True):
    wait_s: float = 1.0


class _Loose(msgspec.Struct, frozen=True, kw_only=True):
    data_dir: Path
    port: int = 1
    inner: _Inner = _Inner()


class _Strict(_Loose, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


@pytest.mark.parametrize("kind", [_Loose, _Strict])
def test_settings_are_read_into_their_type(tmp_path: Path, kind: type[_Loose]) -> None:
    """Paths and durations are text; what is given wins, what is not said comes from elsewhere."""
    path = tmp_path / "x.toml"
    path.write_text('data_dir = "/d"\nport = 2\n[inner]\nwait_s = "1m"\n')
    assert read_settings(path, kind) == kind(data_dir=Path("/d"), port=2, inner=_Inner(60.0))
    assert read_settings(path, kind, {"port": 3}).port == 3
    path.write_text("port = 5\n")
    usual = {"data_dir": Path("/u"), "port": 9}
    assert read_settings(path, kind, otherwise=usual) == kind(data_dir=Path("/u"), port=5)


_WRONG = [
    ("prt = 1", 'prt: unknown key; did you mean "port"?'),
    ("port = 'x'", 'port: "x" is text; expected a whole number'),
    ("inner = {wait = 1}", 'inner.wait: unknown key; did you mean "wait_s"?'),
    (
        "inner = {wait_s = 'x'}",
        'inner.wait_s: "x" is not understood; expected a duration such as 90s or 1h30m',
    ),
    ("data_dir = 5", "data_dir: 5 is a number; expected text"),
    ("", 'the key "data_dir" is missing'),
]


@pytest.mark.parametrize("kind", [_Loose, _Strict])
@pytest.mark.parametrize(("text", "said"), _WRONG)
def test_wrong_settings_name_file_key_and_what_is_near(
    tmp_path: Path, kind: type[_Loose], text: str, said: str
) -> None:
    """As job files do."""
    path = tmp_path / "x.toml"
    path.write_text(text if "data_dir" in text or not text else f"data_dir = '/d'\n{text}")
    with pytest.raises(ConfigError) as caught:
        read_settings(path, kind)
    assert caught.value.message == f"{path}: {said}"


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"a = ", "not TOML"), (b"\xff", "not TOML"), (None, "there is no such file")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, data: bytes | None, said: str) -> None:
    """It is named, and what is wrong with it."""
    path = tmp_path / "x.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError, match=said):
        read_settings(path, _Loose)


def test_the_agents_settings_need_only_say_whom_it_serves(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its directories are the usual ones, and its key is beside its data."""
    with pytest.raises(ConfigError, match="belongs to no coordinator yet"):
        agent_config(None, find_places(os.environ, daemon=True))
    written: dict[str, str | int | dict[str, str]] = {
        "endpoint": "tcp://x:1",
        "server_key": "ab",
        "tags": {"dc": "eu"},
        "slots": 5,
    }
    write_settings(home / "config" / "agent.toml", {**written})
    config = agent_config(None, find_places(os.environ, daemon=True))
    assert config.data_dir == home / "data" / "agent"
    assert config.key_file == home / "data" / "agent" / "agent.key"
    assert (config.endpoint, config.tags, config.slots) == ("tcp://x:1", {"dc": "eu"}, 5)
    monkeypatch.chdir(home)
    write_settings(home / "other.toml", {**written, "key_file": "/k", "drain_s": "1m"})
    config = agent_config("other.toml", find_places(os.environ, daemon=True))
    assert (config.key_file, config.drain_s) == (Path("/k"), 60.0)


def test_the_coordinators_options_go_before_its_file(home: Path) -> None:
    """Without either it has the usual places and ports."""
    places = find_places({"TOCSIN_HOME": str(home)})
    config = coordinator_config(places, None, {})
    assert config.data_dir == home / "data" / "coordinator"
    assert config.key_file == home / "data" / "coordinator" / "coordinator.key"
    write_settings(home / "config" / "coordinator.toml", {"port": 5, "bind": "127.0.0.1"})
    config = coordinator_config(places, None, {"port": 6, "data_dir": home / "d"})
    assert (config.port, config.bind, config.data_dir) == (6, "127.0.0.1", home / "d")
    assert config.key_file == home / "d" / "coordinator.key"
    with pytest.raises(ConfigError, match="there is no such file"):
        coordinator_config(places, home / "no.toml", {})


def _named(config: Path, name: str, more: str = "") -> None:
    config.mkdir(parents=True, exist_ok=True)
    (config / f"{name}.toml").write_text(
        f'name = "{name}-eu"\nendpoint = "tcp://x:1"\nserver_key = "ab"\nkey_file = "k"\n{more}'
    )


def test_contexts_have_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in the directory beside the usual one; a name wins over a file called so."""
    places = find_places({"TOCSIN_HOME": str(tmp_path)})
    assert list_contexts(places) == {}
    _named(places.contexts_dir, "test")
    _named(places.contexts_dir, "prod", "read_only = true\ncareful = true\n")
    _named(tmp_path, "here")
    (tmp_path / "here.toml").rename(tmp_path / "prod")
    (tmp_path / "bare").write_bytes((tmp_path / "prod").read_bytes())
    monkeypatch.chdir(tmp_path)

    assert list(list_contexts(places)) == ["prod", "test"]
    prod = find_context("prod", {}, places)
    assert (prod.name, prod.read_only, prod.careful) == ("prod-eu", True, True)
    assert prod.key_file == places.contexts_dir / "k"
    assert find_context(None, {"TOCSIN_CONTEXT": "test"}, places).name == "test-eu"
    assert find_context("./prod", {}, places).name == "here-eu"
    assert find_context("bare", {}, places).name == "here-eu"


@pytest.mark.parametrize(
    ("named", "known", "says"),
    [
        ("pord", ["prod"], ["no context 'pord'", 'did you mean "prod"?']),
        ("other", ["prod", "test"], ["no context 'other'", "there are prod, test"]),
        ("prod", [], ["no context 'prod'", "contexts/prod.toml"]),
        ("x.toml", ["prod"], ["x.toml: there is no such file"]),
        ("dir/prod", ["prod"], ["dir/prod: there is no such file"]),
    ],
)
def test_a_context_that_is_not_there(
    named: str, known: list[str], says: list[str], tmp_path: Path
) -> None:
    """The nearest name is told, or all of them, or where to put one."""
    places = find_places({"TOCSIN_HOME": str(tmp_path)})
    for name in known:
        _named(places.contexts_dir, name)
    with pytest.raises(ConfigError) as caught:
        find_context(named, {}, places)
    for text in says:
        assert text in f"{caught.value.message} {caught.value.hint}"


def test_a_context_is_written_as_it_is_read(tmp_path: Path) -> None:
    """What is not said is not written; what is, comes back."""
    plain = Context(name="a", endpoint="tcp://x:1", server_key="ab", key_file=tmp_path / "k")
    kept = msgspec.structs.replace(plain, read_only=True, careful=True)
    for context in (plain, kept):
        write_context(tmp_path / "c.toml", context)
        assert read_context(tmp_path / "c.toml") == context
    write_context(tmp_path / "c.toml", plain)
    assert "read_only" not in (tmp_path / "c.toml").read_text()
