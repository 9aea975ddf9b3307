"""The coordinator's settings."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from tocsin.coordinator.machine.state import Policy
from tocsin.log import LogLevel

PORT: Final = 7370
ENROL_PORT: Final = 7371


class CoordinatorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where the coordinator keeps its things, where it listens, and how patient it is."""

    data_dir: Path
    """Databases, and the lock that keeps a second coordinator away."""
    key_file: Path
    """Its CURVE key; made at the first start."""
    bind: str = "0.0.0.0"  # noqa: S104 - agents are elsewhere; nobody is served without a known key
    """The address on which it listens."""
    port: int = PORT
    """Where known agents and clients connect; 0 takes a free one."""
    enrol_port: int = ENROL_PORT
    """Where hosts ask to be let in; 0 takes a free one."""
    admin_keys: list[str] = []
    """Public keys of clients that may do everything."""
    endpoint_file: Path | None = None
    """Written once it listens: ports, public key and pid, as JSON."""
    policy: Policy = Policy()
    log_level: LogLevel = "info"
    """What is logged: `info`, `warning` or `error`, and what is worse."""
