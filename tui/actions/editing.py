"""Making and changing jobs."""

from __future__ import annotations

from typing import Final

from tocsin.model import Role

from .action import Action, Noun, Place
from .jobs import needs_job

_ON_JOB: Final = frozenset({Place.OVERVIEW, Place.JOBS, Place.JOB, Place.SCHEDULE})
_EDITOR: Final = frozenset({Place.EDITOR})

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
    Action(
        id="edit_text",
        key="E",
        name="edit as text",
        help="change the job as YAML, in your own editor ($VISUAL, $EDITOR)",
        places=_ON_JOB | {Place.RUN, Place.RUNS},
        takes=Noun.JOB,
        needs=Role.AUTHOR,
        blocked=needs_job,
    ),
    Action(
        id="field_help",
        key="f1",
        name="help",
        help="tell more of the field, and list the keys",
        places=_EDITOR,
    ),
    Action(
        id="save",
        key="f2",
        name="save",
        help="show what changes and what follows, ask, and save",
        places=_EDITOR,
        needs=Role.AUTHOR,
        command="tocsin apply FILE",
    ),
    Action(
        id="whole",
        key="f3",
        name="YAML",
        help="show the whole job as a job file has it, and the form again",
        places=_EDITOR,
    ),
    Action(
        id="own_editor",
        key="f4",
        name="$EDITOR",
        help="go on in your own editor, with the whole job as YAML",
        places=_EDITOR,
    ),
    Action(
        id="effect",
        key="f5",
        name="fires",
        help="show next fires, the week and all changes, and the form again",
        places=_EDITOR,
    ),
    Action(
        id="all_fields",
        key="f6",
        name="all fields",
        help="show all fields, or those alone that are used often or say something",
        places=_EDITOR,
    ),
)
