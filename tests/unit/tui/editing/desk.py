"""A desk with a job on it, driven by keys."""

from __future__ import annotations

from tests.tui.fleet import AGENTS, JOBS, NOW_US
from tocsin.model import Agent, JobRow
from tocsin.tui.editing.desk import Desk
from tocsin.tui.editing.draft import Draft, edit_draft, new_draft, text_of

ROWS = {row.job.name: row for row in JOBS}


def desk(name: str = "", *, draft: Draft | None = None) -> Desk:
    """A desk with one of the usual jobs, or with a new one."""
    if draft is None:
        draft = edit_draft(ROWS[name]) if name else new_draft("shell")
    made = Desk(draft)
    judge(made)
    return made


def judge(it: Desk, jobs: dict[str, JobRow] | None = None, agents: list[Agent] = AGENTS) -> None:
    """Look at it again, at the usual instant."""
    it.judge(NOW_US, ROWS if jobs is None else jobs, agents)


def keys(it: Desk, *names: str) -> None:
    """Press keys; one character is typed."""
    for name in names:
        taken = it.press(name, name if len(name) == 1 else None)
        assert taken, name


def type_in(it: Desk, field_id: str, text: str) -> None:
    """Put a text into a field, in place of what stands there."""
    it.go_to(field_id)
    while it_text(it):
        keys(it, "backspace")
    it.paste(text)
    judge(it)


def it_text(it: Desk) -> str:
    """What stands in the field with the focus."""
    return text_of(it.draft, it.field)


def lines(it: Desk, width: int = 60) -> list[str]:
    """The form as text."""
    rows = it.rows(NOW_US, width)
    return ["".join(cell.text for cell in row.cells).rstrip() for row in rows]
