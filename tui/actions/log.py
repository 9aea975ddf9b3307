"""What can be done with the log of a run."""

from __future__ import annotations

from typing import Final

from .action import Action, Flag, Place, Situation

_RUN: Final = frozenset({Place.RUN})


def _searching(at: Situation) -> bool:
    return Flag.SEARCHING in at.flags


LOG: Final = (
    Action(
        id="follow",
        key="f",
        name="follow",
        help="stay at the end of the log; moving up lets go",
        places=_RUN,
        command="tocsin run logs -f RUN",
    ),
    Action(
        id="search",
        key="slash",
        name="find",
        help="find text in the log; capitals make case count",
        places=_RUN,
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
)
