"""From a run, its story or an event to the job and the agent behind it."""

from __future__ import annotations

from typing import Final

from .action import Action, Place, Situation
from .jobs import no_job, none_here

_OWNED: Final = frozenset({Place.OVERVIEW, Place.RUNS, Place.RUN, Place.WHY, Place.EVENTS})


def _agent_there(at: Situation) -> str:
    if at.agent_names:
        return ""
    return "it was given to no agent" if at.runs else none_here(at, "agent")


OWNERS: Final = (
    Action(
        id="its_job",
        key="J",
        name="job",
        help="open the job of the run or event",
        places=_OWNED,
        blocked=no_job,
        command="tocsin job show JOB",
    ),
    Action(
        id="its_agent",
        key="A",
        name="agent",
        help="go to the agent of the run or event",
        places=_OWNED | {Place.JOB},
        blocked=_agent_there,
        command="tocsin agent show AGENT",
    ),
)
