"""Whom a job ran as, and within which limits, put into the keys that say so here."""

from __future__ import annotations

import re
from typing import Any, Final

from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.units import parse_size

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?", re.ASCII)
_MEMORY_LEAST: Final = 1 << 20
_DONE: Final = "enforced where systemd runs the job; elsewhere its record says that it was not"


def add_user(block: dict[str, Any], user: str, doubts: Doubts, *, group: str = "") -> bool:
    """Let a job run as somebody, with one doubt for each; whether the name can be one."""
    named = [name for name in (user, group) if name]
    if not user or not all(map(_NAME.fullmatch, named)):
        return False
    run_as = ":".join(named)
    block["run_as"] = run_as
    doubts.once(
        Weight.CHECK,
        f"user {run_as}",
        f"these jobs run as {run_as} (run_as), in that user's home",
        "that the agents which get them are root; any other can run them only as itself",
    )
    return True


def add_memory_limit(
    block: dict[str, Any], about: str, text: str, place: Place, doubts: Doubts
) -> None:
    """Bound the memory of a job by a size; `about` is how the input has it."""
    try:
        size = parse_size(text.strip())
    except ValueError:
        size = 0
    if size < _MEMORY_LEAST:
        doubts.lost(place, about, "left out: this is no size that limits.memory takes")
        return
    block.setdefault("limits", {})["memory"] = size
    doubts.check(place, about, f"limits.memory: {_DONE}")
