"""Making and changing jobs."""

from __future__ import annotations

from typing import Final

from tocsin.model import Role

from .action import Action, Noun, Place
from .jobs import needs_job

_ON_JOB: Final = frozenset({Place.OVERVIEW, Place.JOBS, Place.JOB, Place.SCHEDULE})

EDITING: Final = (
    Action(
        id="new",
        key="n",
        name="new job",
        help="make a job, in a form that shows when it would fire",
        places=frozenset({Place.OVERVIEW, Place.JOBS, Place.SCHEDULE}),
        needs=Role.AUTHOR,
        command="tocsin apply FILE",
    ),
    Action(
        id="edit",
        key="e",
        name="edit",
        help="change the job, in a form that shows when it would fire",
        places=_ON_JOB | {Place.RUN, Place.RUNS},
        takes=Noun.JOB,
        needs=Role.AUTHOR,
        blocked=needs_job,
        command="tocsin apply FILE",
    ),
    Action(
        id="clone",
        key="c",
        name="clone",
        help="make a job that begins as a copy of this one",
        places=frozenset({Place.JOBS, Place.JOB}),
        takes=Noun.JOB,
        needs=Role.AUTHOR,
        blocked=needs_job,
    ),
)
