"""The log of a run under a pilot: paged, found in, filtered, wrapped, marked, given away."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, fleet, lines, screen, shown, until
from tests.tui.fleet import FAILED, RUNNING, at, run
from tocsin.messages.client_link import FindOutput, ReadOutput, RerunRuns
from tocsin.model import RunState
from tocsin.tui.widgets.log_pane import LogPane

_LEFT, _RIGHT = "‹", "›"  # noqa: RUF001 - meant
"""Where a line is cut off."""
TORN = 520
"""The last piece that is not loaded."""
Test = Callable[[Pilot[None], Coordinator], Awaitable[None]]


def _drive(
    test: Test,
    *texts: str,
    page_pieces: int = 10_000,
    wait: str = "FOLLOW",
    lost_bytes: int = 0,
) -> None:
    """Test with a run that printed these texts, and before them so much that is not kept."""

    async def drive() -> None:
        async with shown(serving) as pilot:
            await expect(pilot, "● live", "1 running")
            serving.page_pieces = page_pieces
            if lost_bytes:
                serving.lose(RUNNING.id, lost_bytes)
            serving.write(RUNNING.id, *texts)
            await pilot.press("3", "enter")
            await expect(pilot, "► RUNNING  etl-orders", wait)
            await test(pilot, serving)

    with fleet() as serving:
        asyncio.run(drive())


def _pane(pilot: Pilot[None]) -> LogPane:
    return pilot.app.screen.query_one(LogPane)


def _log(pilot: Pilot[None]) -> list[str]:
    """The rows of the log."""
    begin = next(n for n, line in enumerate(lines(pilot)) if line.startswith("─ Log"))
    return [line for line in lines(pilot)[begin + 1 : begin + 1 + _pane(pilot).size.height] if line]


def _many(count: int) -> list[str]:
    return [f"line {number}\n" for number in range(count)]


def test_the_end_is_there_first_and_the_rest_is_read_back() -> None:
    """A large log opens at its end; g goes to the true first line, G back to the end."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "line 999", "lines loaded")
        assert not [
            ask for ask in coordinator.asks if isinstance(ask, ReadOutput) and not ask.after
        ]
        await pilot.press("g")
        await expect(pilot, ">14:03:22.000 o  line 0", "f follows")
        await pilot.press(*["pagedown"] * 4)
        await expect(pilot, "line 90", "line 100")
        coordinator.write(RUNNING.id, "line 1000\n")
        await expect(pilot, "+1 new")
        await pilot.press("G")
        await expect(pilot, "line 1000", "FOLLOW")

    _drive(test, *_many(1000), page_pieces=50)


def test_scrolling_up_reads_on_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page up to the beginning, in a window that holds a part of it only."""
    monkeypatch.setattr("tocsin.tui.log_lines.LINES_MAX", 120)

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "line 399")
        seen: set[str] = set()
        for _page in range(60):
            await pilot.press("b")
            await pilot.pause()
            seen |= {line.split("o  ")[1] for line in _log(pilot) if "o  line" in line}
            if "line 0" in seen:
                break
        await until(pilot, lambda: "line 0" in screen(pilot))
        assert seen >= {f"line {number}" for number in range(370)}
        assert _pane(pilot).sight.lines.end - _pane(pilot).sight.lines.first <= 240
        await pilot.press(*["space"] * 40)
        await expect(pilot, "line 399")

    _drive(test, *_many(400), page_pieces=40)


def test_a_text_is_found_where_it_is_not_loaded() -> None:
    """The coordinator looks for it, either way and round the end; none at all is told."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "line 599")
        await pilot.press("slash", *"needle", "enter")
        await expect(pilot, ">14:03:22.100 o  a NEEDLE", "'needle': 1 of 1+ loaded")
        await pilot.press("n")
        await expect(pilot, ">14:03:22.300 o  another needle")
        await pilot.press("n")
        await expect(pilot, ">14:03:22.100 o  a NEEDLE")
        await pilot.press("N")
        await expect(pilot, ">14:03:22.300 o  another needle")
        assert [ask for ask in coordinator.asks if isinstance(ask, FindOutput) and ask.backward]
        await pilot.press("escape", "slash", *"nowhere", "enter")
        await expect(pilot, "'nowhere': 0 of 0")
        await pilot.press("escape")
        await until(pilot, lambda: "nowhere" not in screen(pilot))

    texts = _many(600)
    texts[100], texts[300] = "a NEEDLE\n", "another needle\n"
    _drive(test, *texts, page_pieces=30)


def test_a_text_that_is_torn_is_found() -> None:
    """It begins before what is loaded, and ends in the first piece of it."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "line 599")
        await until(pilot, lambda: _pane(pilot).sight.lines.before == TORN + 1)
        await pilot.press("slash", *"needle", "enter")
        await expect(pilot, "o  a needle here", "'needle': 1 of 2+ loaded")
        await pilot.press("n")
        await expect(pilot, "o  another needle", "'needle': 2 of 2+ loaded")

    texts = _many(600)
    texts[TORN - 1 : TORN + 1] = ["a nee", "dle here\n"]
    texts[TORN + 9] = "another needle\n"
    _drive(test, *texts, page_pieces=(600 - TORN) // 2)


def test_an_expression_is_found_and_shown_alone() -> None:
    """Between slashes, loaded or not; what is wrong is told, and what never ends is given up."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "line 599")
        await pilot.press("slash", *"/n[e]{2}dle/", "enter")
        await expect(pilot, ">14:03:22.100 o  a NEEDLE", "/n[e]{2}dle/: 1 of 1+ loaded")
        await pilot.press("n")
        await expect(pilot, ">14:03:22.300 o  another needle")
        await pilot.press("N", "N")
        await expect(pilot, ">14:03:22.300 o  another needle")
        assert not [ask for ask in coordinator.asks if isinstance(ask, FindOutput)]
        await pilot.press("escape", "ampersand", *"/(x/", "enter")
        await expect(pilot, "only: /(x/ is no regular expression: missing )")
        await pilot.press("ampersand", *"/9{2}$/", "enter")
        await expect(pilot, "only /9{2}$/", "hidden by filter /9{2}$/")
        await pilot.press("escape", "G")
        coordinator.write(RUNNING.id, f"{'a' * 60}\n")
        await expect(pilot, "aaaa")
        await pilot.press("slash", *"/(a+)+b/", "enter")
        await expect(pilot, "/(a+)+b/ takes too long: a simpler expression may not")
        await pilot.press("colon", *"only !/(a+)+b/", "enter")
        await expect(pilot, "!/(a+)+b/ takes too long", "aaaa")

    texts = _many(600)
    texts[100], texts[300] = "a NEEDLE\n", "another needle\n"
    _drive(test, *texts, page_pieces=30)


def test_only_what_matches() -> None:
    """What a filter hides is counted in its place; ! turns it round; esc shows all again."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "batch 39")
        await pilot.press("ampersand", *"warn", "enter")
        await expect(pilot, "only warn", "WARN reject", "── 41 lines hidden by filter warn ──")
        assert "batch" not in "\n".join(_log(pilot))
        coordinator.write(RUNNING.id, "batch 40\n", "Warned\n")
        await expect(pilot, "Warned", "── 1 line hidden by filter warn ──")
        await pilot.press("ampersand", *["backspace"] * 4, *"!batch", "enter")
        await expect(pilot, "hidden by filter !batch", "start")
        await pilot.press("escape")
        await expect(pilot, "batch 39")

    _drive(test, "start\n", *(f"batch {number}\n" for number in range(40)), "WARN reject\n")


def test_streams_times_and_wrapping() -> None:
    """One stream alone, other times, and long lines in several rows."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.write(RUNNING.id, "oops\n", stream=2)
        await expect(pilot, "e  oops")
        await pilot.press("s")
        await expect(pilot, "─ Log  stdout ", "── 1 line hidden all but stdout ──")
        await pilot.press("s")
        await expect(pilot, "─ Log  stderr ", "oops")
        await pilot.press("s", "T")
        await expect(pilot, "00:14:11.000 o  xxx")
        await pilot.press("T", "W")
        await expect(pilot, " o  " + "x" * 96, "    " + "x" * 24 + "yy")
        await pilot.resize_terminal(80, 24)
        await expect(pilot, " o  " + "x" * 76, "    " + "x" * 44 + "yy")
        await pilot.press("W", *["right"] * 15)
        await expect(pilot, f" o {_LEFT}yy")

    _drive(test, "x" * 120 + "yy\n", "second\n")


def test_what_is_cut_off_is_marked_and_a_match_in_it_comes_into_sight() -> None:
    """Sideways, or with wrapped lines in the row of the line that has it."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        width = _pane(pilot).size.width
        await expect(pilot, "x" * 40 + _RIGHT, "second")
        assert all(len(line) <= width for line in _log(pilot))
        await pilot.press("slash", *"end", "enter")
        await expect(pilot, f" o {_LEFT}xxx", "xEND", "'end': 1 of 2")
        assert not any(f"xEND{_RIGHT}" in line for line in _log(pilot))
        await pilot.press("n")
        await expect(pilot, "o  second end", "'end': 2 of 2")
        await pilot.press("W")
        await until(pilot, lambda: _RIGHT not in screen(pilot))
        await pilot.press("g")
        await until(pilot, lambda: "END" not in screen(pilot))
        await pilot.press("N", "N")
        await expect(pilot, "xEND", "'end': 1 of 2")

    _drive(test, "x" * 3880 + "END\n", "second end\n")


def test_what_is_not_kept_is_told() -> None:
    """Above the log, and when something is not found or no line is left to be shown."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "line 19", "21 lines, 150 B  2.5 MiB not kept", "not kept here")
        await pilot.press("slash", *"nowhere", "enter")
        await expect(
            pilot, "'nowhere' is nowhere in the output so far, of which 2.5 MiB is not kept"
        )
        await pilot.press("ampersand", *"nowhere", "enter")
        await expect(pilot, "there is no such line: nowhere; 2.5 MiB of the output is not kept")

    _drive(test, *_many(20), lost_bytes=5 << 19)


def test_a_log_cannot_be_read_while_offline() -> None:
    """What cannot be known is not told as if there were nothing; what was read is not followed."""

    async def drive() -> None:
        async with shown(serving) as pilot:
            await expect(pilot, "● live", "1 running")
            serving.write(RUNNING.id, "line 0\n")
            await pilot.press("3")
            await expect(pilot, "etl-orders")
            serving.hang_up()
            await expect(pilot, "OFFLINE, data")
            await pilot.press("enter")
            await expect(pilot, "─ Log  stdout+stderr ─", "cannot be read while offline ─")
            assert "cannot be read while offline" in "".join(_log(pilot))
            serving.come_back()
            await expect(pilot, "line 0", "1 line, 7 B", "FOLLOW")
            serving.hang_up()
            await expect(pilot, "line 0", "OFFLINE ─")

    with fleet() as serving:
        asyncio.run(drive())


def test_bookmarks_and_copying() -> None:
    """A marked line is gone back to, from wherever the reader is, and a line is copied."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "line 499")
        await pilot.press("apostrophe")
        await pilot.press("g")
        await expect(pilot, "line 0")
        await pilot.press("down", "down", "m", "G")
        await expect(pilot, "line 499", "FOLLOW")
        await pilot.press("apostrophe")
        await expect(pilot, ">14:03:22.002 o  line 2")
        await pilot.press("down")
        await expect(pilot, "*14:03:22.002 o  line 2", ">14:03:22.003 o  line 3")
        await pilot.press("y")
        await expect(pilot, "✓ copied line 3")
        assert pilot.app.clipboard == "line 3"

    _drive(test, *_many(500), page_pieces=40)


def test_saving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole log goes to a new file that nobody else can read, and it is said where."""
    monkeypatch.chdir(tmp_path)

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await expect(pilot, "line 299")
        await pilot.press("S")
        await expect(pilot, "✓ saved")
        await pilot.press("S")
        await until(pilot, lambda: len(list(tmp_path.iterdir())) == 2)
        first = tmp_path / f"{RUNNING.id}.log"
        assert first.read_text() == "".join(_many(300))
        assert stat.S_IMODE(first.stat().st_mode) == 0o600

    _drive(test, *_many(300), page_pieces=40)


def test_no_terminal_for_a_pager() -> None:
    """Where the terminal cannot be given away, that is said."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("o")
        await expect(pilot, "pager: this terminal cannot be given to it")

    _drive(test, *_many(3))


def test_what_is_known_besides_the_log() -> None:
    """Earlier runs, what is usual, other attempts, the verdict, and what can be done."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        first = run(5, "etl-orders", RunState.FAILED, agent="etl-01", started_us=at(-900),
                    finished_us=at(-880), exit_code=3)  # fmt: skip
        coordinator.attempts = [first]
        coordinator.held = [
            run(-number, "etl-orders", RunState.SUCCEEDED, started_us=at(-4000 * number),
                finished_us=at(-4000 * number + 1000 + number))
            for number in range(1, 4)
        ]  # fmt: skip
        second = run(5, "etl-orders", RunState.RUNNING, attempt=2, agent="etl-03",
                     started_us=at(-500))  # fmt: skip
        coordinator.change(second)
        await expect(pilot, "██", "░░", "ran 8m20s of usual 16m42s, p95 16m43s", "try 2 of 3")
        await expect(pilot, "try 1 ✗ etl-01", "failed, exit 3", "try 2 ► etl-03")
        await expect(pilot, "before  ● 12:56:42 16m41s")
        await pilot.press("z")
        await until(pilot, lambda: "try 2" not in screen(pilot))
        await pilot.press("z", "escape", "down", "enter")
        await expect(pilot, "✗ FAILED", FAILED.id, "its program ended with 1: the log tells why")
        await pilot.press("R")
        await until(pilot, lambda: RerunRuns([FAILED.id]) in coordinator.asks)

    _drive(test, "starting\n")
