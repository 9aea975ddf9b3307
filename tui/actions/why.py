"""Going through the stories of a job, from due time to due time."""

from __future__ import annotations

from typing import Final

from tocsin.instants import to_rfc3339
from tocsin.messages.client_link import Explain

from .action import Action, Flag, Noun, Place, Situation

_WHY: Final = frozenset({Place.WHY})


def question(at: Situation) -> Explain:
    """What is asked about a situation: its run, else the due time there, else the last one."""
    on_run = at.place in {Place.RUNS, Place.RUN} or Flag.CHOSEN in at.flags
    if on_run and at.run is not None:
        return Explain(at.run.job, None, at.run.id)
    return Explain(at.job_names[0], at.at_us)


def why_options(at: Situation) -> str:
    """The same question on the command line, behind the name of the job."""
    asked = question(at) if at.job_names else None
    if asked is not None and asked.run:
        return f"--run {asked.run}"
    if asked is None or asked.at_us is None:
        return ""
    return f"--at {to_rfc3339(asked.at_us).replace('.000000Z', 'Z')}"


WHY: Final = (
    Action(
        id="due_before",
        key="left_square_bracket",
        name="earlier",
        help="go to the due time before this one (left as well)",
        places=_WHY,
    ),
    Action(
        id="due_after",
        key="right_square_bracket",
        name="later",
        help="go to the due time after this one (right as well)",
        places=_WHY,
    ),
    Action(
        id="why_at",
        key="a",
        name="at",
        help="ask for a time: 02:30, yesterday 02:30, 2026-11-01 02:30, RFC 3339",
        places=_WHY,
        takes=Noun.TEXT,
        prompt="when, on the clock of the job:",
        command="tocsin why JOB",
        options=why_options,
    ),
)
