"""What lets a due time pass before any policy of its job is asked.

A restored backup does, then pauses do, then blackouts.
"""

from __future__ import annotations

from tocsin.model import JobRow, Pause

from . import blackouts, pauses, restored
from .fires import Barred, Barrier
from .state import State


def barrier(state: State, row: JobRow) -> Barrier | None:
    """What bars due times of a job, asked in their order; None when nothing does, as is usual."""
    unknown = restored.barred(state, row)
    if unknown is None and not row.paused and not state.pauses and not row.job.blackout:
        return None
    barriers: list[Barrier] = [] if unknown is None else [_of_restore(*unknown)]
    barriers += [_of_pause(pause) for pause in pauses.of_job(state, row)]
    if row.job.blackout:
        barriers += blackouts.barriers(state, row.job)
    if not barriers:
        return None

    def barred(due_us: int) -> Barred | None:
        for ask in barriers:
            if (said := ask(due_us)) is not None:
                return said
        return None

    return barred


def _of_restore(until_us: int, said: Barred) -> Barrier:
    return lambda due_us: said if due_us <= until_us else None


def _of_pause(pause: Pause) -> Barrier:
    said = pauses.barred_by(pause)
    since_us, until_us = pause.since_us, pause.until_us

    def barred(due_us: int) -> Barred | None:
        inside = since_us <= due_us and (until_us is None or due_us < until_us)
        return said if inside else None

    return barred
