"""Events: the audit and what was seen, in one order; what is known of the audit has no gap."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fleet import BERLIN, NOW_US, RUNNING, at
from tests.tui.hosts import DOWN, ETL, HOSTS
from tocsin.messages.client_answers import Status
from tocsin.model import AgentState, AuditEntry, Incident, IncidentKind, Pause, Role, Scope
from tocsin.tui.audit_pages import Pages, add_newest, add_older, joins
from tocsin.tui.events import (
    Event,
    detail_words,
    event_cells,
    event_lines,
    merged,
    of_entry,
    of_event,
)
from tocsin.tui.filtering import holds, read
from tocsin.tui.sightings import Sighting, keep, notice, notice_status
from tocsin.tui.state import Rows, View, agent_key


def entry(number: int, act: str = "pause job", subject: str = "etl", **more: Any) -> AuditEntry:
    """An entry of the audit, the higher the later."""
    return AuditEntry(
        number=number,
        at_us=more.pop("at_us", at(number - 1000)),
        by=more.pop("by", "ana"),
        act=act,
        subject=subject,
        detail=more,
    )


def _view(*changed: Any, whole: bool = True) -> View:
    agents = {agent_key(agent): agent for agent in (*HOSTS, *changed)}
    return View(Rows(agents=agents), whole=whole)


@pytest.mark.parametrize(
    ("act", "detail", "job", "agent", "runs"),
    [
        ("change job", {"version": 3}, "it", "", ()),
        ("kill run", {"runs": [RUNNING.id], "count": 1}, "it", "", (RUNNING.id,)),
        ("drain agent", {}, "", "it", ()),
        ("start pause", {}, "", "", ()),
        ("create token", {}, "", "", ()),
    ],
)
def test_an_entry_knows_what_it_is_about(
    act: str, detail: dict[str, Any], job: str, agent: str, runs: tuple[str, ...]
) -> None:
    """The noun of the act says what its subject is the name of."""
    event = of_entry(entry(1, act, "it", **detail))
    assert (event.job, event.agent, tuple(event.runs)) == (job, agent, runs)


def test_all_of_an_event_is_told_in_as_many_lines_as_it_takes() -> None:
    """What a row cuts off."""
    changed = entry(1, "change job", version=3, keys=["schedule", "timeout_s", "retry"])
    lines = event_lines(of_entry(changed), NOW_US, BERLIN, 30)
    assert [line.text for line in lines] == [
        "13:46:43 ana: change job etl", "v3, changed schedule,", "timeout_s, retry",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({"version": 3, "keys": ["schedule", "timeout"]}, "v3, changed schedule, timeout"),
        ({"reason": "disk", "until_us": at(600)}, "disk, until 14:13:22"),
        ({"runs": [RUNNING.id], "count": 1}, f"run {RUNNING.id[-6:]}"),
        ({"runs": ["A1", "B2"], "count": 2}, "runs A1 and B2"),
        ({"runs": ["A1", "B2", "C3"], "count": 40}, "3 runs: A1, B2, C3, 40 runs"),
        ({"id": "x", "token": "t1"}, "token t1"),
        ({"lost_now": True}, "its runs lost at once"),
        ({"reason": "a\x1b[31mb\nc"}, "ab c"),
        ({}, ""),
    ],
)
def test_particulars_in_words(detail: dict[str, Any], words: str) -> None:
    """What machines call things is left out, and nothing moves the cursor of a terminal."""
    assert detail_words(detail, NOW_US, BERLIN) == words


def test_all_that_happened_is_in_one_order() -> None:
    """Newest first; what happened before the oldest known entry waits until that gap is closed."""
    slept = Incident(kind=IncidentKind.SUSPEND, from_us=at(-600), until_us=at(-500), detail="90s")
    old = Incident(kind=IncidentKind.DOWN, from_us=at(-9000), until_us=at(-8000))
    away = Sighting(at(-100), "agent went away", "web-017", bad=True)
    entries = [entry(950), entry(450)]
    told = [event.what for event in merged(entries, [old, slept], [away], more=True).values()]
    assert told == ["pause job", "agent went away", "incident: suspend", "pause job"]
    whole = merged(entries, [old, slept], [away], more=False)
    assert [event.what for event in whole.values()][-1] == "incident: down"


def test_entries_of_one_instant_keep_their_order() -> None:
    """By their numbers."""
    entries = [entry(number, at_us=at(-5)) for number in (3, 2, 1)]
    assert list(merged(entries, [], [], more=False)) == ["audit 3", "audit 2", "audit 1"]


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("by:ana", True),
        ("by:bo", False),
        ("job:etl", True),
        ("agent:etl", False),
        ("what:pause", True),
        ("disk !resume", True),
        (RUNNING.id.lower(), False),
    ],
)
def test_filter(text: str, met: bool) -> None:  # noqa: FBT001 - a row of the table
    """By actor, by what it is about, or by any word that is said of it."""
    event = of_entry(entry(1, subject="etl-orders", reason="disk"))
    assert holds(read(text), of_event(event)) is met


def test_a_row_says_who_and_what() -> None:
    """What nobody asked for is the coordinator's."""
    event = Event("x", at(-60), "tocsin", "agent is back", "web-017", text="it is up")
    texts = [cell.text for cell in event_cells(event, NOW_US, BERLIN)]
    assert texts == ["14:02:22", "tocsin", "agent is back", "web-017", "it is up"]


# The audit, page by page.

NUMBERS = st.integers(0, 60)


@given(st.lists(st.tuples(st.booleans(), NUMBERS, st.integers(1, 9)), max_size=20))
def test_what_is_known_of_the_audit_has_no_gap(steps: list[tuple[bool, int, int]]) -> None:
    """However much happens between two readings, numbers go down by one."""
    pages, length = Pages(), 0
    for newest, more, size in steps:
        length += more
        if newest or not pages.entries:
            rows = [entry(number) for number in range(length, max(length - size, 0), -1)]
            left = bool(rows) and rows[-1].number > 1
            assert joins(pages, rows) is (not pages.entries or length - size <= pages.newest)
            pages = add_newest(pages, rows, more=left)
        else:
            low = pages.oldest
            rows = [entry(number) for number in range(low - 1, max(low - 1 - size, 0), -1)]
            pages = add_older(pages, rows, more=low - 1 > size)
        numbers = [known.number for known in pages.entries]
        assert numbers == list(range(pages.newest, pages.newest - len(numbers), -1))
        if pages.entries:
            assert pages.more is (pages.oldest > 1)


# What is seen besides.


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (AgentState.UP, AgentState.DOWN, "agent went away"),
        (AgentState.CORDONED, AgentState.DOWN, "agent went away"),
        (AgentState.DOWN, AgentState.UP, "agent is back"),
        (AgentState.UP, AgentState.CORDONED, None),
        (AgentState.DOWN, AgentState.REVOKED, None),
        (AgentState.UP, AgentState.UP, None),
    ],
)
def test_agents_go_and_come(before: AgentState, after: AgentState, told: str | None) -> None:
    """What people ordered is in the audit, and no sighting."""
    was = _view(msgspec.structs.replace(ETL, state=before))
    seen = notice(was, _view(msgspec.structs.replace(ETL, state=after)), NOW_US)
    assert [one.what for one in seen] == ([told] if told else [])


def test_who_went_away_did_so_when_it_was_last_heard() -> None:
    """Not when somebody looked; and a first snapshot shows nothing that happened."""
    away = msgspec.structs.replace(ETL, state=AgentState.DOWN, down_since_us=at(-40))
    (seen,) = notice(_view(), _view(away), NOW_US)
    assert (seen.at_us, seen.agent, seen.bad) == (at(-40), "etl-03", True)
    assert notice(_view(whole=False), _view(away), NOW_US) == []
    assert notice(_view(), _view(msgspec.structs.replace(DOWN, id="new")), NOW_US) == []


def _status(*pauses: Pause) -> Status:
    return Status(
        version="0", epoch=1, pid=1, started_us=0, now_us=NOW_US, store="ok", jobs=0,
        runs_active=0, runs_queued=0, agents_up=0, agents=0, next_due_us=None, dropped={},
        pauses=list(pauses), you="ana", role=Role.ADMIN,
    )  # fmt: skip


def test_maintenance_that_ends_by_itself_is_seen() -> None:
    """What somebody ended before its time is in the audit."""
    over = Pause(id="1", scope=Scope.AGENT, value="db-*", since_us=0, until_us=at(-5))
    ended = Pause(id="2", scope=Scope.ALL, since_us=0, until_us=at(500))
    seen = list(notice_status(_status(over, ended), _status(), NOW_US))
    assert [(one.at_us, one.detail) for one in seen] == [
        (at(-5), "agents named db-* are no longer paused")
    ]
    assert not list(notice_status(None, _status(), NOW_US))


def test_sightings_do_not_grow_without_end() -> None:
    """The newest are kept."""
    many = [Sighting(at(number), "x") for number in range(600)]
    assert keep((), many)[0].at_us == at(100)
