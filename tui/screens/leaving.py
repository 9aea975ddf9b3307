"""How the program is left from a screen."""

from __future__ import annotations

import msgspec

from tocsin.tui.actions.action import Situation
from tocsin.tui.stage import Stage
from tocsin.tui.state import count

from .confirm import ConfirmScreen


def leave_or_ask(stage: Stage, at: Situation) -> None:
    """Leave; where runs under way would end with the program, ask first."""
    running, action = count(stage.scene().view).running, stage.actions.by_id("quit")
    if not (stage.ends_all and running and action is not None):
        stage.leave()
        return
    runs = f"{running} run{'s' * (running != 1)} under way"
    text = f"Quit, and end coordinator, agent and {runs}?\n\nctrl+c does not ask."
    stage.push_screen(
        ConfirmScreen(msgspec.structs.replace(action, question=lambda _: text), at),
        lambda sure: stage.leave() if sure else None,
    )
