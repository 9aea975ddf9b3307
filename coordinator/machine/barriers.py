"""What lets a due time pass before any policy of its job is asked: pauses."""

from __future__ import annotations

from tocsin.model import JobRow

from . import pauses
from .fires import Barred, Barrier
from .state import State


def barrier(state: State, row: JobRow) -> Barrier | None:
    """What bars due times of a job; None when nothing does, as is usual."""
    if not row.paused and not state.pauses:
        return None
    held = pauses.of_job(state, row)
    if not held:
        return None

    def barred(due_us: int) -> Barred | None:
        for pause in held:
            if pause.since_us <= due_us and (pause.until_us is None or due_us < pause.until_us):
                return pauses.barred_by(pause)
        return None

    return barred
