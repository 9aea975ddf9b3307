"""What the palette finds, and that each of it is a line that the command line takes."""

from __future__ import annotations

import msgspec

from tests.tui.fleet import JOBS, RUNNING
from tests.tui.hosts import HOSTS
from tocsin.model import Role
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.actions.commands import Names, read
from tocsin.tui.actions.table import Table
from tocsin.tui.finding import finding_cells, findings
from tocsin.tui.state import Rows, View, agent_key

TABLE = Table()
VIEW = View(
    Rows(
        {row.job.name: row for row in JOBS},
        {RUNNING.id: RUNNING},
        {agent_key(agent): agent for agent in HOSTS},
    ),
    whole=True,
)
NAMES = Names(contexts=["prod", "test"], themes=["dark"])
ON_JOB = Situation(place=Place.JOBS, jobs=(JOBS[4],), runs=(RUNNING,), role=Role.ADMIN)


def test_each_finding_is_a_command() -> None:
    """Chosen, it does what its line would do behind the colon, to what has its name."""
    for finding in findings(TABLE, VIEW, ON_JOB, NAMES):
        call = read(finding.line, TABLE, VIEW, ON_JOB)
        assert call.action.id == finding.line.split()[0]
        match finding.kind:
            case "job":
                assert call.at.job_names == [finding.name]
            case "agent":
                assert [agent.name for agent in call.at.agents] == [finding.name]
            case "context" | "theme":
                assert call.at.text == finding.name
            case _:
                assert call.at == ON_JOB


def test_all_nouns_are_found() -> None:
    """Jobs, agents, contexts and themes by their names, actions by theirs."""
    kinds = [finding.kind for finding in findings(TABLE, VIEW, ON_JOB, NAMES)]
    assert {kind: kinds.count(kind) for kind in kinds if kind != "action"} == {
        "job": len(JOBS), "agent": len(HOSTS), "context": 2, "theme": 1,
    }  # fmt: skip


def test_what_cannot_be_done_is_not_found() -> None:
    """Neither what the role forbids, nor what is blocked now, nor the palette itself."""

    def actions(at: Situation) -> set[str]:
        return {it.line for it in findings(TABLE, VIEW, at, NAMES) if it.kind == "action"}

    assert {"pause", "filter", "quit"} <= actions(ON_JOB)
    assert "palette" not in actions(ON_JOB)
    assert "pause" not in actions(msgspec.structs.replace(ON_JOB, role=Role.VIEWER))
    assert "pause" not in actions(msgspec.structs.replace(ON_JOB, offline="offline"))
    assert "pause" not in actions(msgspec.structs.replace(ON_JOB, read_only=True))


def test_cells_fit_the_columns() -> None:
    """Kind, name with its glyph, key, and what it is."""
    found = {finding.line: finding for finding in findings(TABLE, VIEW, ON_JOB, NAMES)}
    assert [cell.text for cell in finding_cells(found["pause"])][:3] == ["action", "pause", "p"]
    assert [cell.text for cell in finding_cells(found["agent web-017"])] == [
        "agent", "✗ web-017", "", "DOWN",
    ]  # fmt: skip
