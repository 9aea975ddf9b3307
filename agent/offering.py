"""Which executors an agent offers, and with what settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tocsin.errors import ConfigError
from tocsin.execution import OFFERS_MAX, is_executor_name
from tocsin.hosting import Settings

from .config import ExecutorConfig


def offered(
    installed: Collection[str],
    allowed: Collection[str] | None,
    configured: Mapping[str, ExecutorConfig],
) -> dict[str, Settings]:
    """The executors on offer by name, sorted, each with its settings.

    Args:
        installed: the names of the entry points.
        allowed: those that are offered; None: all that are installed or configured.
        configured: the tables of `agent.toml`.

    Raises:
        ConfigError: a name cannot be one.
    """
    for name in configured:
        if not is_executor_name(name):
            raise ConfigError(
                f"executor.{name}: this cannot name an executor",
                "letters, digits and _ . - are taken, the first a letter, a digit or _",
            )
    # What is named and not installed is offered too: its health says what is missing.
    names = {*installed, *configured} if allowed is None else set(allowed)
    usual = ExecutorConfig()
    found = {}
    for name in sorted(names)[:OFFERS_MAX]:
        given = configured.get(name, usual)
        if given.enabled:
            found[name] = Settings(given.use or name, given.config, name)
    return found
