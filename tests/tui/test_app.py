"""The app under a pilot, against a coordinator on a real link: what is seen, what is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, fleet, lines, screen, shown, until
from tests.tui.fleet import AGENTS, FAILED, RUNNING, at, job, run
from tocsin.messages.client_answers import Declined
from tocsin.messages.client_link import KillRuns, PauseJobs, ResumeJobs, RunJobs
from tocsin.model import RunState
from tocsin.tui.screens.frame import Frame
from tocsin.tui.widgets.log_pane import LogPane
from tocsin.tui.widgets.pick_list import PickList
from tocsin.tui.widgets.prompt import Prompt
from tocsin.tui.widgets.table import Table

Test = Callable[[Pilot[None], Coordinator], Awaitable[None]]


def _drive(test: Test, coordinator: Coordinator | None = None, **how: Any) -> None:
    async def drive() -> None:
        async with shown(serving, **how) as pilot:
            await test(pilot, serving)

    with coordinator or fleet() as serving:
        asyncio.run(drive())


async def _settled(pilot: Pilot[None]) -> None:
    await pilot.press("2")
    await expect(pilot, "[2 Jobs]", "etl-orders", "● live", "agents 2/3", "1 running")


async def _on_runs(pilot: Pilot[None]) -> None:
    await _settled(pilot)
    await pilot.press("3")
    await expect(pilot, "[3 Runs]", "runs 5")


async def _on_log(pilot: Pilot[None]) -> None:
    await _on_runs(pilot)
    await pilot.press("enter")
    await expect(pilot, "► RUNNING  etl-orders", "FOLLOW")


def _log(pilot: Pilot[None]) -> list[str]:
    return [line[:60].rstrip() for line in lines(pilot) if " o  " in line]


def _asked(coordinator: Coordinator, kind: type[Any]) -> list[Any]:
    return [ask for ask in coordinator.asks if isinstance(ask, kind)]


def test_jobs_and_runs_appear_and_follow_changes() -> None:
    """What the coordinator has is on the screen, and what changes there changes here."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _settled(pilot)
        await expect(pilot, "billing-sync", "*/15 * * * *", "in 11m", "9m LATE", "failed 3m ago")
        new = run(8, "reindex", RunState.RUNNING, agent="app-04", started_us=at(-5))
        coordinator.change(job(9, "brand-new", "@daily", 42), new, gone=("gdpr-purge",))
        await expect(pilot, "brand-new", "in 42s", "2 running")
        assert "gdpr-purge" not in screen(pilot)
        await pilot.press("3")
        await expect(pilot, "> ►  running", "reindex")

    _drive(test)


def test_pause_and_resume() -> None:
    """The same key pauses and resumes, and the screen says which, and the command for it."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _settled(pilot)
        await pilot.press("p")
        await expect(pilot, "✓ pause backup-db", "same as: tocsin job pause backup-db", "p resume")
        await pilot.press("p")
        await expect(pilot, "✓ resume backup-db", "p pause")
        assert _asked(coordinator, PauseJobs) == [PauseJobs(["backup-db"])]
        assert _asked(coordinator, ResumeJobs) == [ResumeJobs(["backup-db"])]

    _drive(test)


def test_run_now() -> None:
    """A job is run now, and the run that comes of it is on the screen."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _settled(pilot)
        await pilot.press("end", "r")
        await expect(pilot, "✓ run now reindex: ", "2 queued", "jobs 7")
        assert _asked(coordinator, RunJobs) == [RunJobs(["reindex"])]

    _drive(test)


def test_kill_asks_then_kills() -> None:
    """Killing asks first: no leaves the run alone, yes sends the request."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _on_runs(pilot)
        await pilot.press("x")
        await expect(pilot, "Kill run", "etl-orders on etl-03?", "KILL 10s later")
        await pilot.press("n")
        await expect(pilot, "runs 5")
        assert not _asked(coordinator, KillRuns)
        await pilot.press("x")
        await expect(pilot, "Kill run")
        await pilot.press("y")
        await expect(pilot, "✓ kill", "being killed")
        assert _asked(coordinator, KillRuns) == [KillRuns([RUNNING.id])]

    _drive(test)


def test_what_cannot_be_done_says_why() -> None:
    """A key that is blocked asks nothing, and gives its reason."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _on_runs(pilot)
        await pilot.press("down", "x")
        await expect(pilot, "kill: the run is over: failed")
        assert not _asked(coordinator, KillRuns)

    _drive(test)


def test_what_is_declined_is_told() -> None:
    """The coordinator's no is on the screen, with its hint."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.decline = lambda ask: (
            Declined("your role is viewer", "ask ana") if isinstance(ask, RunJobs) else None
        )
        await _settled(pilot)
        await pilot.press("r")
        await expect(pilot, "✗ run now: your role is viewer (ask ana)")

    _drive(test)


def test_log_lines_appear() -> None:
    """The log of a run is shown as it is printed, stdout and stderr told apart by a letter."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.write(RUNNING.id, "first line\n")
        await _on_log(pilot)
        await expect(pilot, "14:03:22.000 o  first line", "1 line, 11 B")
        coordinator.write(RUNNING.id, "WARN \x1b[31mred\n", stream=2)
        await expect(pilot, "14:03:22.001 e  WARN red")
        coordinator.change(
            run(
                5, "etl-orders", RunState.FAILED, agent="etl-03", started_us=at(-9),
                finished_us=at(-1), exit_code=3, reason="exit status 3",
            )
        )  # fmt: skip
        await expect(pilot, "✗ FAILED, EXIT 3", "ran 8s  exit 3  exit status 3", "ended 14:03:21")
        await pilot.press("escape")
        await expect(pilot, "runs 5", "failed, exit 3")

    _drive(test)


def test_run_that_printed_nothing() -> None:
    """An empty log says that it is empty, and why."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await _on_runs(pilot)
        await pilot.press("down", "enter")
        await expect(pilot, "✗ FAILED", FAILED.id, "it printed nothing")

    _drive(test)


def test_moving_up_lets_go_of_the_end() -> None:
    """Who moves up stays where they are, whatever arrives, and is told how much that is."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.write(RUNNING.id, *(f"line {number}\n" for number in range(100)))
        await _on_log(pilot)
        await expect(pilot, "line 99")
        await pilot.press("k")
        await expect(pilot, "f follows", "line 98")
        before = _log(pilot)
        coordinator.write(RUNNING.id, *(f"line {number}\n" for number in range(100, 137)))
        await expect(pilot, "+37 new, f follows")
        assert _log(pilot) == before
        await pilot.press("f")
        await expect(pilot, "line 136", "FOLLOW")
        await pilot.press("g")
        await expect(pilot, "line 0", "f follows")
        await pilot.press("G")
        await expect(pilot, "line 136", "FOLLOW")

    _drive(test)


def test_forgotten_lines_do_not_move_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are forgotten above do not move what is read, and are told of."""
    monkeypatch.setattr("tocsin.tui.log_lines.LINES_MAX", 200)

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.write(RUNNING.id, *(f"line {number}\n" for number in range(190)))
        await _on_log(pilot)
        await expect(pilot, "line 189")
        await pilot.press("b")
        await expect(pilot, "f follows")
        before = _log(pilot)
        coordinator.write(RUNNING.id, *(f"line {number}\n" for number in range(190, 220)))
        await expect(pilot, "200 lines loaded", "+30 new")
        assert _log(pilot) == before
        await pilot.press("g")
        await expect(pilot, "line 0")

    _drive(test)


def test_finding_in_the_log() -> None:
    """Matches are counted, marked and stepped through, and keys typed in the prompt do nothing."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        texts = [f"{'WARN' if number % 40 == 7 else 'line'} {number}\n" for number in range(100)]
        coordinator.write(RUNNING.id, *texts)
        await _on_log(pilot)
        await expect(pilot, "line 99")
        await pilot.press("g", "slash", *"warnx", "backspace", "enter")
        await expect(pilot, ">14:03:22.007 o  WARN 7", "'warn': 1 of 3", "n next")
        await pilot.press("n")
        await expect(pilot, ">14:03:22.047 o  WARN 47", "2 of 3")
        await pilot.press("N", "N")
        await expect(pilot, "WARN 87", "3 of 3")
        assert not _asked(coordinator, KillRuns)
        await pilot.press("escape")
        await until(pilot, lambda: "'warn'" not in screen(pilot))
        await pilot.press("slash", "escape")
        await until(pilot, lambda: not pilot.app.screen.query_one(Prompt).display)
        assert pilot.app.screen.query_one(LogPane).has_focus

    _drive(test)


def test_runs_of_one_job() -> None:
    """A key on a job lists its runs alone, the older ones too; esc lists all again."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.held = [run(0, "billing-sync", RunState.LOST, agent="app-01")]
        await _settled(pilot)
        await pilot.press("down", "o")
        await expect(pilot, "/job:billing-sync  2 of 6", "app-01", "?  lost")
        await pilot.press("escape")
        await expect(pilot, "runs 6")

    _drive(test)


def test_newest_log_of_a_job() -> None:
    """A key on a job opens its newest run."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await _settled(pilot)
        await pilot.press("down", "l")
        await expect(pilot, "✗ FAILED", "billing-sync", FAILED.id)

    _drive(test)


def test_offline_shows_old_data_and_comes_back() -> None:
    """Without a link all stays to be read, its age is told, actions say why not; then it mends."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _settled(pilot)
        coordinator.hang_up()
        await expect(pilot, "✗ OFFLINE, data", "etl-orders")
        await pilot.press("r")
        await expect(pilot, "run now: offline")
        coordinator.change(job(9, "meanwhile"))
        coordinator.come_back()
        await expect(pilot, "● live", "meanwhile", " r run now")

    _drive(test)


def test_gap_is_mended_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost update is made good by a new snapshot."""
    monkeypatch.setattr("tocsin.tui.session.RESUBSCRIBE_S", 0.0)

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _settled(pilot)
        coordinator.skip_a_number()
        coordinator.change(job(9, "after-the-gap"))
        await expect(pilot, "after-the-gap", "● live")

    _drive(test)


def test_empty_fleet_says_what_next() -> None:
    """Empty tables say what fills them."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await pilot.press("2")
        await expect(pilot, "no jobs yet: n makes one, tocsin apply FILE", "agents 2/3")
        await pilot.press("r")
        await expect(pilot, "run now: there is no job here")
        await pilot.press("3")
        await expect(pilot, "no runs yet")

    _drive(test, Coordinator([], [], AGENTS))


def test_cursor_stays_on_its_row() -> None:
    """Rows that come above do not move the cursor to another run, nor one that goes to another."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _on_runs(pilot)
        await pilot.press("down")
        table = pilot.app.screen.query_one("#list", Table)
        coordinator.change(*(run(20 + number, "reindex") for number in range(3)))
        await expect(pilot, "runs 8")
        assert table.cursor_key == FAILED.id
        assert any(line.startswith("> ✗") and "billing-sync" in line for line in lines(pilot))

    _drive(test)


def test_many_rows() -> None:
    """Ten thousand jobs are one table like any other, and the last is one key away."""
    jobs = [job(number, f"job-{number:05d}", "@hourly", 60) for number in range(10_000)]

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await pilot.press("2")
        await expect(pilot, "jobs 10000", "> ○  job-00000")
        await pilot.press("G")
        await expect(pilot, "> ○  job-09999")
        await pilot.press("ctrl+u", "k", "home")
        await expect(pilot, "> ○  job-00000")

    many = Coordinator(jobs, [], AGENTS)
    many.parts = 20
    _drive(test, many)


def test_help_lists_keys() -> None:
    """The help shows what each key does and the command for it, and closes with esc."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await _settled(pilot)
        await pilot.press("question_mark")
        await expect(pilot, "run now", "same as: tocsin job run JOB")
        await pilot.press("G")
        await expect(pilot, "leave; jobs and runs go on")
        await pilot.press("g")
        await expect(pilot, "Keys of this screen: jobs")
        await pilot.press("escape")
        await expect(pilot, "jobs 7")

    _drive(test)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
def test_leaving(key: str) -> None:
    """Both q and ctrl+c leave, with success."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await _settled(pilot)
        await pilot.press(key)
        await until(pilot, lambda: not pilot.app.is_running)
        assert pilot.app.return_code == 0

    _drive(test)


def test_leaving_asks_where_runs_would_end_with_the_program() -> None:
    """As in `tocsin up`; n stays."""

    async def drive() -> None:
        with fleet() as coordinator:
            async with shown(coordinator, ends_all=True) as pilot:
                await _settled(pilot)
                await pilot.press("q")
                await expect(pilot, "end coordinator, agent and 1 run under way?")
                await pilot.press("n")
                await expect(pilot, "jobs 7")
                await pilot.press("q")
                await expect(pilot, "under way?")
                await pilot.press("y")
                await until(pilot, lambda: not pilot.app.is_running)

    asyncio.run(drive())


def test_the_cursor_of_the_overview_stays_on_its_job() -> None:
    """Also where nobody has moved it yet, and the rows change places."""

    async def drive() -> None:
        with fleet() as coordinator:
            async with shown(coordinator, first="overview") as pilot:
                await expect(pilot, "● live", "etl-orders")
                pane = pilot.app.screen.query_one("#timeline", PickList)
                first = pane.cursor_key
                assert first != "backup-db"
                coordinator.change(run(9000, "backup-db", RunState.RUNNING, finished_us=None))
                await until(pilot, lambda: pane._lines[0].key != first)
                assert pane.cursor_key == first

    asyncio.run(drive())


def test_a_screen_that_is_taken_down_may_still_be_drawn() -> None:
    """A timer that rings while the app ends finds widgets that are gone, and harms nothing."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await _settled(pilot)
        frame = pilot.app.screen
        assert isinstance(frame, Frame)
        await frame.query_one("#header").remove()
        frame.draw()
        assert "● live" not in "".join(lines(pilot)[:1])

    _drive(test)
