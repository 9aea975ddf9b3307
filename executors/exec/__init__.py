"""The exec executor: any program, in any language, that speaks JSON lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar

import msgspec

from tocsin.execution import Capability, Health, Order, Running, Sink

from .config import ExecConfig
from .request import PROTOCOL

if TYPE_CHECKING:
    from tocsin.executors.shell.spawning import Spawner


class Exec:
    """Runs a program that is told by JSON what to do, and tells by JSON lines what it did."""

    name: ClassVar[str] = "exec"
    summary: ClassVar[str] = "any program, told by JSON what to do"
    main_key: ClassVar[str] = "program"
    config: ClassVar[type[msgspec.Struct]] = ExecConfig
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.RUN_AS})

    _spawner: Spawner | None = None

    async def start(self, order: Order, config: ExecConfig, sink: Sink) -> Running:
        """Begin one attempt.

        Raises:
            ExecutorError: the program, the working directory or an output file is out of reach.
        """
        from .program import Program, spawner

        if self._spawner is None:
            self._spawner = spawner()
        return Program(self._spawner, order, config, sink)

    async def health(self) -> AsyncIterator[Health]:
        """It needs nothing but a kernel; what it tells is the version of its protocol."""
        yield Health(available=True, facts={"protocol": PROTOCOL})
