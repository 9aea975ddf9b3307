"""One event that a coordinator decided, with what came of it."""

from __future__ import annotations

from typing import NamedTuple

from tocsin.coordinator.machine.commands import Command
from tocsin.coordinator.machine.events import Event
from tocsin.instants import Now
from tocsin.model import Agent


class Decision(NamedTuple):
    """What happened, when by the coordinator's clocks and in truth, and what was done."""

    event: Event
    now: Now
    commands: list[Command]
    true_us: int
    reachable: list[Agent]
    """The agents that were connected."""
    heard_us: dict[str, int]
    """When those of them were last heard that are not any more."""
