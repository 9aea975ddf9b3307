"""Long reckonings on the loop, in slices so thin that no key has to wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from tocsin import clock

SLICE_S: Final = 0.003
"""A key goes through several turns of the loop until what it did is drawn."""


async def walk(steps: Iterator[None]) -> None:
    """Walk through all steps, and let the loop turn between slices of them."""
    until_s = clock.monotonic_s() + SLICE_S
    for _ in steps:
        if clock.monotonic_s() >= until_s:
            await asyncio.sleep(0)
            until_s = clock.monotonic_s() + SLICE_S
