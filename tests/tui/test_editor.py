"""The job editor under a pilot: written with keys, saved, refused, interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, fleet, lines, screen, shown, until
from tests.tui.editing_keys import edit, to, type_text
from tests.tui.fleet import JOBS, at, job
from tocsin.messages.client_answers import Declined
from tocsin.messages.client_link import PutJobs, RemoveJobs
from tocsin.model import Job, Role
from tocsin.tui.app import TocsinApp
from tocsin.tui.screens.editor import EditorScreen

Test = Callable[[Pilot[None], Coordinator], Awaitable[None]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Drafts are kept below it."""
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path))
    return tmp_path


def _drive(test: Test, coordinator: Coordinator | None = None, **how: Any) -> None:
    async def drive() -> None:
        async with shown(serving, **how) as pilot:
            await expect(pilot, "● live", "agents 2/3", "etl-orders")
            await test(pilot, serving)

    with coordinator or fleet() as serving:
        asyncio.run(drive())


def _puts(coordinator: Coordinator) -> list[PutJobs]:
    return [ask for ask in coordinator.asks if isinstance(ask, PutJobs)]


def _drafts(home: Path) -> list[Path]:
    return sorted((home / "data" / "drafts").rglob("*.json"))


def test_job_is_made_with_keys_alone(home: Path) -> None:
    """From nothing to a saved job; U takes it away once that is confirmed, and gives it back."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("n")
        await expect(pilot, "new job", "(needed)", "F2 save")
        await type_text(pilot, "nightly")
        await to(pilot, "command")
        await type_text(pilot, "echo hi")
        await to(pilot, "Schedule")
        await type_text(pilot, "30 2 * * *")
        await expect(pilot, "= at 02:30 every day (UTC)", "7 fires a week", " valid")
        await pilot.press("f2")
        await expect(pilot, "Create nightly?", "+ schedule: 30 2 * * *", "y save")
        await pilot.press("y")
        await expect(pilot, "✓ saved nightly, version 1: next in 13h26m", "[2 Jobs]", "U undoes it")
        assert _puts(coordinator) == [
            PutJobs(
                [Job(name="nightly", executor="shell", config={"command": "echo hi"},
                     schedule=["30 2 * * *"])],
                {"nightly": 0},
            )
        ]  # fmt: skip
        assert not _drafts(home)
        await pilot.press("U")
        await expect(pilot, "Remove nightly?", "stay on record")
        await pilot.press("n", "U")
        await expect(pilot, "Remove nightly?")
        assert RemoveJobs(["nightly"]) not in coordinator.asks
        await pilot.press("y")
        await expect(pilot, "✓ remove nightly", "U undoes it")
        assert RemoveJobs(["nightly"]) in coordinator.asks
        await pilot.press("U")
        await expect(pilot, "✓ undone: remove nightly")

    _drive(test)


def test_wrong_schedule_cannot_be_saved() -> None:
    """What is wrong is told beside the field, and nothing is asked of the coordinator."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await edit(pilot)
        await to(pilot, "Schedule")
        await pilot.press("ctrl+u")
        await type_text(pilot, "61 * * * *")
        await expect(pilot, "✗ minute '61'", "1 thing wrong: Schedule")
        await pilot.press("f2")
        await expect(pilot, "not saved: 1 thing wrong: Schedule")
        assert not _puts(coordinator)
        await pilot.press("ctrl+u")
        await type_text(pilot, "@daily")
        await expect(pilot, "valid", "1 change", "672 → 7 fires a week")
        assert "not saved" not in screen(pilot)
        await pilot.press("f2")
        await expect(
            pilot, "Save billing-sync, version 1 → 2?", "~ schedule: */15 * * * * → @daily"
        )
        await pilot.press("n")
        await expect(pilot, "F2 save", ">Schedule")
        await pilot.press("f2", "y")
        await expect(pilot, "✓ saved billing-sync, version 2")
        (put,) = _puts(coordinator)
        assert put.expected == {"billing-sync": 1}
        assert put.jobs[0].schedule == ["@daily"]
        await pilot.press("U")
        await expect(pilot, "✓ undone: edit billing-sync")
        assert _puts(coordinator)[-1] == PutJobs([JOBS[1].job], {"billing-sync": 2})

    _drive(test)


def test_what_was_typed_draws_at_once_and_keys_are_no_commands() -> None:
    """Letters that are keys elsewhere are text here; ? and : too."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await edit(pilot)
        await pilot.press("tab")
        await type_text(pilot, "q:?rpU1")
        await expect(pilot, "[q:?rpU1")

    _drive(test)


def test_clone() -> None:
    """A clone is a new job with another name and all else as it was."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("g", *["down"] * 4, "c")
        await expect(pilot, "clone of etl-orders", "etl-orders-copy")
        await pilot.press("f2")
        await expect(pilot, "Create etl-orders-copy?")
        await pilot.press("y")
        await expect(pilot, "✓ saved etl-orders-copy, version 1")
        (put,) = _puts(coordinator)
        assert put.jobs == [msgspec.structs.replace(JOBS[4].job, name="etl-orders-copy")]
        assert put.expected == {"etl-orders-copy": 0}

    _drive(test)


async def _conflicted(pilot: Pilot[None], coordinator: Coordinator) -> None:
    await edit(pilot)
    await to(pilot, "Timeout")
    await type_text(pilot, "5m")
    theirs = job(2, "billing-sync", "0 * * * *", priority=5, changed_by="ana", changed_us=at(-60))
    coordinator.change(msgspec.structs.replace(theirs, version=2))
    await expect(pilot, "1 change")
    await pilot.press("f2")
    await expect(pilot, "version 1 → 2?")
    await pilot.press("y")
    await expect(
        pilot,
        "ana changed billing-sync 1m ago",
        "is 2 now",
        "~ schedule: */15 * * * * → 0 * * * *",
        "m put your change onto theirs",
    )


def test_conflict_puts_my_change_onto_theirs() -> None:
    """Somebody else was there before: one sees what they did, and makes the own change on it."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _conflicted(pilot, coordinator)
        await pilot.press("m")
        await expect(pilot, "Save billing-sync, version 2 → 3?", "+ timeout: 5m", "y save")
        await pilot.press("y")
        await expect(pilot, "✓ saved billing-sync, version 3")
        put = _puts(coordinator)[-1]
        assert put.expected == {"billing-sync": 2}
        assert put.jobs[0].timeout_s == 300
        assert put.jobs[0].schedule == ["0 * * * *"]
        assert put.jobs[0].priority == 5

    _drive(test)


def test_conflict_leaves_everything_as_it_was_written(home: Path) -> None:
    """Back in the form nothing is lost; leaving asks, and the draft is offered the next time."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _conflicted(pilot, coordinator)
        await pilot.press("escape")
        await expect(pilot, "F2 save", "[5m")
        await pilot.press("escape")
        await expect(pilot, "billing-sync is not saved.", "k keep it as a draft and leave")
        await pilot.press("k")
        await expect(pilot, "n new job", "cleanup-tmp")
        (kept,) = _drafts(home)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        await pilot.press("e")
        await expect(pilot, "You were writing billing-sync", "It was version 1 then and is 2 now")
        await pilot.press("g")
        await expect(pilot, "edit billing-sync v1", "+ timeout: 5m", "1 change")

    _drive(test)


def test_link_that_is_down_loses_nothing(home: Path) -> None:
    """One writes on, the draft is kept, and when the link is back it is saved."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await edit(pilot)
        coordinator.hang_up()
        await expect(pilot, "OFFLINE")
        await to(pilot, "Timeout")
        await type_text(pilot, "5m")
        await expect(pilot, "[5m", "1 change")
        await pilot.press("f2")
        await expect(pilot, "not saved: offline; what you wrote is kept on this host")
        assert len(_drafts(home)) == 1
        coordinator.come_back()
        await expect(pilot, "● live")
        await pilot.press("f2")
        await expect(pilot, "y save")
        await pilot.press("y")
        await expect(pilot, "✓ saved billing-sync, version 2")
        assert not _drafts(home)

    _drive(test)


def test_refusal_stands_at_its_field() -> None:
    """What only the coordinator knows is told beside the field, until that is written anew."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await edit(pilot)
        await pilot.press("f6")
        await to(pilot, "Pool")
        await type_text(pilot, "db")
        await pilot.press("f2")
        await expect(pilot, "y save")
        await pilot.press("y")
        await expect(pilot, ">Pool          [db", "✗ there is no pool 'db'", "1 thing wrong: Pool")
        await pilot.press("ctrl+u")
        await expect(pilot, "unchanged")
        assert "there is no pool 'db' (" not in "\n".join(lines(pilot)[:24])

    _drive(test)


def test_leaving_without_changes_asks_nothing(home: Path) -> None:
    """Nor does it keep anything."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await edit(pilot)
        await pilot.press("escape")
        await expect(pilot, "n new job")
        await pilot.press("n")
        await expect(pilot, "(needed)")
        await pilot.press("x", "backspace", "escape")
        await expect(pilot, "cleanup-tmp", "n new job")
        assert not _drafts(home)

    _drive(test)


def test_thrown_away(home: Path) -> None:
    """A draft that is thrown away is not offered again."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await edit(pilot)
        await to(pilot, "Timeout")
        await pilot.press("5", "escape")
        await expect(pilot, "d throw it away")
        await pilot.press("d")
        await expect(pilot, "n new job")
        assert not _drafts(home)

    _drive(test)


def test_viewer_is_not_offered_to_edit() -> None:
    """Who may not change jobs has no key for it."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await until(pilot, lambda: "n new job" not in screen(pilot))
        await pilot.press("e")
        await expect(pilot, "edit: it needs the role author")
        assert not _puts(coordinator)

    coordinator = fleet()
    coordinator.role = Role.VIEWER
    _drive(test, coordinator)


def test_panes_beside_the_form() -> None:
    """The whole job as YAML, the fires where there is no room for them, help on the field."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await edit(pilot)
        assert "Next fires" not in screen(pilot)
        await pilot.press("f5")
        await expect(pilot, "Next fires", "672 fires a week")
        await pilot.press("escape")
        await expect(pilot, ">Name")
        await pilot.press("f3")
        await expect(pilot, "  billing-sync:", "- '*/15 * * * *'", "command: 'true'")
        await pilot.press("f3", "tab", "f1")
        await expect(pilot, "About: one line for people", "in a job file: description", "F2")
        await pilot.press("escape")
        await expect(pilot, ">About")

    _drive(test, size=(80, 24))


def test_paste() -> None:
    """What is pasted goes into the field, in one piece."""

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await edit(pilot)
        assert isinstance(pilot.app.screen, EditorScreen)
        await to(pilot, "command")
        pilot.app.screen._form._paste("set -e\nmake all\n")
        await expect(pilot, "set -e", "make all")

    _drive(test)


# The user's own editor.


def _texts(home: Path) -> list[Path]:
    return list(home.rglob("*.yaml"))


def _editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program in the place of the user's editor."""
    path = tmp_path / "editor with spaces.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"'{path}' --wait")
    # A test has no terminal that could be given to the editor.
    monkeypatch.setattr(TocsinApp, "suspend", lambda _: contextlib.nullcontext())


def test_own_editor_changes_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the editor leaves is shown, asked about and saved; the file is for the user alone."""
    _editor(
        tmp_path, monkeypatch, f'stat -c %a "$2" > {tmp_path}/mode; sed -i "s#\\*/15#*/30#" "$2"'
    )

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("g", "down", "E")
        await expect(pilot, "Save billing-sync", "*/15 * * * * → */30 * * * *")
        assert (tmp_path / "mode").read_text() == "600\n"
        await pilot.press("y")
        await expect(pilot, "✓ saved billing-sync, version 2")
        assert _puts(coordinator)[0].jobs[0].schedule == ["*/30 * * * *"]
        assert not _texts(tmp_path)

    _drive(test)


def test_own_editor_that_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that stays as it was changes nothing, and asks nothing."""
    _editor(tmp_path, monkeypatch, "true")

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("g", "down", "E")
        await expect(pilot, "nothing was changed", "n new job")
        assert not _puts(coordinator)

    _drive(test)


def test_own_editor_that_breaks_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is told, and stands on top of the text when one goes back into the editor."""
    _editor(
        tmp_path,
        monkeypatch,
        f'if grep -q "✗" "$2"; then head -1 "$2" > {tmp_path}/first; sed -i "s/bananas/1h/" "$2"; '
        'else echo "    timeout: bananas" >> "$2"; fi',
    )

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await pilot.press("g", "down", "E")
        await expect(pilot, "This is no job yet", '"bananas" is not understood', "e back into")
        await pilot.press("e")
        await expect(pilot, "Save billing-sync", "+ timeout: 1h")
        first = (tmp_path / "first").read_text()
        assert first.startswith("# ✗ line ")
        assert "jobs.billing-sync.timeout" in first

    _drive(test)


def test_own_editor_leaves_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is not taken over is not lost: it is said where it is."""
    _editor(tmp_path, monkeypatch, 'echo "nonsense: [" > "$2"')

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await edit(pilot)
        await pilot.press("f4")
        await expect(pilot, "This is no job yet", "not YAML")
        await pilot.press("escape")
        await expect(pilot, "nothing was saved; the text is in")
        (left,) = _texts(tmp_path)
        assert left.read_text() == "nonsense: [\n"
        assert not _puts(coordinator)

    _drive(test)


@pytest.mark.parametrize(
    ("command", "said"),
    [("/no/such/editor", "cannot be started"), ("false", "ended with 1"), ("'", "cannot be read")],
)
def test_editor_that_does_not_work(
    command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said why, and the form is there."""
    _editor(tmp_path, monkeypatch, "true")
    monkeypatch.setenv("EDITOR", command)

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await edit(pilot)
        await pilot.press("f4")
        await expect(pilot, said, ">Name")

    _drive(test)


def test_store_that_cannot_be_written_is_told() -> None:
    """A refusal without a place is told as it is, and the form stays."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.decline = lambda ask: (
            Declined("the store cannot be written", "free some space")
            if isinstance(ask, PutJobs)
            else None
        )
        await edit(pilot)
        await to(pilot, "Timeout")
        await pilot.press("5", "m", "f2", "y")
        await expect(pilot, "✗ not saved: the store cannot be written", "[5m")
        coordinator.decline = lambda _: None
        await pilot.press("f2", "y")
        await expect(pilot, "✓ saved billing-sync, version 2")

    _drive(test)


def test_draft_that_cannot_be_kept_is_said(home: Path) -> None:
    """Writing goes on where the disk does not take the draft."""
    (home / "data").mkdir()
    (home / "data" / "drafts").write_text("in the way")
    assert os.access(home, os.W_OK)

    async def test(pilot: Pilot[None], _coordinator: Coordinator) -> None:
        await edit(pilot)
        await to(pilot, "Timeout")
        await pilot.press("5", "m")
        await expect(pilot, "the draft cannot be kept", "[5m")

    _drive(test)
