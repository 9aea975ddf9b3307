"""Chooses for each run: a unit of systemd, or a process of the host's own."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Final

from tocsin.execution import Order, Running, Sink
from tocsin.executors.process_tree import ProcessScans
from tocsin.executors.refusal import CannotStart

from .availability import why_no_units
from .config import ShellConfig
from .exit_watch import ExitWatch
from .spawning import Spawner
from .units.properties import unit_name

if TYPE_CHECKING:
    from .units.starting import UnitStarter

UMASK: Final = 0o022
"""Of runs that say nothing of it: as under cron and systemd, whatever the agent's own is."""


class Launcher:
    """Both ways to start a run. Make it in the host's directory, and in its loop."""

    def __init__(self) -> None:
        os.umask(UMASK)  # all that the host makes itself has a mode of its own
        self._exits = ExitWatch()
        self._scans = ProcessScans()
        self._spawner = Spawner(self._exits, self._scans)
        self._why_no_units = why_no_units()

    @functools.cached_property
    def units(self) -> UnitStarter:
        """Starts units; a host that starts none does without their library."""
        from .units.run import Watch
        from .units.starting import UnitStarter
        from .units.systemd import Systemd

        return UnitStarter(Watch(Systemd(), self._exits, self._scans))

    def foresee(self, order: Order, config: ShellConfig) -> bytes | None:
        """The handle that a run will have; None where it is no unit."""
        from .units.handle import handle_of

        unit = self._unit_for(order, config)
        return None if unit is None else handle_of(unit)

    async def start(self, order: Order, config: ShellConfig, sink: Sink) -> Running:
        """Start one attempt.

        Raises:
            CannotStart: and says why in one line.
        """
        unit = self._unit_for(order, config)
        if unit is not None:
            return await self.units.start(unit, order, config, sink)
        if config.unit:
            why = self._why_no_units or "the name of the run cannot name one"
            raise CannotStart(f"it cannot run as a unit: {why}")
        return self._spawner.spawn(order, config, sink)

    def _unit_for(self, order: Order, config: ShellConfig) -> str | None:
        return None if config.unit is False or self._why_no_units else unit_name(order)
