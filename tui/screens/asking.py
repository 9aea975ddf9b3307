"""An action's question to the coordinator, from a screen, and what the user is told of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from tocsin.errors import LinkError, RequestError
from tocsin.messages.client_answers import Done
from tocsin.messages.client_link import (
    AcceptAgent,
    Ask,
    CordonAgents,
    DrainAgents,
    RemoveJobs,
    RevokeAgents,
    UncordonAgents,
    UndrainAgents,
)
from tocsin.tui.actions.action import Action, Situation
from tocsin.tui.actions.telling import command_line, result_line, subject
from tocsin.tui.messages import Said
from tocsin.tui.stage import Stage
from tocsin.tui.undo import newest

Tell = Callable[[Said], object]
_CHANGES_AGENTS: Final = (
    AcceptAgent, CordonAgents, DrainAgents, RevokeAgents, UncordonAgents, UndrainAgents,
)  # fmt: skip


async def ask(stage: Stage, tell: Tell, action: Action, at: Situation) -> None:
    """Ask; keep how it is taken back."""
    assert action.ask is not None, "looked at before"
    undo = action.undo(at)
    asked = action.ask(at)
    try:
        answer = await stage.session.ask(asked)
    except (LinkError, RequestError) as error:
        tell(Said(f"✗ {action.name}: {_in_words(error)}", failed=True))
        return
    if undo is not None:
        stage.remember(f"{action.name} {subject(action, at)}", undo)
    names = answer.names if isinstance(answer, Done) else []
    told = result_line(action, at, names) + ("  U undoes it" if undo is not None else "")
    tell(Said(told, command=command_line(action, at)))
    await _look_again(stage, asked)


async def take_back(
    stage: Stage, do: Callable[[Action, Situation], None], tell: Tell, at: Situation
) -> None:
    """Ask for the last thing that can be taken back to be taken back.

    What makes a job vanish is done as its removal is, with `do`: that asks, and can be taken back.
    """
    undo = newest(stage.undos, stage.scene().now_us)
    if undo is None:
        text = "undo: nothing that can be taken back was done in the last ten minutes"
        tell(Said(text, failed=True))
        return
    remove = stage.actions.by_id("remove")
    if isinstance(undo.ask, RemoveJobs) and remove is not None:
        jobs = stage.scene().view.jobs
        rows = tuple(jobs[name] for name in undo.ask.names if name in jobs)
        do(remove, msgspec.structs.replace(at, jobs=rows, runs=(), agents=()))
        return
    try:
        await stage.session.ask(undo.ask)
    except (LinkError, RequestError) as error:
        tell(Said(f"✗ undo {undo.what}: {_in_words(error)}", failed=True))
        return
    stage.undos = tuple(other for other in stage.undos if other is not undo)
    tell(Said(f"✓ undone: {undo.what}"))
    await _look_again(stage, undo.ask)


async def _look_again(stage: Stage, asked: Ask) -> None:
    """See at once what became of agents: updates tell it only when the agents answer."""
    if isinstance(asked, _CHANGES_AGENTS):
        with suppress(LinkError, RequestError):  # the list asks again by itself
            await stage.session.load_agents()


def _in_words(error: LinkError | RequestError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
