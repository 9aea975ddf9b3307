"""What the agent says of itself."""

from __future__ import annotations

import msgspec


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent says of itself, and how long it waits for its runs when it is to end."""

    version: str
    tags: dict[str, str]
    slots: int
    executors: list[str]
    """Those that are on offer at first, before they were looked at."""
    drain_s: float
