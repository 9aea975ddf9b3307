"""Actions in words: the footer, the help, the matching command line, and what was done."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from tocsin.messages.enrolment import fingerprint
from tocsin.tui.plain import fit, wrap
from tocsin.tui.words import listed, run_tail

from .action import Action, Place, Situation
from .going import TABS
from .table import Table

_KEY_CAPS: Final = {
    "slash": "/",
    "question_mark": "?",
    "escape": "esc",
    "asterisk": "*",
    "colon": ":",
    "ampersand": "&",
    "apostrophe": "'",
    "exclamation_mark": "!",
    "minus": "-",
    "plus": "+",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
}
_KEY_CELLS: Final = 8
_NAME_CELLS: Final = 13
_TEXT_LEAST: Final = 20
_NOT_IN_FOOTER: Final = {
    *(name for name, *_ in TABS),
    "copy_command", "mouse", "redraw", "refetch", "reverse", "mark_all", "zone", "palette",
    "edit_text", "suspend", "export",
}  # fmt: skip
"""The tabs are in sight, the rest is in the help."""
_LESSER: Final = {"edit": {Place.RUN, Place.RUNS}}
"""Where these are not in the footer either: what is there for runs has its room."""


def key_cap(key: str) -> str:
    """A key as it is printed."""
    return _KEY_CAPS.get(key, key)


def footer(table: Table, at: Situation, width: int) -> str:
    """The keys valid now, as many as fit; what is blocked stands in brackets."""
    texts, blocked = [], []
    for action in sorted(table.offered(at), key=lambda action: not action.first(at)):
        if not action.key or action.id in _NOT_IN_FOOTER:
            continue
        if at.place in _LESSER.get(action.id, ()):
            continue
        text = f"{key_cap(action.key)} {action.name}"
        if action.blocked(at):
            blocked.append(f"({text})")
        else:
            texts.append(text)
    texts[-2:-2] = blocked
    last_two = "  ".join(texts[-2:])
    line = ""
    for text in texts[:-2]:
        if len(f" {line}{text}  {last_two}") > width:
            break
        line += f"{text}  "
    return fit(f" {line}{last_two}", width)


def first_command(table: Table, at: Situation) -> tuple[str, str]:
    """The first key that does something here, and the command that does the same; or nothing."""
    for action in table.offered(at):
        command = command_line(action, at)
        if command and action.key and not action.blocked(at):
            return key_cap(action.key), command
    return "", ""


def command_line(action: Action, at: Situation) -> str:
    """The command that does the same here; empty where there is none."""
    names = {
        "JOB": at.job_names,
        "RUN": [run.id for run in at.runs],
        "AGENT": at.agent_names,
        "FINGERPRINT": [fingerprint(agent.key) for agent in at.agents],
    }
    words = []
    for word in action.command.split():
        if word in names:
            if not names[word]:
                return ""
            words += [shlex.quote(name) for name in names[word]]
        elif word == "FILE":
            return ""
        else:
            words.append(word)
    options = action.options(at) if words else ""
    return " ".join([*words, options] if options else words)


def subject(action: Action, at: Situation) -> str:
    """What an action is done to, in words."""
    if "RUN" in action.command and at.runs:
        return listed("run", [run_tail(run.id) for run in at.runs])
    if "AGENT" in action.command or "FINGERPRINT" in action.command:
        return listed("agent", [agent.name for agent in at.agents])
    return listed("job", at.job_names)


def result_line(action: Action, at: Situation, names: Sequence[str]) -> str:
    """What an action did; `names` are the jobs, runs or agents that it was done to."""
    known = {*at.job_names, *(run.id for run in at.runs), *(agent.name for agent in at.agents)}
    made = [run_tail(name) for name in names if name not in known]
    became = f": {listed('run', made)}" if made else ""
    return f"✓ {action.name} {subject(action, at)}{became}"


def help_lines(table: Table, place: Place, width: int) -> list[str]:
    """The table for people: key, name, what it does, and the command that does the same."""
    lines = []
    for action in table.actions:
        if place not in action.places or not action.key:
            continue
        head = f" {key_cap(action.key):<{_KEY_CELLS}}{action.name:<{_NAME_CELLS}} "
        told = wrap(action.help, max(width - len(head), _TEXT_LEAST))
        if action.command:
            told.append(f"same as: {action.command}")
        heads = [head, *[" " * len(head)] * (len(told) - 1)]
        lines += [fit(f"{begin}{text}", width) for begin, text in zip(heads, told, strict=True)]
    return lines
