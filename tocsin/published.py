"""Executors as agents publish them: their schemas stand for them where they are not installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from tocsin.config_schema import config_type
from tocsin.execution import Capability, Executor
from tocsin.model import Description


def published_executor(description: Description, *, patterns: bool = True) -> type[Executor]:
    """A class that has the schema of an executor, and its names; it cannot run anything.

    Keys that the agent's settings fill in need not be given.

    Raises:
        ValueError: the description makes no sense.
    """
    filled_in = frozenset(description.defaults)
    names = {
        "name": description.name,
        "summary": description.summary,
        "main_key": description.main_key,
        "config": config_type(description.schema, filled_in=filled_in, patterns=patterns),
        "capabilities": known_capabilities(description.capabilities),
    }
    return cast("type[Executor]", type("Published", (), names))


def known_capabilities(names: Iterable[str]) -> frozenset[Capability]:
    """Those of a newer version of the port are left out."""
    known = {capability.value for capability in Capability}
    return frozenset(Capability(name) for name in names if name in known)
