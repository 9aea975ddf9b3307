"""The view: a snapshot in parts, numbered changes, and what a gap does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.tui.fleet import AGENTS, agent, job, run
from tocsin.messages.client_link import Update
from tocsin.model import Agent, AgentState, RunState
from tocsin.tui import state
from tocsin.tui.state import (
    View,
    add_history,
    add_older,
    apply,
    count,
    latest_by_job,
    newest_first,
    take_agents,
)

A1, A2, B1, C1 = (job(i, name) for i, name in enumerate(("a", "a", "b", "c")))


def _part(number: int, *, more: bool = True, **content: Any) -> Update:
    return Update(number, snapshot=True, more=more, **content)


def _view(*updates: Update) -> View:
    view = View()
    for update in updates:
        view = apply(view, update)
    return view


def _whole(*names: str) -> View:
    jobs = [job(number, name) for number, name in enumerate(names)]
    return _view(_part(1, runs=[run(1, "a")]), _part(2, more=False, jobs=jobs))


@pytest.mark.parametrize(
    ("updates", "jobs", "whole"),
    [
        ([_part(1), _part(2, more=False, jobs=[A1, B1])], {"a", "b"}, True),
        ([_part(1), _part(2, jobs=[A1]), _part(3, more=False, jobs=[B1])], {"a", "b"}, True),
        ([_part(1), _part(2, jobs=[A1])], {"a"}, False),
        ([_part(1), Update(2, jobs=[C1]), _part(3, more=False, jobs=[A1])], {"a", "c"}, True),
        (
            [_part(1), _part(2, jobs=[A1]), Update(3, jobs_gone=["a"]), _part(4, more=False)],
            set(),
            True,
        ),
        ([_part(1, more=False), Update(2, jobs=[A1]), Update(3, jobs=[B1])], {"a", "b"}, True),
        ([_part(1, more=False, jobs=[A1, B1]), Update(2, jobs_gone=["b"])], {"a"}, True),
        ([_part(1, more=False, jobs=[A1]), Update(2, jobs_gone=["never"])], {"a"}, True),
    ],
)
def test_parts_and_changes_in_order(updates: list[Update], jobs: set[str], *, whole: bool) -> None:
    """Parts and changes that come between them add up; the first snapshot shows as it grows."""
    view = _view(*updates)
    assert set(view.jobs) == jobs
    assert view.whole is whole
    assert not view.stale
    assert view.number == updates[-1].number


def test_later_word_wins() -> None:
    """Of two rows for the same job, the one that came later counts."""
    view = _view(_part(1), Update(2, jobs=[A1]), _part(3, more=False, jobs=[A2]))
    assert view.jobs["a"] is A2


@pytest.mark.parametrize("number", [1, 2, 4, 9])
def test_gap_makes_stale_and_changes_nothing(number: int) -> None:
    """An update out of order is not applied, and the view says that it needs a snapshot."""
    before = _whole("a")
    after = apply(before, Update(number, jobs=[C1]))
    assert after.stale
    assert after.jobs == before.jobs
    assert apply(after, Update(3, jobs=[C1])) is after


@pytest.mark.parametrize("number", [2, 3, 5])
def test_lost_part_of_a_snapshot_is_a_gap(number: int) -> None:
    """A part that follows none, or not its own, is not taken for a snapshot."""
    assert apply(View(), _part(number)).stale
    view = apply(_view(_part(1), _part(2, jobs=[A1])), _part(number + 2, more=False))
    assert view.stale is (number != 1)
    assert not view.whole


def test_new_snapshot_mends_and_hides_its_growth() -> None:
    """After a gap the old rows stay until the new snapshot is whole, and then are gone."""
    view = apply(_whole("a", "b"), Update(9))
    view = apply(view, _part(1, runs=[run(2, "c")]))
    assert not view.stale
    assert set(view.jobs) == {"a", "b"}
    view = apply(view, Update(2, jobs=[A2]))
    assert set(view.jobs) == {"a", "b"}
    view = apply(view, _part(3, more=False, jobs=[C1]))
    assert set(view.jobs) == {"a", "c"}
    assert [one.job for one in view.runs.values()] == ["c"]


def test_an_update_makes_no_agent_older() -> None:
    """When an agent was heard last is told by who asks for it, not by updates."""
    old = Agent(id="a", key="k", name="a", state=AgentState.UP, last_seen_us=100)
    new = msgspec.structs.replace(old, last_seen_us=900)
    view = take_agents(_whole("a"), [new])
    view = apply(view, Update(view.number + 1, agents=[old]))
    assert view.agents["a"].last_seen_us == 900


def test_snapshot_may_begin_again() -> None:
    """A first part begins anew, also in the middle of another snapshot."""
    view = _view(_part(1), _part(2, jobs=[A1]), _part(1), _part(2, more=False, jobs=[B1]))
    assert set(view.jobs) == {"b"}


def test_a_view_does_not_change() -> None:
    """What was applied later cannot be seen in an earlier view."""
    before = _whole("a")
    apply(before, Update(3, jobs=[B1], jobs_gone=["a"], runs=[run(2, "b")], agents=[agent("x")]))
    assert set(before.jobs) == {"a"}
    assert len(before.runs) == 1
    assert not before.agents


def test_history_does_not_overrule() -> None:
    """Runs that were asked for fill in what is missing, in the draft too, and no more."""
    known, older = run(5, "a", RunState.RUNNING), run(1, "a")
    view = _view(_part(1, more=False, runs=[known]), _part(1), _part(2, runs=[known]))
    view = add_history(view, [run(5, "a", RunState.QUEUED), older])
    assert view.runs == {known.id: known, older.id: older}
    view = apply(view, _part(3, more=False))
    assert view.runs == {known.id: known, older.id: older}


def test_old_runs_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the oldest that are over go, and those under way stay."""
    monkeypatch.setattr(state, "RUNS_MAX", 10)
    active = run(0, "a", RunState.RUNNING)
    view = _view(_part(1, more=False, runs=[active, *(run(i, "a") for i in range(1, 11))]))
    assert len(view.runs) == 9
    assert active.id in view.runs
    assert run(2, "a").id not in view.runs
    assert run(10, "a").id in view.runs


def test_how_far_back_all_runs_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the snapshot has them, and then what was asked for; what is forgotten counts."""
    monkeypatch.setattr(state, "SNAPSHOT_RUNS", 3)
    monkeypatch.setattr(state, "RUNS_MAX", 10)
    few = _view(_part(1, runs=[run(8, "a"), run(7, "a")]), _part(2, more=False))
    assert few.since_us is None
    newest = [run(number, "a", created_us=number) for number in (9, 8, 7)]
    active = run(1, "a", RunState.RUNNING)
    view = _view(_part(1, runs=newest), Update(2, runs=[active]), _part(3, more=False))
    assert view.since_us == 7
    view = add_history(view, [run(2, "a"), run(3, "a")])
    assert view.since_us == 7
    older = [run(number, "a", created_us=number) for number in (6, 5)]
    view = add_older(view, view.shown.since, older, more=True)
    assert (view.since_us, len(view.runs), view.has_room(2)) == (5, 8, True)
    assert add_older(view, "another", [run(4, "a")], more=True).since_us == 5
    assert add_older(view, view.shown.since, [run(4, "a")], more=False).since_us is None
    newer = [run(number, "a", created_us=number) for number in (10, 11, 12)]
    view = apply(view, Update(4, runs=newer))
    assert (view.since_us, min(one.created_us for one in view.runs.values())) == (5, 5)
    view = apply(view, Update(5, runs=[run(13, "a"), run(14, "a")]))
    assert view.since_us == 7


def test_order_and_newest_of_a_job() -> None:
    """Runs are listed newest first; the newest of a job leaves skips aside."""
    runs = [run(1, "a"), run(3, "b"), run(2, "a"), run(4, "a", RunState.SKIPPED)]
    view = _view(_part(1, more=False, runs=runs))
    assert [view.runs[i] for i in newest_first(view)] == [runs[3], runs[1], runs[2], runs[0]]
    assert [view.runs[i] for i in newest_first(view, "b")] == [runs[1]]
    assert latest_by_job(view) == {"a": runs[2], "b": runs[1]}


def test_what_runs_is_not_hidden_by_what_waits() -> None:
    """The newest run that an agent has comes before one that waits for its turn."""
    runs = [
        run(1, "a", RunState.RUNNING), run(2, "a", RunState.RUNNING), run(3, "a", RunState.QUEUED),
        run(4, "b"), run(5, "b", RunState.QUEUED),
    ]  # fmt: skip
    for known in (runs, runs[::-1]):
        view = _view(_part(1, more=False, runs=known))
        assert latest_by_job(view) == {"a": runs[1], "b": runs[4]}


def test_counts() -> None:
    """Queued runs are told apart from those at an agent; strangers are no agents yet."""
    runs = [run(1, "a", RunState.QUEUED), run(2, "a", RunState.ACCEPTED), run(3, "a")]
    agents = [agent("x"), agent("y", AgentState.DOWN), agent("z", AgentState.PENDING)]
    found = count(_view(_part(1, more=False, runs=runs, agents=agents)))
    assert (found.agents_up, found.agents, found.running, found.queued) == (1, 2, 1, 1)


def test_agents_that_were_asked_for_take_the_place_of_all() -> None:
    """Hosts that ask to be let in have no id yet; one that was let in no longer asks."""
    one, other = (Agent(id="", key=key, name="web", state=AgentState.PENDING) for key in "ab")
    known = take_agents(apply(View(), Update(1, snapshot=True, agents=[AGENTS[0]])), [one, other])
    assert list(known.agents.values()) == [one, other]
    let_in = msgspec.structs.replace(one, id="web", state=AgentState.DOWN)
    after = take_agents(known, [let_in, other])
    assert list(after.agents) == ["web", "b"]
