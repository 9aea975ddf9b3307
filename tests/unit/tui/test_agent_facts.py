"""Agents in rows and lines: what is said of each state, and what depends on them."""

from __future__ import annotations

import msgspec
import pytest

from tests.tui.fleet import BERLIN, JOBS, NOW_US, RUNNING, RUNS, at, run
from tests.tui.hosts import APP, ASKS, DB, DOWN, ETL, HELD, HOSTS, ON_ETL, ROWS, host
from tocsin.execution import Offer
from tocsin.messages.enrolment import fingerprint
from tocsin.model import Agent, AgentState, RunState
from tocsin.tui.agent_facts import Known, facts
from tocsin.tui.agent_hour import AgentHour, agent_hour, share, strip
from tocsin.tui.agent_rows import agent_cells, bar, by_state, executor_words, seen
from tocsin.tui.dependence import by_demand, only_on, under_way, weight
from tocsin.tui.state import Rows, View, agent_key

OFFERING = host("x", offers=[Offer("shell"), Offer("sql", available=False, message="no driver")])


def _texts(agent: Agent) -> list[str]:
    return [cell.text for cell in agent_cells(agent, NOW_US)]


def _lines(agent: Agent, version: str = "0.1.0", since_us: int | None = None) -> list[str]:
    names = only_on([agent], HOSTS, by_demand(ROWS))
    alone = [row for row in ROWS if row.job.name in names]
    had = under_way([*RUNS, ON_ETL]).get(agent.name, [])
    hour = agent_hour([*RUNS, ON_ETL], agent.name, NOW_US)
    known = Known(agent, had, alone, version, NOW_US, BERLIN, hour, since_us)
    return ["".join(cell.text for cell in line) for line in facts(known)]


@pytest.mark.parametrize(
    ("agent", "glyph", "word", "age"),
    [
        (APP, "●", "up", "now"),
        (msgspec.structs.replace(ETL, busy=2), "►", "up", "now"),
        (host("x", last_seen_us=at(-90)), "●", "up", "1m30s"),
        (HELD, "‖", "cordoned", "now"),
        (host("x", AgentState.DRAINING), "◐", "draining", "now"),
        (DOWN, "✗", "DOWN", "4m"),
        (host("x", AgentState.DOWN, last_seen_us=None), "✗", "DOWN", "never"),
        (host("x", AgentState.DOWN, down_since_us=at(-2)), "✗", "DOWN", "2s"),
        (host("x", AgentState.REVOKED), "x", "revoked", "2s"),
        (ASKS, "?", "asks", "1m10s"),
    ],
)
def test_state_is_a_glyph_and_a_word_with_its_age(
    agent: Agent, glyph: str, word: str, age: str
) -> None:
    """Who is heard is heard `now`: seconds of it would only flicker."""
    assert [_texts(agent)[0], _texts(agent)[2], seen(agent, NOW_US)] == [glyph, word, age]


@pytest.mark.parametrize(
    ("busy", "slots", "drawn"),
    [(0, 4, "····"), (1, 4, "█···"), (4, 4, "████"), (1, 100, "█···"), (9, 4, "████")],
)
def test_bar_shows_the_first_and_the_last_slot(busy: int, slots: int, drawn: str) -> None:
    """One run of a hundred is seen, and more than all slots is no more than full."""
    assert bar(host("x", busy=busy, slots=slots)) == drawn


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (APP, ("2 ok", False)),
        (host("x", executors=["shell", "http"]), ("2 ok", False)),
        (OFFERING, ("✗ sql", True)),
        (ASKS, ("-", False)),
    ],
)
def test_executors_are_counted_or_named_when_broken(agent: Agent, words: tuple[str, bool]) -> None:
    """What works is a number, what does not has its name."""
    assert executor_words(agent) == words


def test_who_needs_somebody_comes_first() -> None:
    """Hosts to let in, then those that are down, then held; the fullest before the idle."""
    busy = msgspec.structs.replace(DB, busy=3)
    order = sorted([APP, HELD, busy, DOWN, ASKS, host("gone", AgentState.REVOKED)], key=by_state)
    assert [agent.name for agent in order] == [
        "web-018", "web-017", "etl-01", "db-02", "app-04", "gone",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ([APP], ["billing-sync", "reindex"]),
        ([DOWN], ["cert-renew", "cleanup-tmp"]),
        ([ETL], ["etl-orders"]),
        ([HELD], []),
        ([HELD, ETL], ["etl-orders"]),
        ([ASKS], []),
    ],
)
def test_jobs_without_another_agent_that_is_up(chosen: list[Agent], names: list[str]) -> None:
    """An agent that is held or down is no other agent; one that is chosen as well neither."""
    assert only_on(chosen, HOSTS, by_demand(ROWS)) == names


def test_jobs_for_any_agent_depend_on_none() -> None:
    """Unless there is only one that is up."""
    demands = by_demand(JOBS)
    assert only_on([APP], HOSTS, demands) == []
    assert only_on([APP], [APP, DOWN], demands) == sorted(row.job.name for row in JOBS)


def test_an_order_weighs_runs_and_jobs() -> None:
    """Runs that are over, or that no agent has yet, do not count."""
    queued = run(30, "etl-orders", RunState.QUEUED, agent="etl-03")
    view = View(
        Rows(
            {row.job.name: row for row in ROWS},
            {one.id: one for one in (*RUNS, ON_ETL, queued)},
            {agent_key(agent): agent for agent in HOSTS},
        )
    )
    runs, alone = weight(view, [ETL])
    assert {one.id for one in runs} == {ON_ETL.id, RUNNING.id}
    assert alone == ("etl-orders",)


def test_lines_of_one_that_is_down_say_what_that_means() -> None:
    """Since when, what nobody else can run, how much of it is due soon, and the odd version."""
    said = "\n".join(_lines(DOWN))
    for text in (
        "✗ DOWN for 4m, last heard",
        "no agent that is up can run 2 jobs: 1 due in the next hour!",
        "only here cert-renew  9m LATE",
        "only here cleanup-tmp  paused",
        "version 0.0.9, the coordinator's is 0.1.0",
    ):
        assert text in said


def test_lines_of_one_that_is_held_say_by_whom_and_why() -> None:
    """With the moment at which what it still runs is cancelled."""
    drained = msgspec.structs.replace(
        HELD, state=AgentState.DRAINING, held=AgentState.DRAINING, drain_until_us=at(600)
    )
    said = "\n".join(_lines(drained))
    assert "draining by bo: new disks" in said
    assert "in 10m, is cancelled" in said


def test_lines_of_one_that_is_up() -> None:
    """Its runs, what depends on it, and what of it does not work."""
    said = "\n".join(_lines(ETL))
    assert "1 job can run nowhere else now: etl-orders" in said
    assert f"etl-orders {RUNNING.id[-6:]}" in said
    assert "the coordinator's" not in said
    assert "✗ python: python3 is not there" in "\n".join(_lines(DB))
    assert "no job depends on this agent alone" in "\n".join(_lines(HELD))


def test_lines_of_one_that_asks_show_its_fingerprint() -> None:
    """And nothing that only agents have."""
    said = _lines(ASKS)
    assert f"fingerprint {fingerprint(ASKS.key)}" in said
    assert len(said) == 3


def test_the_last_hour_of_an_agent() -> None:
    """Each run fills its slot from when it was sent to its end, or until now."""
    runs = [
        run(
            1, "a", dispatched_us=at(-3720), started_us=at(-3700), finished_us=at(-3540), agent="x"
        ),
        run(2, "a", RunState.FAILED, started_us=at(-60), finished_us=at(0), agent="x"),
        run(3, "a", RunState.RUNNING, dispatched_us=at(-240), agent="x"),
        run(4, "a", RunState.RUNNING, dispatched_us=at(-240), agent="y"),
        run(5, "a", dispatched_us=at(-9000), finished_us=at(-8000), agent="x"),
        run(6, "a", RunState.QUEUED),
    ]
    hour = agent_hour(runs, "x", NOW_US)
    assert hour == AgentHour((0.5, *[0.0] * 27, 1.0, 1.5), ended=2, failed=1)
    assert strip(hour, 2) == "▂" + " " * 27 + "▄▆"
    assert strip(hour, 1) == "▄" + " " * 27 + "██"
    assert share(hour, 2) == 3.0 / 60


def test_the_last_hour_in_words() -> None:
    """With from when on runs are known, where that is less than an hour."""
    line = next(line for line in _lines(DB) if line.startswith("last hour"))
    assert line == f"last hour [{'▂' * 11 + ' ' * 19}] 9% of its slots, 1 run ended"
    line = next(line for line in _lines(DB, since_us=at(-600)) if line.startswith("last hour"))
    assert line.endswith(", known from 13:53:22")
