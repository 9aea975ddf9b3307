"""What can be done with time: the timeline of the overview, and the week's map of hours."""

from __future__ import annotations

from typing import Final

from tocsin.instants import to_datetime
from tocsin.messages.client_link import Ask, PutJobs
from tocsin.model import Role
from tocsin.tui.words import listed, took

from .action import Action, Noun, Place, Situation

_OVERVIEW: Final = frozenset({Place.OVERVIEW})
_SCHEDULE: Final = frozenset({Place.SCHEDULE})
_SHOWN_MAX: Final = 6


def _no_spread(at: Situation) -> str:
    if at.offline:
        return at.offline
    return "" if at.spread is not None else "few runs of this hour begin in the same second"


def _put_spread(at: Situation) -> Ask:
    assert at.spread is not None, "looked at before"
    return PutJobs(at.spread.changed(), {row.job.name: row.version for row in at.spread.jobs})


def _put_back(at: Situation) -> Ask | None:
    if at.spread is None:
        return None
    return PutJobs([row.job for row in at.spread.jobs])


def _spread_question(at: Situation) -> str:
    spread = at.spread
    if spread is None:
        return ""
    names = [row.job.name for row in spread.jobs]
    jitter = took(spread.jitter_s)
    lines = [
        f"Give {listed('job', names)} a jitter of {jitter}?",
        "",
        f"All are due at {to_datetime(spread.at_us):%H:%M:%S} UTC, and stay so. Each begins up to",
        f"{jitter} later, always by as much, which is made from its name:",
        *(f"  {name}  +{took(later_s)}" for name, later_s in spread.delays()[:_SHOWN_MAX]),
        *([f"  and {len(names) - _SHOWN_MAX} more"] if len(names) > _SHOWN_MAX else []),
        "",
        f"Most runs that begin in one second: {spread.begins_before} → {spread.begins_after}",
        f"Most slots taken in this hour:      {spread.slots_before} → {spread.slots_after}",
        f"In their files: jitter: {jitter}",
    ]
    return "\n".join(lines)


OVERVIEW: Final = (
    Action(
        id="show",
        key="enter",
        name="open",
        help="open the run that is under way, else the job, or the agent",
        places=_OVERVIEW,
        blocked=lambda at: "" if at.jobs or at.runs or at.agents else "there is nothing here",
    ),
    Action(
        id="zoom_out",
        key="minus",
        name="wider",
        help="let the timeline reach further",
        places=_OVERVIEW,
    ),
    Action(
        id="zoom_in",
        key="plus",
        name="closer",
        help="let the timeline show more of less",
        places=_OVERVIEW,
    ),
    Action(
        id="earlier",
        key="left",
        name="earlier",
        help="move the timeline into the past",
        places=_OVERVIEW,
    ),
    Action(
        id="later",
        key="right",
        name="later",
        help="move the timeline into the future",
        places=_OVERVIEW,
    ),
    Action(
        id="now",
        key="0",
        name="now",
        help="go back to now",
        places=_OVERVIEW | _SCHEDULE,
    ),
)
MAP: Final = (
    Action(
        id="spread",
        key="J",
        name="spread",
        help="take apart what begins in the same second; shows what that changes and asks first",
        places=_SCHEDULE,
        needs=Role.AUTHOR,
        shown=lambda at: at.spread is not None,
        blocked=_no_spread,
        ask=_put_spread,
        undo=_put_back,
        question=_spread_question,
        command="tocsin apply FILE",
    ),
    Action(
        id="list",
        key="enter",
        name="its jobs",
        help="go to the jobs that start in the hour",
        places=_SCHEDULE,
        shown=lambda at: not at.jobs,
    ),
    Action(
        id="metric",
        key="m",
        name="metric",
        help="show fires, minutes that jobs run, or the share of slots",
        places=_SCHEDULE,
    ),
    Action(
        id="week_before",
        key="left_square_bracket",
        name="week before",
        help="show the seven days before",
        places=_SCHEDULE,
    ),
    Action(
        id="week_after",
        key="right_square_bracket",
        name="week after",
        help="show the next seven days",
        places=_SCHEDULE,
    ),
    Action(
        id="export",
        key="S",
        name="CSV",
        help="save the week as CSV in this directory, or in the file that is named",
        places=_SCHEDULE,
        takes=Noun.TEXT,
    ),
)
