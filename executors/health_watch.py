"""Follows what an executor says of its health, for as long as its host lives."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

import msgspec

from tocsin.execution import Executor, Health

from .sound_outcome import one_line


class HealthWatch:
    """The health of an executor that says how it is; of any other there is none.

    Make it inside the loop. `changed` is called with each health that differs from the last.
    """

    def __init__(self, executor: Executor, changed: Callable[[Health], None]) -> None:
        self.latest: Health | None = None
        self._changed = changed
        stream = getattr(executor, "health", None)
        self._task = None if stream is None else asyncio.create_task(self._follow(stream))

    async def _follow(self, stream: Callable[[], Any]) -> None:
        try:
            async for said in stream():
                health = msgspec.convert(said, Health, from_attributes=True)
                health = Health(health.available, one_line(health.message), health.facts)
                if health != self.latest:
                    self.latest = health
                    self._changed(health)
        except Exception:  # noqa: BLE001 - its fault is one line in the host's log, and no run's
            traceback.print_exc()

    def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
