"""Actions by their names: what is typed behind `:`, how it is completed, what it is done to.

A name may be cut short as long as it stays the only one, so `:q` quits. The words of the matching
command do as well: `:job rm NAME`, `:rm NAME`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from tocsin.errors import RequestError
from tocsin.model import AgentState
from tocsin.nearest import did_you_mean
from tocsin.tui.dependence import weight
from tocsin.tui.state import View, latest_by_job, newest_first
from tocsin.tui.words import run_tail

from .action import Action, Noun, Place, Situation, allowed
from .table import Table

COMPLETIONS_MAX: Final = 200
_PROGRAM: Final = "tocsin"


class Names(msgspec.Struct, frozen=True):
    """What completions are looked up in, beside the view."""

    contexts: Sequence[str] = ()
    themes: Sequence[str] = ()


class Call(msgspec.Struct, frozen=True):
    """An action, and what it is to be done to."""

    action: Action
    at: Situation


def read(text: str, table: Table, view: View, at: Situation) -> Call:
    """What a line behind `:` asks for; without an argument it is about what the cursor is on.

    Raises:
        RequestError: there is no such action, or nothing of that name to do it to.
    """
    word, argument = _parted(text.strip(), table)
    action = _action(word, table, at)
    found = _pointed(action, argument.strip(), view, at)
    return Call(action, found)


def complete(text: str, table: Table, view: View, at: Situation, names: Names) -> list[str]:
    """The lines that a line may become, best first."""
    word, space, argument = text.lstrip().partition(" ")
    if not space:
        known = dict.fromkeys(action.id for action in table.actions if allowed(action, at))
        return _matching(word, known)
    try:
        action = _action(word, table, at)
    except RequestError:
        return []
    return [f"{action.id} {name}" for name in _matching(argument, _named(action, view, names))]


def _parted(text: str, table: Table) -> tuple[str, str]:
    """The name of the action and what follows; the commands that the screen shows are names too."""
    words = text.removeprefix(f"{_PROGRAM} ").split()
    for action in table.actions:
        names = _words(action)
        if len(names) > 1 and words[: len(names)] == names:
            return action.id, " ".join(words[len(names) :])
    word, _, argument = text.partition(" ")
    return word, argument


def _words(action: Action) -> list[str]:
    """The words of the command that does the same, without the program's name and arguments."""
    return [word for word in action.command.split()[1:] if not word.isupper()]


def _action(word: str, table: Table, at: Situation) -> Action:
    known = list(dict.fromkeys(action.id for action in table.actions))
    found = [word] if word in known else [name for name in known if name.startswith(word)]
    found = found or [it.id for it in table.actions if [word] == _words(it)[1:]][:1]
    if not word or not found:
        hint = did_you_mean(word, known) or "tab lists what there is"
        raise RequestError(f":{word}: there is no such action", hint)
    if len(found) > 1:
        raise RequestError(f":{word} may be {', '.join(found)}", "type more of it")
    several = [action for action in table.actions if action.id == found[0]]
    here = [action for action in several if at.place in action.places]
    return (here or several)[0]


def _pointed(action: Action, argument: str, view: View, at: Situation) -> Situation:
    """The situation in which the thing of this name is under the cursor."""
    place = at.place if at.place in action.places else min(action.places, key=_by_name)
    at = msgspec.structs.replace(at, place=place)
    if not argument:
        return at
    match action.takes:
        case None:
            raise RequestError(f":{action.id} takes nothing", f"leave out {argument!r}")
        case Noun.JOB:
            row = view.jobs.get(argument)
            if row is None:
                raise _missing("job", argument, view.jobs)
            latest = latest_by_job(view).get(argument)
            runs = () if latest is None else (latest,)
            return msgspec.structs.replace(at, jobs=(row,), runs=runs)
        case Noun.RUN:
            run = next((run for run in view.runs.values() if run.id.endswith(argument)), None)
            if run is None:
                raise _missing("run", argument, ())
            row = view.jobs.get(run.job)
            return msgspec.structs.replace(at, jobs=(row,) if row else (), runs=(run,))
        case Noun.AGENT:
            # One that only asks to be let in may call itself like one that is in.
            by_rank = sorted(
                view.agents.values(), key=lambda it: it.state is not AgentState.PENDING
            )
            named = {agent.name: agent for agent in by_rank}
            if argument not in named:
                raise _missing("agent", argument, named)
            agents = (named[argument],)
            had, alone = weight(view, agents)
            return msgspec.structs.replace(at, jobs=(), runs=had, agents=agents, alone=alone)
        case Noun.CONTEXT | Noun.THEME | Noun.TEXT:
            return msgspec.structs.replace(at, text=argument)


def _missing(noun: str, name: str, known: Iterable[str]) -> RequestError:
    return RequestError(f"there is no {noun} {name!r} here", did_you_mean(name, known))


def _named(action: Action, view: View, names: Names) -> Iterable[str]:
    match action.takes:
        case Noun.JOB:
            return sorted(view.jobs)
        case Noun.RUN:
            return map(run_tail, newest_first(view))
        case Noun.AGENT:
            return sorted(agent.name for agent in view.agents.values())
        case Noun.CONTEXT:
            return names.contexts
        case Noun.THEME:
            return names.themes
        case Noun.TEXT | None:
            return ()


def _matching(text: str, known: Iterable[str]) -> list[str]:
    """Those that begin with `text`, then those that hold it."""
    first, later = [], []
    for name in known:
        if name.startswith(text):
            first.append(name)
        elif text in name:
            later.append(name)
    return (first + later)[:COMPLETIONS_MAX]


def _by_name(place: Place) -> str:
    return place.value
