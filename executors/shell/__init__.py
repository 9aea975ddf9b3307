"""The shell executor: a command line or a program, run as a process tree of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from tocsin.execution import Capability, Order, Running, Sink

from .config import ShellConfig

if TYPE_CHECKING:
    from .spawning import Spawner


class Shell:
    """Runs a command line, or a program with its arguments."""

    name: ClassVar[str] = "shell"
    summary: ClassVar[str] = "a command line or a program"
    main_key: ClassVar[str] = "command"
    config: ClassVar[type[msgspec.Struct]] = ShellConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.LIMITS, Capability.RUN_AS}
    )

    _spawner: Spawner | None = None

    async def start(self, order: Order, config: ShellConfig, sink: Sink) -> Running:
        """Begin one attempt.

        Raises:
            ExecutorError: the program, the working directory or an output file is out of reach.
        """
        spawner = self._spawner
        if spawner is None:
            from .spawning import Spawner  # the coordinator imports this module for its schema

            spawner = self._spawner = Spawner()
        return spawner.spawn(order, config, sink)
