"""Chooses for each run: a unit of systemd, or a process of the host's own."""

from __future__ import annotations

from typing import Final

from tocsin.execution import Order, Running, Sink
from tocsin.executors.process_tree import ProcessScans
from tocsin.executors.refusal import CannotStart

from .availability import why_no_units
from .config import ShellConfig
from .exit_watch import ExitWatch
from .spawning import Spawner
from .units.properties import unit_name
from .units.run import Watch
from .units.starting import UnitStarter, handle_of
from .units.systemd import Systemd


class Launcher:
    """Both ways to start a run. Make it in the host's directory, and in its loop."""

    def __init__(self) -> None:
        exits, scans = ExitWatch(), ProcessScans()
        self.units: Final = UnitStarter(Watch(Systemd(), exits, scans))
        self._spawner = Spawner(exits, scans)
        self._why_no_units = why_no_units()

    def foresee(self, order: Order, config: ShellConfig) -> bytes | None:
        """The handle that a run will have; None where it is no unit."""
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
