"""Everything that can be found by its name: actions, jobs, agents, contexts, themes.

What is found is a line as it is typed behind `:`, so that the palette can do nothing that the
command line cannot, and neither can disagree with the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from .actions.action import Noun, Situation, forbidden
from .actions.commands import Names
from .actions.table import Table
from .actions.telling import key_cap
from .agent_rows import look
from .plain import one_line
from .state import View, latest_by_job
from .widgets.columns import Cell, Column
from .words import job_glyph, schedule

FINDING_COLUMNS: Final = (
    Column(title="", width=7),
    Column(title="NAME", width=18, flex=2),
    Column(title="KEY", width=7, rank=1),
    Column(title="", width=20, flex=4, rank=2),
)
_NEEDS_A_NAME: Final = frozenset({Noun.CONTEXT, Noun.THEME})


class Finding(msgspec.Struct, frozen=True):
    """One thing that can be found."""

    line: str
    """What would be typed behind `:` to come to it."""
    kind: str
    name: str
    key: str = ""
    help: str = ""
    glyph: str = ""
    tone: str = ""

    @property
    def text(self) -> str:
        """What is searched: an action by its name and its id, all else by its name."""
        return f"{self.name} ({self.line})" if self.kind == "action" else self.name


def findings(table: Table, view: View, at: Situation, names: Names) -> list[Finding]:
    """All that can be found from here, actions first."""
    return [
        *_actions(table, at),
        *_jobs(view),
        *_agents(view),
        *(Finding(f"context {name}", "context", name, help="watch this coordinator")
          for name in names.contexts),
        *(Finding(f"theme {name}", "theme", name, help="draw in these colours")
          for name in names.themes),
    ]  # fmt: skip


def finding_cells(finding: Finding) -> tuple[Cell, ...]:
    """The cells of `FINDING_COLUMNS`."""
    name = f"{finding.glyph} {finding.name}".strip()
    return (
        Cell(finding.kind, "quiet"),
        Cell(one_line(name), finding.tone),
        Cell(finding.key),
        Cell(one_line(finding.help), "quiet"),
    )


def _actions(table: Table, at: Situation) -> Iterator[Finding]:
    """What could be done now, to what the cursor is on."""
    for action in table.here(at):
        if action.id == "palette" or forbidden(action, at) or action.blocked(at):
            continue
        if action.takes not in _NEEDS_A_NAME:
            key = key_cap(action.key)
            yield Finding(action.id, "action", action.name, key, action.help)


def _jobs(view: View) -> Iterator[Finding]:
    latest = latest_by_job(view)
    for name in sorted(view.jobs):
        row = view.jobs[name]
        glyph, tone = job_glyph(row, latest.get(name))
        yield Finding(f"job {name}", "job", name, glyph=glyph, tone=tone, help=schedule(row))


def _agents(view: View) -> Iterator[Finding]:
    for agent in sorted(view.agents.values(), key=lambda it: it.name):
        glyph, word, tone = look(agent)
        yield Finding(f"agent {agent.name}", "agent", agent.name, glyph=glyph, tone=tone, help=word)
