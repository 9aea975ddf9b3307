"""Agents, and the roles of those who connect."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from tocsin.execution import Offer


class AgentState(enum.StrEnum):
    """Whether an agent is there, and may be given runs."""

    UP = "up"
    DRAINING = "draining"
    CORDONED = "cordoned"
    DOWN = "down"
    REVOKED = "revoked"
    PENDING = "pending"
    """It asked to be let in, and nobody has accepted it yet."""


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """A host's agent as the coordinator knows it."""

    id: str
    key: str
    """Its CURVE public key in hexadecimal."""
    name: str
    state: AgentState = AgentState.DOWN
    tags: dict[str, str] = {}
    """What it says of itself, and over that what it was let in with."""
    given_tags: dict[str, str] = {}
    """Those it was let in with: it cannot change them."""
    slots: int = 0
    busy: int = 0
    executors: list[str] = []
    """Those that can run something now."""
    offers: list[Offer] = []
    """All of them, with how they are."""
    version: str = ""
    spool: str = ""
    last_seen_us: int | None = None
    down_since_us: int | None = None
    """When it was last heard, while it is not connected."""
    held: AgentState | None = None
    """What people decided, whether or not it is connected: cordoned or draining."""
    reason: str = ""
    """Why they decided so, or why it was revoked."""
    held_by: str = ""
    drain_until_us: int | None = None
    """What still runs on it then is cancelled."""


class Role(enum.StrEnum):
    """What a peer may do; each of the four human roles includes those before it."""

    STRANGER = "stranger"
    AGENT = "agent"
    VIEWER = "viewer"
    OPERATOR = "operator"
    AUTHOR = "author"
    ADMIN = "admin"


HUMAN_RANK: Final = {Role.VIEWER: 1, Role.OPERATOR: 2, Role.AUTHOR: 3, Role.ADMIN: 4}
