"""The shell executor: a command line or a program, run as a process tree of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar

import msgspec

from tocsin.execution import Capability, Health, Order, Running, Sink

from .config import ShellConfig

if TYPE_CHECKING:
    from .launching import Launcher


class Shell:
    """Runs a command line, or a program with its arguments."""

    name: ClassVar[str] = "shell"
    summary: ClassVar[str] = "a command line or a program"
    main_key: ClassVar[str] = "command"
    config: ClassVar[type[msgspec.Struct]] = ShellConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    _launcher: Launcher | None = None

    async def start(self, order: Order, config: ShellConfig, sink: Sink) -> Running:
        """Begin one attempt.

        Raises:
            ExecutorError: the program, the working directory or an output file is out of reach.
        """
        return await self._launch().start(order, config, sink)

    async def reattach(
        self, order: Order, config: ShellConfig, sink: Sink, handle: bytes
    ) -> Running:
        """Find an attempt again that is a unit of systemd.

        Raises:
            ExecutorError: its unit is gone.
        """
        del sink
        return await self._launch().units.reattach(order, config, handle)

    def foresee(self, order: Order, config: ShellConfig) -> bytes | None:
        """The handle of a run that will be a unit."""
        return self._launch().foresee(order, config)

    async def forget(self, handle: bytes) -> None:
        """Let systemd forget a unit."""
        await self._launch().units.forget(handle)

    async def health(self) -> AsyncIterator[Health]:
        """It works everywhere; what it says is how."""
        from .availability import why_no_units

        why = why_no_units()
        yield Health(available=True, facts={"units": "no: " + why if why else "yes"})

    def _launch(self) -> Launcher:
        if self._launcher is None:
            from .launching import Launcher  # the coordinator imports this module for its schema

            self._launcher = Launcher()
        return self._launcher
