"""`tocsin agent`: start this host's agent. Loads nothing that the agent does not need."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from tocsin.agent.config import AgentConfig
from tocsin.agent.process import become_agent
from tocsin.config import Places, find_places, read_settings
from tocsin.credentials import AGENT_KEY, credential
from tocsin.errors import ConfigError

SETTINGS_FILE: Final = "agent.toml"
_ENDPOINT: Final = re.compile(r"\s*endpoint\s*=")


def start_agent(config_file: str | None) -> NoReturn:
    """Become the agent: this process goes on as one that has nothing else in it.

    Raises:
        ConfigError: its settings are missing or wrong.
    """
    places = find_places(os.environ, daemon=True)
    config = agent_config(config_file, places)
    config.check()
    become_agent(config, settings_path(config_file, places))


def settings_path(config_file: str | None, places: Places) -> Path:
    """Where the agent's settings are: in a file that is named, or in their usual place."""
    return Path(config_file) if config_file else places.config_dir / SETTINGS_FILE


def is_joined(path: Path) -> bool:
    """Whether settings name a coordinator: a package may bring some that do not."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return False
    except OSError:
        return True  # whoever reads it says what is wrong
    return any(_ENDPOINT.match(line) for line in lines)


def agent_config(config_file: str | None, places: Places) -> AgentConfig:
    """The agent's settings.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    path = settings_path(config_file, places)
    if not config_file and not is_joined(path):
        raise ConfigError(
            f"this host belongs to no coordinator yet: {path} names none",
            "join one with `tocsin agent join`; its administrator gets the join string from "
            "`tocsin agent token`",
        )
    usual = {
        "data_dir": places.data_dir / "agent",
        "run_dir": places.run_dir / "agent",
        "key_file": credential(AGENT_KEY, os.environ) or Path("agent.key"),
        "secrets_dir": places.config_dir / "secrets",
    }
    config = read_settings(path, AgentConfig, otherwise=usual)
    # A relative key file is beside the agent's data, wherever that is.
    return msgspec.structs.replace(config, key_file=config.data_dir / config.key_file)
