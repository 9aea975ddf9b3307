"""The agent's settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.config import read_settings
from tocsin.errors import ConfigError
from tocsin.log import LogLevel

SLOTS_MAX: Final = 8192
"""All that an agent holds has to fit in one hello."""
NEED_A_RESTART: Final = (
    "data_dir", "run_dir", "endpoint", "server_key", "key_file", "secrets_dir",
)  # fmt: skip
"""Settings that hold from the next start on; all others do from a reload on."""
_SLOTS_MIN: Final = 8
_SLOTS_PER_CPU: Final = 4


class ExecutorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different about one executor: a table `[executor.NAME]` of `agent.toml`."""

    enabled: bool = True
    """`false`: this agent does not offer it."""
    use: str = ""
    """The executor that jobs get under this name; by default the one that has it."""
    config: dict[str, Any] = {}
    """Keys of its block, for jobs that do not give them."""


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the agent keeps its things, whom it serves, and what it says of itself.

    Raises:
        ConfigError: from `check`, when a value makes no sense.
    """

    data_dir: Path
    """Its journal and the output that is not delivered; must outlive a reboot."""
    run_dir: Path
    """Sockets and logs of the executor hosts; need not outlive a reboot."""
    endpoint: str
    """The coordinator, `tcp://HOST:PORT`."""
    server_key: str
    """The coordinator's public key, 64 hex digits."""
    key_file: Path
    """The agent's own key pair."""
    tags: dict[str, str] = {}
    """What jobs choose hosts by, beside `host`, `os` and `arch`: `{role = "db", rack = "7"}`."""
    slots: int | None = None
    """How many runs it takes at once; without it four for each processor, and at least eight."""
    drain_s: float | None = None
    """How long it waits for its runs when it is told to end; they go on if they take longer.
    Without it 20, and not at all as a service: runs are in units of their own."""
    secrets_dir: Path = Path("/etc/tocsin/secrets")
    """Where the values of jobs' secrets are, one file for each, for nobody else to read."""
    log_level: LogLevel = "info"
    """What is logged: `info`, `warning` or `error`, and what is worse."""
    executors: list[str] | None = None
    """What it offers; without it all that are installed."""
    executor: dict[str, ExecutorConfig] = {}
    """By name: executors that are switched off, set up, or offered under another name."""

    def check(self) -> None:
        """Refuse what makes no sense."""
        if not self.endpoint.startswith("tcp://"):
            raise ConfigError(f"endpoint {self.endpoint!r}", "write tcp://HOST:PORT")
        if self.slots is not None and not 1 <= self.slots <= SLOTS_MAX:
            raise ConfigError(f"slots: {self.slots}", f"choose a number from 1 to {SLOTS_MAX}")
        if self.drain_s is not None and not self.drain_s >= 0:
            raise ConfigError(f"drain_s: {self.drain_s}", "write a number of seconds")

    @property
    def slots_offered(self) -> int:
        """How many runs it takes at once."""
        processors = len(os.sched_getaffinity(0))
        return self.slots or min(max(_SLOTS_MIN, _SLOTS_PER_CPU * processors), SLOTS_MAX)


def read_again(path: Path, before: AgentConfig) -> AgentConfig:
    """The settings in a file; what it does not say of places is as it was.

    Raises:
        ConfigError: it is missing or wrong.
    """
    places = ("data_dir", "run_dir", "key_file", "secrets_dir")
    config = read_settings(
        path, AgentConfig, otherwise={name: getattr(before, name) for name in places}
    )
    return msgspec.structs.replace(config, key_file=config.data_dir / config.key_file)
