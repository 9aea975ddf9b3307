"""How panes that stand above one another share a height."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LEAST: Final = 5
"""A title and four lines; a pane that wants fewer gets what it wants."""


def heights(wants: Sequence[int], room: int, keep: int) -> list[int]:
    """The lines of each pane, 0 where it is left out.

    Where not all have room, those farthest from pane `keep` go first. What is over goes to those
    that want more, the modest ones first, and in the end to the last.
    """
    kept = set(range(len(wants)))
    while len(kept) > 1 and sum(min(wants[i], LEAST) for i in kept) > room:
        kept.discard(max(kept, key=lambda i: (abs(i - keep), i)))
    found = [min(want, LEAST) if i in kept else 0 for i, want in enumerate(wants)]
    spare = room - sum(found)
    for i in sorted(kept, key=lambda i: wants[i]):
        more = max(min(wants[i] - found[i], spare), 0)
        found[i] += more
        spare -= more
    found[max(kept)] += spare
    return [max(height, 0) for height in found]
