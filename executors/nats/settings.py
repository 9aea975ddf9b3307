"""Which connection a run needs: runs with the same settings share one."""

from __future__ import annotations

from typing import NamedTuple

from .config import NatsConfig, Tls


class Settings(NamedTuple):
    """All that tells one connection from another."""

    servers: str | tuple[str, ...]
    user: str | None
    password: str | None
    token: str | None
    nkey: str | None
    creds: str | None
    tls: bool | Tls
    inbox_prefix: str


def settings_of(config: NatsConfig) -> Settings:
    """The settings that a block asks for."""
    servers = config.servers
    return Settings(
        servers if isinstance(servers, str) else tuple(servers),
        config.user,
        config.password,
        config.token,
        config.nkey,
        config.creds,
        config.tls,
        config.inbox_prefix,
    )
