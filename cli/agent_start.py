"""`tocsin agent`: start this host's agent. Loads nothing that the agent does not need."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from tocsin.agent.config import AgentConfig
from tocsin.agent.process import become_agent
from tocsin.config import find_places, read_settings
from tocsin.errors import ConfigError

SETTINGS_FILE: Final = "agent.toml"


def start_agent(config_file: str | None) -> NoReturn:
    """Become the agent: this process goes on as one that has nothing else in it.

    Raises:
        ConfigError: its settings are missing or wrong.
    """
    config = agent_config(config_file)
    config.check()
    become_agent(config)


def agent_config(config_file: str | None) -> AgentConfig:
    """The agent's settings, from a file or from their usual place.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    places = find_places(os.environ, daemon=True)
    path = Path(config_file) if config_file else places.config_dir / SETTINGS_FILE
    if not config_file and not path.exists():
        raise ConfigError(
            f"this host belongs to no coordinator yet: there is no {path}",
            "join one with `tocsin agent join`; its administrator gets the join string from "
            "`tocsin agent token`",
        )
    usual = {
        "data_dir": places.data_dir / "agent",
        "run_dir": places.run_dir / "agent",
        "key_file": Path("agent.key"),
        "secrets_dir": places.config_dir / "secrets",
    }
    config = read_settings(path, AgentConfig, otherwise=usual)
    # A relative key file is beside the agent's data, wherever that is.
    return msgspec.structs.replace(config, key_file=config.data_dir / config.key_file)
