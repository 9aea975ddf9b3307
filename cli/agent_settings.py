"""Writes `agent.toml`, also into one that says everything but whom the agent serves."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from tocsin.config import SettingValues, settings_text, write_text
from tocsin.errors import ConfigError

from .agent_start import is_joined


def check_free(path: Path, wanted: Mapping[str, object]) -> None:
    """See that a host can be joined with settings that a file does not have already.

    Raises:
        ConfigError: it belongs to a coordinator, or the file says one of them itself.
    """
    if is_joined(path):
        raise ConfigError(
            f"this host belongs to a coordinator already, see {path}",
            "to join another, move that file away first",
        )
    said = _read(path)
    for key, value in wanted.items():
        if value and key in said:
            raise ConfigError(f"{path} says {key} already", f"change it there, without --{key}")


def write_agent_settings(path: Path, settings: SettingValues) -> None:
    """Put settings into a file, above what it says already.

    Raises:
        ConfigError: it cannot be written.
    """
    said = path.read_text(encoding="utf-8") if path.exists() else ""
    write_text(path, settings_text(settings) + (f"\n{said}" if said else ""))


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: cannot read it: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not TOML: {error}", f"correct {path}") from error
