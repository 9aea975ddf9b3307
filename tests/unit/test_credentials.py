"""Keys that systemd hands over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tocsin.cli.agent_start import agent_config
from tocsin.cli.start import coordinator_config
from tocsin.config import find_places, write_settings
from tocsin.errors import ConfigError
from tocsin.keys import read_keypair, write_keypair
from tocsin.link import new_keypair


@pytest.fixture
def handed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of credentials, with the keys of both sides, as lent by an access list."""
    for name in ("coordinator", "agent"):
        path = tmp_path / "credentials" / f"tocsin.{name}.key"
        write_keypair(path, new_keypair())
        path.chmod(0o440)
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    return tmp_path / "credentials"


def test_a_credential_is_the_key_unless_settings_name_another(handed: Path) -> None:
    """Of both sides."""
    places = find_places(os.environ, daemon=True)
    assert coordinator_config(places, None, {}).key_file == handed / "tocsin.coordinator.key"
    settings = {"endpoint": "tcp://x:1", "server_key": "ab"}
    write_settings(places.config_dir / "agent.toml", settings)
    assert agent_config(None, places).key_file == handed / "tocsin.agent.key"
    write_settings(places.config_dir / "agent.toml", {**settings, "key_file": "/k"})
    assert agent_config(None, places).key_file == Path("/k")


def test_without_one_the_key_is_beside_the_data(handed: Path) -> None:
    """A folder of credentials may hold others alone."""
    (handed / "tocsin.coordinator.key").unlink()
    places = find_places(os.environ, daemon=True)
    config = coordinator_config(places, None, {})
    assert config.key_file == config.data_dir / "coordinator.key"


def test_the_mode_of_a_credential_means_nothing(
    handed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of any other file does."""
    assert read_keypair(handed / "tocsin.agent.key").public
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(ConfigError, match="lets others use this secret key"):
        read_keypair(handed / "tocsin.agent.key")
