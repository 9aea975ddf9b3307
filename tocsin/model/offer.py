"""Executors as agents publish them: what is to be known to write jobs for them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

MASKED: Final = "***"
"""Stands for a secret in what is published."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """All that is to be known of an executor to write jobs for it; the same on many agents."""

    name: str
    use: str
    """The executor that stands behind the name: often the same."""
    version: str
    """The package that brings it, and its version."""
    port: int
    """The version of the port that it was written for."""
    summary: str
    main_key: str
    capabilities: list[str]
    schema: dict[str, Any]
    """JSON Schema of its block."""
    defaults: dict[str, Any] = {}
    """Keys that the agent's settings fill in where a job has none; secrets are masked."""


class OfferedExecutor(msgspec.Struct, frozen=True, kw_only=True):
    """A description, and the agents that go by it."""

    description: Description
    agents: int
    """How many offer it."""
    some: list[str]
    """The names of the first of them."""
    unavailable: dict[str, str]
    """Of some agents on which it is not available, why."""
    unavailable_agents: int
    """How many these are in all."""
