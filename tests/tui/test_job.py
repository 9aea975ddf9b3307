"""The screen of a job: history, panes, versions, and what is done from there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, lines, screen, shown, until
from tests.tui.fleet import RUNS
from tests.tui.history import BILLING, OLDER, past_runs, storied_fleet
from tocsin.messages.client_answers import Declined
from tocsin.messages.client_link import GetJobVersions, ListRuns, PauseJobs, PutJobs, RunJobs
from tocsin.model import Role

Test = Callable[[Pilot[None], Coordinator], Awaitable[None]]
NEWEST = RUNS[3]


def _drive(test: Test, role: Role = Role.ADMIN, **how: Any) -> None:
    async def drive() -> None:
        async with shown(serving, **how) as pilot:
            await pilot.press("2")
            await expect(pilot, "[2 Jobs]", "etl-orders", "● live")
            await pilot.press("down", "enter")
            await expect(pilot, "Jobs > billing-sync", "History  61 newest", "v2 14 Mar")
            await test(pilot, serving)

    with storied_fleet() as serving:
        serving.role = role
        asyncio.run(drive())


def _asked(coordinator: Coordinator, kind: type[Any]) -> list[Any]:
    return [ask for ask in coordinator.asks if isinstance(ask, kind)]


def _titles(pilot: Pilot[None]) -> str:
    return "\n".join(line for line in lines(pilot) if line.startswith("─"))


def test_all_of_a_job() -> None:
    """History, fires, triggers, causes of failures, config, changes and runs, all at once."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(
            pilot,
            "every 15 minutes (UTC)", "owner=pay",
            "p50 39s", "ok 93.4%, streak: 3 fails", f"{NEWEST.id[-6:]} 14:00:00 failed, exit 1",
            "Tue 13:15:00 UTC", "jitter 0..1m: always +",
            "after ? ledger-close", "succeeded → ○ invoice-mail",
            "3 x  failed, exit 1: connection",
            "→ 3 match, 2 up", "env      DB_HOST", "secrets  API_KEY",
            "v3 11:33:22 bo  timeout: 2m → 5m", "first failing run came",
        )  # fmt: skip
        assert "billing/key" not in screen(pilot)
        assert _asked(coordinator, GetJobVersions) == [GetJobVersions("billing-sync", limit=50)]
        assert any(ask.job == "billing-sync" for ask in _asked(coordinator, ListRuns))

    _drive(test)


def test_the_cursor_goes_over_runs_and_opens_one() -> None:
    """Left and right, the ends, failures alone; enter opens the run that is told of."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        older = past_runs()
        await pilot.press("left")
        await expect(pilot, f"{older[59].id[-6:]} 13:45:30 failed, exit 1: connection refused")
        await pilot.press("home")
        await expect(pilot, f"^ {older[0].id[-6:]} Mon 23:00 ok after 30s")
        await pilot.press("F")
        await expect(pilot, "4 failed of 61 newest", "streak: 4 fails")
        await pilot.press("home", "enter")
        await expect(pilot, f"Jobs > billing-sync > {older[37].id[-6:]}".removeprefix("Jobs > "))
        await pilot.press("escape", "F")
        await expect(pilot, "History  61 newest")

    _drive(test)


def test_panes_take_the_keys_in_turn_and_can_have_all_the_room() -> None:
    """Tab goes on, z gives one pane the screen and all of them back."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("tab")
        await expect(pilot, "[Next fires]", "enter why")
        await pilot.press("tab", "tab", "enter")
        await expect(pilot, f"billing-sync > {past_runs()[59].id[-6:]}")
        await pilot.press("escape", "z")
        await until(pilot, lambda: _titles(pilot).count("─ [") == 1 and "Runs" not in screen(pilot)
                    .replace("3 Runs", ""))  # fmt: skip
        await pilot.press("tab", "tab")
        await expect(pilot, "[Changes]", "v1 10 Dec")
        assert "History" not in screen(pilot)
        await pilot.press("z")
        await expect(pilot, "[Changes]", "History", "Next fires", "Runs")

    _drive(test)


def test_triggers_lead_to_other_jobs() -> None:
    """Enter on a job that comes after this one opens it."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("tab", "tab", "down", "enter")
        await expect(pilot, "Jobs > invoice-mail", "after ✗ billing-sync succeeded")
        await pilot.press("escape")
        await expect(pilot, "Jobs > billing-sync")

    _drive(test)


def test_diff_and_the_way_through_versions() -> None:
    """What the version under the cursor changed, line by line, and its neighbours."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("d")
        await expect(pilot, "v3 11:33:22 bo", "-timeout: 2m", "+timeout: 5m")
        await pilot.press("left_square_bracket")
        await expect(pilot, "-- '*/20 * * * *'", "+- '*/15 * * * *'")
        await pilot.press("left_square_bracket")
        await expect(pilot, "created", "+  command: 'true'")
        await pilot.press("right_square_bracket", "escape")
        await expect(pilot, "Jobs > billing-sync")

    _drive(test)


def test_what_can_be_done_with_a_version_comes_first_in_the_footer() -> None:
    """While the pane of versions has the keys: else there may be no room for it."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        assert "V revert" not in lines(pilot)[-1]
        await pilot.press("tab", "tab", "tab", "tab", "tab")
        await expect(pilot, "[Changes]")
        await until(pilot, lambda: lines(pilot)[-1].startswith(" d diff  V revert"))

    _drive(test)


def test_revert_names_what_follows_and_is_undone() -> None:
    """From the newest version to the one before; to any other by the cursor. U puts it back."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("V")
        await expect(pilot, "Make billing-sync what it was in version 2?", "timeout: 5m → 2m",
                     "same as: tocsin job revert billing-sync 2")  # fmt: skip
        await pilot.press("y")
        await expect(pilot, "✓ revert billing-sync", "U undoes it")
        assert _asked(coordinator, PutJobs) == [PutJobs([OLDER], {"billing-sync": 3})]
        await pilot.press("U")
        await expect(pilot, "✓ undone: revert billing-sync")
        assert _asked(coordinator, PutJobs)[1] == PutJobs([BILLING.job], {"billing-sync": 4})

    _drive(test)


def test_revert_to_the_version_under_the_cursor() -> None:
    """The changes have a cursor of their own."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("tab", "tab", "tab", "tab", "tab", "end", "V")
        await expect(pilot, "what it was in version 1?", "schedule: [")

    _drive(test)


def test_pause_with_a_length_and_a_reason() -> None:
    """Both are typed in one line, and stand in the command that does the same."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("P")
        await expect(pilot, "pause for how long, and why")
        await pilot.press(*"2h disk work", "enter")
        await expect(pilot, "✓ pause why billing-sync", "U undoes it", "--for 2h")
        assert _asked(coordinator, PauseJobs) == [PauseJobs(["billing-sync"], "disk work", 7200.0)]
        await expect(pilot, "‖ billing-sync", "paused")
        await pilot.press("P", "enter", "P", "escape")
        await until(pilot, lambda: "pause for how long" not in screen(pilot))
        assert len(_asked(coordinator, PauseJobs)) == 1

    _drive(test)


def test_a_viewer_reads_and_changes_nothing() -> None:
    """A key that one may not use says what it would need."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await until(pilot, lambda: "p pause" not in screen(pilot))
        await pilot.press("V")
        await expect(pilot, "revert: it needs the role author, and yours is viewer")
        assert not _asked(coordinator, PutJobs)

    _drive(test, Role.VIEWER)


def test_a_removed_job_is_still_told_of() -> None:
    """It can be brought back as it was in any version."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.change(gone=("billing-sync",))
        await expect(
            pilot, "removed; its runs stay on record. V brings it back", "it does not fire any more"
        )
        await pilot.press("r")
        await expect(pilot, "run now: the job was removed; V brings it back")
        assert not [ask for ask in coordinator.asks if isinstance(ask, RunJobs)]
        await pilot.press("V")
        await expect(pilot, "Bring billing-sync back as it was in version 3?")

    _drive(test)


def test_versions_that_cannot_be_had_say_why() -> None:
    """The rest of the screen is there all the same."""

    async def drive() -> None:
        async with shown(serving) as pilot:
            await pilot.press("2", "down", "enter")
            await expect(pilot, "it is too old for that", "Next fires", "History  61 newest")
            await pilot.press("d")
            await expect(pilot, "diff: its versions are not known")

    with storied_fleet() as serving:
        serving.answers = lambda ask: (
            Declined("it is too old for that") if isinstance(ask, GetJobVersions) else None
        )
        asyncio.run(drive())


def test_a_change_is_followed() -> None:
    """A new version brings its row at once, and the list of versions is asked for again."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.change(replace(BILLING, version=4))
        await expect(pilot, "Config v4")
        await until(pilot, lambda: len(_asked(coordinator, GetJobVersions)) == 2)

    _drive(test)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (140, 40), (200, 50), (60, 14), (99, 60)])
def test_any_size_has_the_pane_with_the_keys(size: tuple[int, int]) -> None:
    """On a low screen fewer panes are there; the one that has the keys always is."""

    async def drive() -> None:
        async with shown(serving, size) as pilot:
            await pilot.press("2")
            await expect(pilot, "cert-renew")
            await pilot.press("down", "enter")
            await expect(pilot, "[History  61 newest]")
            for title in ("Next fires", "Depends on", "Fails", "Config v3", "Changes", "Runs"):
                await pilot.press("tab")
                await expect(pilot, f"─ [{title}")
                assert len(lines(pilot)) == size[1]
            await pilot.press("tab")
            await expect(pilot, "[History  61 newest]")

    with storied_fleet() as serving:
        asyncio.run(drive())
