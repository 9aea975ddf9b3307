"""Somebody who follows what the newest runs print, and does not mind whether answers come."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, Protocol

from tocsin.messages.client_link import Ask, ReadOutput

from .oracle import SECOND_US

NUMBER: Final = -2
"""Of all its requests: nobody waits for the answers."""
READ_US: Final = SECOND_US // 2
FOLLOWED: Final = 3
HELD_S: Final = 3.0


class Port(Protocol):
    """The world around the reader."""

    now_us: int
    is_healed: bool

    def at(self, when_us: int, label: str, action: Callable[[], None]) -> None:
        """Do something at a true instant."""
        ...

    def asked(self, number: int, ask: Ask) -> None:
        """A request arrives at the coordinator, if that is up."""
        ...


def read_on(port: Port, runs: Collection[str]) -> None:
    """Follow the newest of these runs, which come and go, for as long as there is trouble."""
    if port.is_healed:
        return
    for run_id in list(runs)[-FOLLOWED:]:
        port.asked(NUMBER, ReadOutput(run_id, 0, 0, HELD_S))
    port.at(port.now_us + READ_US, "reader", lambda: read_on(port, runs))
