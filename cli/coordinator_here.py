"""The coordinator of this host, for commands that work on its directory."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click
import msgspec

from tocsin.config import find_places
from tocsin.coordinator.config import CoordinatorConfig
from tocsin.credentials import COORDINATOR_KEY

from . import systemctl
from .doctor.here import CREDSTORE
from .start import coordinator_config

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Here(NamedTuple):
    """What is known of the coordinator."""

    config: CoordinatorConfig
    unit: systemctl.Unit | None
    """Its service; None where it has none, or somebody else asks than root."""

    @property
    def owner(self) -> tuple[int, int] | None:
        """User and group whose its directory is to be; None: whoever makes it."""
        if self.unit is None:
            return None
        try:
            found = pwd.getpwnam(self.unit.user)
        except KeyError:
            return None
        return found.pw_uid, found.pw_gid

    @property
    def start(self) -> str:
        """The command that starts it."""
        return "tocsin coordinator" if self.unit is None else f"systemctl start {self.unit.name}"

    @property
    def stop(self) -> str:
        """The command after which it does not start by itself."""
        return "" if self.unit is None else f"systemctl disable --now {self.unit.name}"


def find_coordinator(config_file: Path | None, data: Path | None) -> Here:
    """Where the coordinator of this host keeps its things: that of the service, for root.

    Raises:
        ConfigError: its settings are wrong.
    """
    unit = systemctl.own_unit(systemctl.COORDINATOR, os.environ)
    places = find_places(os.environ, daemon=True) if unit is None else unit.places
    given: dict[str, object] = {} if data is None else {"data_dir": data.absolute()}
    config = coordinator_config(places, config_file, given)
    credential = CREDSTORE / COORDINATOR_KEY
    if unit is not None and credential.exists():
        config = msgspec.structs.replace(config, key_file=credential)
    return Here(config, unit)


def place_options(command: _Command) -> _Command:
    """`--config FILE` and `--data DIR`, as the arguments `config_file` and `data`."""
    settings = click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The coordinator's settings; else coordinator.toml of the configuration directory.",
    )
    folder = click.option(
        "--data", type=click.Path(path_type=Path), metavar="DIR", help="Where the databases are."
    )
    return settings(folder(command))
