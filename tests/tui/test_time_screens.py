"""The overview and the week's map under a pilot: keys, panes, and whole screens as text."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, lines, screen, shown, until
from tests.tui.fleet import at
from tests.tui.night import AGENTS, JOBS, RUNS, night_fleet, ran
from tocsin.messages.client_answers import Declined
from tocsin.messages.client_link import ListRuns, PauseJobs, PutJobs
from tocsin.model import Pause, Scope
from tocsin.tui.app import TocsinApp

GOLDENS = Path(__file__).with_name("goldens")
SIZES = [(100, 30), (80, 24), (140, 40)]


async def _overview(pilot: Pilot[None]) -> None:
    await expect(
        pilot, "Needs attention 5", "? night-sync" if pilot.app.size.height > 24 else "9 other jobs"
    )


async def _schedule(pilot: Pilot[None]) -> None:
    await pilot.press("5")
    await expect(pilot, "1932 fires")
    await pilot.press("down", *["left"] * 11)
    await expect(pilot, "Wed 25 Mar 03:00-04:00", "idea: jitter", "nightly-dump")


SCENES: dict[str, Callable[[Pilot[None]], Awaitable[None]]] = {
    "time-overview": _overview,
    "time-schedule": _schedule,
}


def play(
    *steps: Callable[[Pilot[None], Coordinator], Awaitable[None]],
    coordinator: Coordinator | None = None,
    size: tuple[int, int] = (100, 30),
) -> list[str]:
    """Do this on the app; the screen at the end."""
    end: list[str] = []

    async def run() -> None:
        async with shown(fleet, size, TocsinApp.DEFAULT_MODE) as pilot:
            await expect(pilot, "● live")
            for step in steps:
                await step(pilot, fleet)
            taken: list[list[str]] = [[]]

            def still() -> bool:
                taken.append(lines(pilot))
                return taken[-1] == taken[-2]

            await until(pilot, still)
            end.extend(taken[-1])

    with coordinator or night_fleet() as fleet:
        asyncio.run(run())
    return end


def press(*keys: str) -> Callable[[Pilot[None], Coordinator], Awaitable[None]]:
    """A step that presses these keys."""

    async def step(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await pilot.press(*keys)

    return step


def expects(*texts: str) -> Callable[[Pilot[None], Coordinator], Awaitable[None]]:
    """A step that waits for these texts."""

    async def step(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await expect(pilot, *texts)

    return step


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", list(SCENES))
def test_screen(scene: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen is the stored one, to the letter, and no line is wider than the screen."""
    monkeypatch.setattr("tocsin.tui.connection.LAG_SHOWN_S", 3600.0)
    picture = play(lambda pilot, _: SCENES[scene](pilot), size=size)
    assert len(picture) == size[1]
    assert max(cell_len(line) for line in picture) <= size[0]
    golden = GOLDENS / f"{scene}-{size[0]}x{size[1]}.txt"
    text = "\n".join(picture) + "\n"
    if os.environ.get("TOCSIN_ACCEPT_GOLDENS"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def row_of(picture: list[str], name: str) -> str:
    """The line that begins with a name."""
    return next(line for line in picture[3:] if name in line[:20])


def test_zoom_moves_and_comes_back() -> None:
    """The timeline reaches further, moves, and 0 goes back to now."""
    play(
        expects("Timeline 1h18m back, 2h41m ahead"), press("minus"), expects("Timeline 2h13m back"),
        press("plus", "plus"), expects("Timeline 53m back"),
        press("right"), expects("Timeline 21m back"),
        press("right", "right"), expects("from in 42m"),
        press("0"), expects("NOW 14:03"),
    )  # fmt: skip


def test_blackouts_by_calendar_are_skips() -> None:
    """The coordinator is asked for its calendars."""
    picture = play(expects("ledger-close"), expects("16:00"))
    assert row_of(picture, "ledger-close").rstrip().endswith("s")


def test_panes_take_the_keys_in_turn_and_the_whole_screen() -> None:
    """Tab goes on, z gives one pane all the room, also to the next one."""
    play(
        press("tab"), expects("[Needs attention 5]"), press("z"), expects("z shows all panes"),
        press("tab"), expects("[Next fires]"), press("z"), expects("[Next fires]", "Last 60 min"),
        press("tab"), expects("[Timeline"),
    )  # fmt: skip


def test_enter_opens_the_run_under_way() -> None:
    """The first row of the timeline is what runs."""
    picture = play(expects("etl-orders"), press("enter"), expects("RUNNING"))
    assert any("etl-orders" in line for line in picture)


def test_enter_on_a_failure_opens_its_run() -> None:
    """The run that failed last."""
    play(
        press("tab", "down", "down"),
        expects(">✗ billing-sync"),
        press("enter"),
        expects("exit 1"),
    )


def test_keys_act_on_the_job_of_the_row() -> None:
    """A pause from the timeline is asked for, and its fires become skips."""

    async def paused(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await until(pilot, lambda: PauseJobs(["billing-sync"]) in coordinator.asks)
        await expect(pilot, "billing-… paused")

    play(expects("billing-sync"), press("down", "down", "p"), paused)


def test_keys_act_on_rows_in_sight_alone() -> None:
    """A low screen has rows of jobs and no last hour; a lower one has no rows, and no keys."""
    picture = play(expects(">► etl-orders"), size=(60, 15))
    assert "x kill" in picture[-1]
    assert "Last 60 min" not in "\n".join(picture)
    picture = play(expects("Timeline", "17 other jobs"), size=(60, 10))
    assert "etl-orders" not in "\n".join(picture[:6])
    assert "x kill" not in picture[-1]


def test_the_help_tells_what_the_signs_of_the_timeline_mean() -> None:
    """A low screen has no line for them."""
    play(
        press("question_mark"),
        expects("Timeline:", "█ ok  x failed", "◇ 2-9 # fires"),
        size=(80, 24),
    )


def test_an_empty_fleet_says_how_to_begin() -> None:
    """And that all is well."""
    picture = play(expects("no jobs yet: n makes one"), coordinator=Coordinator([], [], []))
    assert "nothing: no failures, no late fires, all agents are there" in "\n".join(picture)


def test_an_empty_week_says_so() -> None:
    """The map is there all the same."""
    play(press("5"), expects("no job fires in these seven days", "·"),
         coordinator=Coordinator([], [], []))  # fmt: skip


def test_offline_the_last_data_stays() -> None:
    """The timeline and the map go on without the link."""

    async def gone(_pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.hang_up()

    play(
        expects("Needs attention 5"), gone, expects("OFFLINE", "etl-orders", "Needs attention 5"),
        press("5"), expects(" fires"), press("down"), expects("Wed 25 Mar"),
    )  # fmt: skip


def test_metrics_zones_and_weeks() -> None:
    """Each key changes what the figures say; the hour stays under the cursor."""
    play(
        press("5"), expects("[fires]", "Europe/Berlin", "*Tue 24"),
        press("m"), expects("[job-minutes x10]"), press("m"), expects("[slots %]"),
        press("m"), expects("[fires]"),
        press("t"), expects("t: UTC"), press("t"), expects("each job's own zone"),
        press("t"), expects("t: Europe/Berlin"),
        press("right_square_bracket"), expects("Tue 31"),
        press("left_square_bracket"), expects("*Tue 24"),
    )  # fmt: skip


def test_an_hour_that_does_not_exist_is_told() -> None:
    """There is nothing in it."""
    play(
        press("5"), expects("-- Sun 29: 02:00 does not exist"),
        press(*["down"] * 5, *["left"] * 12), expects("Sun 29 Mar 02:00 does not exist"),
        expects("nothing starts in this hour"),
    )  # fmt: skip


def test_enter_goes_to_the_jobs_of_the_hour() -> None:
    """On the map no key acts on a job; in the list they do."""
    picture = play(press("5", "down", *["left"] * 11), expects("nightly-dump"), press("r"))
    assert "there is no job here" in "\n".join(picture)
    play(
        press("5", "down", *["left"] * 11), expects("nightly-dump"),
        press("enter"), expects("[Wed 25 Mar 03:00-04:00"), press("G", "p"), expects("✓ pause"),
    )  # fmt: skip


def test_a_collision_is_spread_after_a_question() -> None:
    """The question says what changes; the jobs are put with the version that was looked at."""

    async def put(pilot: Pilot[None], coordinator: Coordinator) -> None:
        def asked() -> list[PutJobs]:
            return [ask for ask in coordinator.asks if isinstance(ask, PutJobs)]

        await until(pilot, lambda: bool(asked()))
        names = {job.name for job in asked()[0].jobs}
        assert len(names) == 10
        assert all(name.startswith("nightly-") for name in names)
        assert {job.jitter_s for job in asked()[0].jobs} == {60.0}
        assert asked()[0].expected == dict.fromkeys(names, 1)

    play(
        press("5", "down", *["left"] * 11), expects("idea: jitter 1m for 10 jobs at 03:00:00"),
        press("J"), expects("Give 10 jobs", "Most runs that begin in one second"), press("y"), put,
    )  # fmt: skip


def test_where_nothing_collides_there_is_nothing_to_spread() -> None:
    """The key has no meaning there."""
    picture = play(press("5", "down"), expects("Wed 25 Mar 14:00-15:00", "job-minutes, up to"))
    assert "idea" not in "\n".join(picture)
    assert "J spread" not in picture[-1]


def test_a_screen_of_any_size_is_drawn() -> None:
    """From the smallest to a large one, and while it is resized."""

    async def resize(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        for size in [(300, 100), (80, 24), (200, 50), (100, 30)]:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: len(screen(pilot).splitlines()) == size[1])  # type: ignore[misc]
            assert max(cell_len(line) for line in lines(pilot)) <= size[0]

    play(expects("Needs attention 5"), resize)
    play(press("5"), expects("fires"), resize)


def test_maintenance_ahead_is_seen_where_it_lets_fires_pass() -> None:
    """On the timeline, among the next fires and on the job, with words for it."""
    fleet = night_fleet()
    pause = Pause(
        id="p", scope=Scope.JOB, value="metrics*", since_us=at(0), until_us=at(3600), by="ana"
    )
    fleet.pauses = [pause]
    shown_lines = play(
        expects("‖ metrics-rollup", "‖ paused"), press("2"), expects("jobs 18"),
        press("slash", *"metrics", "enter", "enter"),
        expects("maintenance until Tue 24 Mar 15:03 by ana"),
        coordinator=fleet,
    )  # fmt: skip
    assert any("1‖ Tue 13:10:00 UTC" in line for line in shown_lines)


def _busy_fleet() -> Coordinator:
    """A run each eight seconds: the snapshot does not reach back as far as is shown."""
    past = [ran(100 + i, "metrics-rollup", -8.0 * (900 - i), 1, created_us=at(-8 * (900 - i)))
            for i in range(900)]  # fmt: skip
    fleet = Coordinator(JOBS, [*RUNS, *past[-500:]], AGENTS)
    fleet.held = past[:-500]
    return fleet


def test_the_past_in_sight_is_asked_for() -> None:
    """As far back as the timeline shows; then all of the last hour is counted."""

    async def known(pilot: Pilot[None], coordinator: Coordinator) -> None:
        def asked() -> bool:
            return any(isinstance(ask, ListRuns) and ask.before for ask in coordinator.asks)

        await until(pilot, lambda: asked() and "known from" not in screen(pilot))
        await expect(pilot, "Timeline 1h18m back", "runs 459")

    play(known, coordinator=_busy_fleet())


def test_where_the_known_past_begins_is_told() -> None:
    """When it cannot be had."""
    fleet = _busy_fleet()
    fleet.decline = lambda ask: Declined("no") if isinstance(ask, ListRuns) and ask.before else None
    play(
        expects("Timeline 1h18m back, 2h41m ahead, known from 12:56:42", "known from 12:56:42"),
        coordinator=fleet,
    )


def test_the_week_is_saved_as_csv(tmp_path: Path) -> None:
    """Where it is said; what is there is not written over."""
    path = tmp_path / "heat.csv"
    play(
        press("5"),
        expects("1932 fires"),
        press("colon", *f"export {path}", "enter"),
        expects("✓ saved the week to"),
        press("colon", *f"export {path}", "enter"),
        expects("CSV: ", "File exists"),
    )
    lines_of_file = path.read_text().splitlines()
    assert lines_of_file[0] == "day,hour,begins,fires,job_minutes,slots_percent"
    # Seven days, one of which is an hour short.
    assert len(lines_of_file) == 1 + 7 * 24 - 1
    assert sum(int(line.split(",")[3]) for line in lines_of_file[1:]) == 1932
