"""The job editor, driven with keys."""

from __future__ import annotations

from textual.pilot import Pilot

from .driving import expect, lines, screen
from .fleet import JOBS

_FIELDS_MAX = 80
_NAMES = {
    " ": "space", "*": "asterisk", "/": "slash", "-": "minus", "@": "at", "_": "underscore",
    ",": "comma", ":": "colon", "=": "equals_sign", ".": "full_stop",
}  # fmt: skip


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Type."""
    await pilot.press(*(_NAMES.get(char, char) for char in text))


async def edit(pilot: Pilot[None], name: str = "billing-sync") -> None:
    """Open the editor on a job, from the list."""
    await expect(pilot, *(row.job.name for row in JOBS[:5]))
    number = [row.job.name for row in JOBS].index(name)
    await pilot.press("g", *["down"] * number, "e")
    await expect(pilot, f"{name} v1", "F2 save", "Schedule")


async def to(pilot: Pilot[None], label: str) -> None:
    """Put the focus on a field, with keys."""
    for _ in range(_FIELDS_MAX):
        if any(line.startswith(f">{label}") for line in lines(pilot)):
            return
        await pilot.press("tab")
    raise AssertionError(screen(pilot))
