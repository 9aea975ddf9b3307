"""Going from screen to screen, and what is possible everywhere."""

from __future__ import annotations

from typing import Final

from .action import Action, Flag, Noun, Place, Situation

EVERYWHERE: Final = frozenset(Place) - {Place.EDITOR}
LISTS: Final = frozenset({Place.JOBS, Place.RUNS, Place.AGENTS, Place.EVENTS})
PANED: Final = frozenset({Place.OVERVIEW, Place.JOB, Place.SCHEDULE, Place.JOBS})
BELOW: Final = frozenset({Place.JOB, Place.RUN, Place.WHY, Place.EDITOR})

TABS: Final = (
    ("overview", "1", "Overview", "what runs, what comes, what needs attention"),
    ("jobs", "2", "Jobs", "all jobs"),
    ("runs", "3", "Runs", "all runs, newest first"),
    ("agents", "4", "Agents", "the hosts and how they are"),
    ("schedule", "5", "Schedule", "how full each hour of the week is"),
    ("events", "6", "Events", "who did what, and what befell the fleet"),
)


def _is(flag: Flag, at: Situation) -> bool:
    return flag in at.flags


GOING: Final = (
    *(
        Action(
            id=place,
            key=key,
            name=name,
            help=f"go to: {what}",
            places=EVERYWHERE,
            takes=Noun.TEXT if place in {"jobs", "runs", "agents"} else None,
        )
        for place, key, name, what in TABS
    ),
    Action(
        id="filter",
        key="slash",
        name="filter",
        help="list only what matches: words, state:failed, tag:db, !not",
        places=LISTS,
    ),
    Action(
        id="find_job",
        key="slash",
        name="find jobs",
        help="list the jobs that match: words, state:failed, tag:db, !not",
        places=frozenset({Place.OVERVIEW}),
    ),
    Action(
        id="unfilter",
        key="escape",
        name="all",
        help="list all again: no filter, no marks",
        places=LISTS,
        shown=lambda at: _is(Flag.FILTERED, at) or _is(Flag.MARKED, at) or _is(Flag.NARROWED, at),
    ),
    Action(
        id="sort",
        key="s",
        name="sort",
        help="sort by the next column",
        places=LISTS - {Place.EVENTS},
    ),
    Action(
        id="reverse",
        key="S",
        name="reverse",
        help="sort the other way round",
        places=LISTS - {Place.EVENTS},
    ),
    Action(
        id="mark",
        key="space",
        name="mark",
        help="mark the row; keys then act on all that is marked",
        places=LISTS - {Place.EVENTS},
    ),
    Action(
        id="mark_all",
        key="asterisk",
        name="mark all",
        help="mark all that is listed, or nothing again",
        places=LISTS - {Place.EVENTS},
    ),
    Action(
        id="pane", key="tab", name="next pane", help="go to the next part of the screen",
        places=PANED,
    ),
    Action(
        id="zoom", key="z", name="zoom", help="give this part the whole screen, and back",
        places=frozenset({Place.OVERVIEW, Place.JOB, Place.RUN}),
    ),
    Action(
        id="copy",
        key="y",
        name="copy",
        help="copy the id or name under the cursor",
        places=EVERYWHERE - {Place.SCHEDULE},
    ),
    Action(
        id="copy_command",
        key="Y",
        name="copy command",
        help="copy the command line that the line above the keys shows",
        places=EVERYWHERE,
    ),
    Action(
        id="undo",
        key="U",
        name="undo",
        help="take back the last pause, edit, removal, cordon or drain, for ten minutes",
        places=EVERYWHERE,
    ),
    Action(
        id="zone",
        key="t",
        name="zone",
        help="tell times in this zone, in UTC",
        places=EVERYWHERE,
    ),
    Action(
        id="mouse",
        key="M",
        name="mouse",
        help="give the mouse to Tocsin, or back to the terminal to mark and copy text",
        places=EVERYWHERE,
    ),
    Action(
        id="context",
        key="",
        name="context",
        help="watch another coordinator",
        places=EVERYWHERE,
        takes=Noun.CONTEXT,
    ),
    Action(
        id="theme",
        key="",
        name="theme",
        help="draw in other colours",
        places=EVERYWHERE,
        takes=Noun.THEME,
    ),
    Action(
        id="redraw",
        key="ctrl+l",
        name="redraw",
        help="draw the screen again, if the terminal spoiled it",
        places=frozenset(Place),
    ),
    Action(
        id="refetch",
        key="ctrl+r",
        name="fetch again",
        help="ask the coordinator for everything again",
        places=EVERYWHERE,
    ),
    Action(
        id="back",
        key="escape",
        name="back",
        help="go back",
        places=BELOW,
    ),
    Action(
        id="command",
        key="colon",
        name="command",
        help="type what to do; tab completes",
        places=EVERYWHERE,
    ),
    Action(
        id="palette",
        key="ctrl+p",
        name="palette",
        help="find anything: actions, jobs, agents",
        places=EVERYWHERE,
    ),
    Action(
        id="help",
        key="question_mark",
        name="help",
        help="list the keys of this screen, and the commands that do the same",
        places=EVERYWHERE,
    ),
    Action(
        id="quit",
        key="q",
        name="quit",
        help="leave; jobs and runs go on",
        places=EVERYWHERE,
    ),
)  # fmt: skip
"""The last two are always in the footer."""
