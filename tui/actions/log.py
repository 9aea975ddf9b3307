"""What can be done with the log of a run."""

from __future__ import annotations

from typing import Final

from .action import Action, Flag, Noun, Place, Situation

_RUN: Final = frozenset({Place.RUN})


def _searching(at: Situation) -> bool:
    return Flag.SEARCHING in at.flags


def _following(at: Situation) -> bool:
    return Flag.FOLLOWING in at.flags


FOLLOWING: Final = (
    Action(
        id="follow",
        key="f",
        name="follow",
        help="go to the end of the log and stay there; moving up lets go",
        places=_RUN,
        shown=lambda at: not _following(at),
        command="tocsin run logs -f RUN",
    ),
    Action(
        id="hold",
        key="f",
        name="hold",
        help="let the log stand still, whatever arrives",
        places=_RUN,
        shown=_following,
    ),
    Action(
        id="search",
        key="slash",
        name="find",
        help="find a text or a /regex/, wherever it is; capitals make case count",
        places=_RUN,
        takes=Noun.TEXT,
    ),
    Action(
        id="next_match",
        key="n",
        name="next",
        help="go to the next line that matches",
        places=_RUN,
        shown=_searching,
    ),
    Action(
        id="previous_match",
        key="N",
        name="previous",
        help="go to the previous line that matches",
        places=_RUN,
        shown=_searching,
    ),
    Action(
        id="wrap",
        key="W",
        name="wrap",
        help="let long lines go on in the next row, or out of sight",
        places=_RUN,
    ),
)
"""What goes about in the log."""

LOG: Final = (
    Action(
        id="only",
        key="ampersand",
        name="only",
        help="show only lines with a text or a /regex/; !text: only those without",
        places=_RUN,
        takes=Noun.TEXT,
    ),
    Action(
        id="streams",
        key="s",
        name="streams",
        help="show stdout and stderr, or one of them",
        places=_RUN,
    ),
    Action(
        id="times",
        key="T",
        name="times",
        help="begin lines with the time of day, the time since the start, or none",
        places=_RUN,
    ),
    Action(
        id="bookmark",
        key="m",
        name="bookmark",
        help="mark the line to come back to it, or not any more",
        places=_RUN,
    ),
    Action(
        id="next_bookmark",
        key="apostrophe",
        name="to bookmark",
        help="go to the next line that is marked",
        places=_RUN,
        shown=lambda at: Flag.MARKED in at.flags,
    ),
    Action(
        id="pager",
        key="o",
        name="pager",
        help="read the whole log in $PAGER",
        places=_RUN,
        blocked=lambda at: at.offline,
        command="tocsin run logs RUN",
    ),
    Action(
        id="save_log",
        key="S",
        name="save",
        help="save the whole log to a file in this directory, or in the one that is named",
        places=_RUN,
        takes=Noun.TEXT,
        blocked=lambda at: at.offline,
        command="tocsin run logs RUN",
    ),
)
"""What else can be done with it."""
