"""What of Tocsin is on this host: its sides, where each keeps its things, and as whom."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from tocsin.agent.config import AgentConfig
from tocsin.cli import systemctl
from tocsin.cli.agent_start import SETTINGS_FILE, agent_config, is_joined
from tocsin.cli.start import coordinator_config
from tocsin.config import Places, find_places
from tocsin.coordinator.config import CoordinatorConfig
from tocsin.credentials import AGENT_KEY, COORDINATOR_KEY
from tocsin.errors import ConfigError

_Config = TypeVar("_Config", AgentConfig, CoordinatorConfig)

CREDSTORE: Final = Path("/etc/credstore")
"""Where systemd looks for credentials that have no path."""


class Side(NamedTuple):
    """The agent or the coordinator of this host."""

    what: str
    settings_file: Path
    config: AgentConfig | CoordinatorConfig | None
    """None when its settings are wrong."""
    trouble: ConfigError | None
    unit: systemctl.Unit | None
    uid: int
    """Who it runs as."""


class Here(NamedTuple):
    """Both sides; None where there is none."""

    agent: Side | None
    coordinator: Side | None


def look_around(environ: Mapping[str, str]) -> Here:
    """See what there is: of the services for root where they are, else of this user."""
    return Here(_agent(environ), _coordinator(environ))


def _agent(environ: Mapping[str, str]) -> Side | None:
    unit = systemctl.own_unit(systemctl.AGENT, environ)
    places = _places(unit, environ)
    path = places.config_dir / SETTINGS_FILE
    if not is_joined(path):
        return None
    try:
        config = _with_credential(agent_config(None, places), AGENT_KEY, unit)
    except ConfigError as error:
        return Side("agent", path, None, error, unit, _uid(unit))
    return Side("agent", path, config, None, unit, _uid(unit))


def _coordinator(environ: Mapping[str, str]) -> Side | None:
    unit = systemctl.own_unit(systemctl.COORDINATOR, environ)
    places = _places(unit, environ)
    path = places.config_dir / "coordinator.toml"
    try:
        config = _with_credential(coordinator_config(places, None, {}), COORDINATOR_KEY, unit)
    except ConfigError as error:
        return Side("coordinator", path, None, error, unit, _uid(unit))
    is_wanted = unit is not None and unit.shown.get("UnitFileState") == "enabled"
    if not config.data_dir.exists() and not is_wanted:
        return None  # a file of settings alone comes with the package
    return Side("coordinator", path, config, None, unit, _uid(unit))


def _places(unit: systemctl.Unit | None, environ: Mapping[str, str]) -> Places:
    return find_places(environ, daemon=True) if unit is None else unit.places


def _uid(unit: systemctl.Unit | None) -> int:
    if unit is None:
        return os.geteuid()
    try:
        return pwd.getpwnam(unit.user).pw_uid
    except KeyError:
        return -1


def _with_credential(config: _Config, name: str, unit: systemctl.Unit | None) -> _Config:
    """With the key that systemd hands to the service, where there is one."""
    path = CREDSTORE / name
    return msgspec.structs.replace(config, key_file=path) if unit and path.exists() else config
