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
    """An agent or the coordinator of this host."""

    what: str
    """`agent` or `coordinator`."""
    settings_file: Path
    config: AgentConfig | CoordinatorConfig | None
    """None when its settings are wrong."""
    trouble: ConfigError | None
    unit: systemctl.Unit | None
    uid: int
    """Who it runs as."""
    instance: str = ""
    """Of an agent that is not the only one of this host."""

    @property
    def title(self) -> str:
        """What it is called in findings."""
        return f"{self.what} {self.instance}".strip()

    @property
    def join(self) -> str:
        """The command that lets an agent in anew."""
        return "tocsin agent join" + (f" --instance {self.instance}" if self.instance else "")


class Here(NamedTuple):
    """What there is of both sides."""

    agents: list[Side]
    coordinator: Side | None


def look_around(environ: Mapping[str, str]) -> Here:
    """See what there is: of the services for root where they are, else of this user."""
    agents = [_agent(instance, environ) for instance in ["", *_instances(environ)]]
    return Here([it for it in agents if it is not None], _coordinator(environ))


def _instances(environ: Mapping[str, str]) -> list[str]:
    """Of agents beside the first that have settings."""
    unit = systemctl.own_unit(systemctl.AGENT, environ)
    if unit is None:
        return []
    found = unit.places.config_dir.glob(f"agents/*/{SETTINGS_FILE}")
    return sorted(path.parent.name for path in found)


def _agent(instance: str, environ: Mapping[str, str]) -> Side | None:
    unit = systemctl.own_unit(systemctl.agent_unit(instance), environ)
    places = _places(unit, environ)
    path = places.config_dir / SETTINGS_FILE
    if not is_joined(path):
        return None
    stored = AGENT_KEY.replace(".key", f".{instance}.key") if instance else AGENT_KEY
    try:
        config = _with_credential(agent_config(None, places), stored, unit)
    except ConfigError as error:
        return Side("agent", path, None, error, unit, _uid(unit), instance)
    return Side("agent", path, config, None, unit, _uid(unit), instance)


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
