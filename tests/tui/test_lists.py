"""Lists of jobs and runs: filter, sort, marks, commands by name, undo, what a role may not do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, fleet, lines, screen, shown, until
from tests.tui.fleet import JOBS, job
from tocsin.messages.client_link import PauseJobs, PutJobs, RemoveJobs, ResumeJobs
from tocsin.model import Role

Test = Callable[[Pilot[None], Coordinator], Awaitable[None]]

_GLYPHS = {f"{glyph} " for glyph in "●✗‖►○"}


def _drive(test: Test, role: Role = Role.ADMIN, **how: Any) -> None:
    async def drive() -> None:
        async with shown(serving, **how) as pilot:
            await pilot.press("2")
            await expect(pilot, "[2 Jobs]", "etl-orders", "● live")
            await test(pilot, serving)

    with fleet() as serving:
        serving.role = role
        asyncio.run(drive())


def _names(pilot: Pilot[None]) -> list[str]:
    return [line[2:].split()[1] for line in lines(pilot) if line[2:4] in _GLYPHS]


def _asked(coordinator: Coordinator, kind: type[Any]) -> list[Any]:
    return [ask for ask in coordinator.asks if isinstance(ask, kind)]


def test_filter_narrows_while_it_is_typed_and_escape_widens() -> None:
    """What is typed behind the slash counts at once; escape in the prompt leaves all as it was."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("slash", *"state:failed")
        await expect(pilot, "/state:failed  1 of 7", "billing-sync")
        await until(pilot, lambda: "backup-db" not in screen(pilot))
        await pilot.press("escape")
        await expect(pilot, "jobs 7", "backup-db")
        await pilot.press("slash", *"!paused", "enter")
        await expect(pilot, "/!paused  6 of 7")
        await pilot.press("escape")
        await expect(pilot, "jobs 7")

    _drive(test)


def test_nothing_matches_says_what_brings_all_back() -> None:
    """A filter that leaves nothing tells how to get rid of it."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("slash", *"zzz", "enter")
        await expect(pilot, "nothing matches 'zzz': esc lists all")

    _drive(test)


def test_sorting_goes_through_the_columns_and_turns_round() -> None:
    """The title of the column that is sorted by says so."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("s")
        await expect(pilot, "NEXT ^")
        await until(pilot, lambda: _names(pilot)[:2] == ["cert-renew", "billing-sync"])
        await pilot.press("S")
        await expect(pilot, "NEXT v")
        await until(pilot, lambda: _names(pilot)[-1:] == ["cert-renew"])

    _drive(test)


def test_the_cursor_is_in_sight_however_rows_are_sorted() -> None:
    """Keys act on the row under it, so it is followed to where it stands now."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        names = [f"extra-{number:02}" for number in range(60)]
        coordinator.change(*(job(100 + number, name) for number, name in enumerate(names)))
        await expect(pilot, "jobs 67")
        for keys in ("G", "S", "s", "S"):
            await pilot.press(keys)
            await until(pilot, lambda: any(line.startswith(">") for line in lines(pilot)))

    _drive(test)


def test_what_was_said_is_gone_on_coming_back() -> None:
    """It was of another time."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("p")
        await expect(pilot, "✓ pause backup-db")
        await pilot.press("3")
        await expect(pilot, "[3 Runs]")
        await pilot.press("2")
        await expect(pilot, "[2 Jobs]", "p resume")
        assert "✓ pause backup-db" not in screen(pilot)

    _drive(test)


def test_while_something_is_typed_the_last_line_says_how_it_ends() -> None:
    """The keys of the list mean nothing then."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("slash")
        await expect(pilot, "enter takes it   esc leaves all as it was")
        assert "q quit" not in screen(pilot)
        await pilot.press("escape")
        await expect(pilot, "q quit")

    _drive(test)


def test_a_long_filter_is_cut_at_its_end() -> None:
    """How much it leaves is always there."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("slash", *"billing-sync", "enter")
        await expect(pilot, "/billin…  1 of 7")

    _drive(test, size=(80, 24))


def test_marked_jobs_are_paused_together_and_undone_together() -> None:
    """A key acts on all that is marked; U takes back what it changed, and only that."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("asterisk")
        await expect(pilot, "7 marked")
        await pilot.press("p")
        await expect(pilot, "✓ pause 7 jobs", "U undoes it")
        others = sorted(row.job.name for row in JOBS if not row.paused)
        assert _asked(coordinator, PauseJobs) == [PauseJobs(others)]
        await pilot.press("U")
        await expect(pilot, "✓ undone: pause 7 jobs")
        assert _asked(coordinator, ResumeJobs) == [ResumeJobs(others)]
        await pilot.press("U")
        await expect(pilot, "undo: nothing that can be taken back was done in the last ten minutes")
        await pilot.press("escape")
        await expect(pilot, "jobs 7")
        assert "marked" not in screen(pilot)

    _drive(test)


def test_removal_asks_and_can_be_undone() -> None:
    """A removed job comes back as it was."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("down", "D")
        await expect(pilot, "Remove billing-sync?", "stay on record")
        await pilot.press("y")
        await expect(pilot, "✓ remove billing-sync", "jobs 6")
        assert _asked(coordinator, RemoveJobs) == [RemoveJobs(["billing-sync"])]
        await pilot.press("U")
        await expect(pilot, "✓ undone: remove billing-sync", "jobs 7")
        assert _asked(coordinator, PutJobs) == [PutJobs([JOBS[1].job], {"billing-sync": 0})]

    _drive(test)


def test_commands_are_typed_completed_and_told_when_wrong() -> None:
    """Behind the colon every action has its name, completed by tab."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("colon", *"pau", "tab", *"etl", "tab", "enter")
        await expect(pilot, "✓ pause etl-orders")
        assert _asked(coordinator, PauseJobs) == [PauseJobs(["etl-orders"])]
        await pilot.press("colon", *"puase x", "enter")
        await expect(pilot, 'did you mean "pause"?')
        await pilot.press("colon", *"runs state:lost", "enter")
        await expect(pilot, "[3 Runs]", "/state:lost  0 of 5")

    _drive(test)


def test_a_viewer_is_offered_nothing_that_changes_things() -> None:
    """The keys of an operator are not in the footer, and say what they would need."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await until(pilot, lambda: "p pause" not in screen(pilot))
        await pilot.press("p")
        await expect(pilot, "pause: it needs the role operator, and yours is viewer")
        assert not _asked(coordinator, PauseJobs)

    _drive(test, Role.VIEWER)


def test_a_read_only_context_changes_nothing() -> None:
    """Whatever the role, a context that is read-only says so and sends nothing."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "READ-ONLY")
        assert "p pause" not in screen(pilot)
        await pilot.press("p")
        await expect(pilot, "pause: this context is read-only")
        assert not _asked(coordinator, PauseJobs)

    _drive(test, read_only=True)


def test_keys_of_the_users_choice() -> None:
    """A key from the settings does what its action says, and stands in the footer."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "F6 pause")
        await pilot.press("f6")
        await expect(pilot, "✓ pause backup-db")
        assert _asked(coordinator, PauseJobs) == [PauseJobs(["backup-db"])]

    _drive(test, keys={"pause": "f6"})


def test_times_in_utc() -> None:
    """One key tells all times in UTC, and in the own zone again."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("t")
        await expect(pilot, "13:03:22 UTC")
        await pilot.press("t")
        await expect(pilot, "14:03:22 CET")

    _drive(test)
