"""A large output is read from its end and found in, page by page: real processes, a real link."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.fleet import Fleet, until
from tests.tui.driving import expect
from tocsin.config import read_context
from tocsin.keys import read_keypair
from tocsin.link import Hub
from tocsin.messages.client_answers import OutputPage
from tocsin.messages.client_link import ReadOutputBack
from tocsin.tui.app import TocsinApp
from tocsin.tui.session import Session, Target
from tocsin.tui.widgets.log_pane import LogPane

LINES: Final = 600_000
JOB: Final = f"""
jobs:
  large:
    shell: "seq -f 'record %.0f of a large output that goes on and on' {LINES}; echo the end >&2"
    output: {{keep: 64MiB}}
"""


def test_a_large_output_is_paged_and_found_in(fleet: Fleet) -> None:
    """The end at once, the beginning at once, a needle in the middle, and no page is large."""
    fleet.join("worker")
    fleet.start_agent("worker")
    fleet.apply(JOB)
    fleet.call("job", "run", "large", "--wait")
    (run,) = until(lambda: fleet.runs("--state", "succeeded"), "the run")
    assert run["output_bytes"] > 25 << 20
    asyncio.run(_drive(fleet))


async def _drive(fleet: Fleet) -> None:
    context = read_context(fleet.home / "coordinator/data/coordinator/admin.toml")
    target = Target(context.endpoint, context.server_key, read_keypair(context.key_file))
    hub = Hub()
    app = TocsinApp(lambda tell: Session(hub, target, tell), name="here")
    try:
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.press("3")
            await expect(pilot, "large", "ok")
            await pilot.press("enter")
            await expect(pilot, f"record {LINES} of", "e  the end", "END")
            lines = app.screen.query_one(LogPane).sight.lines
            assert lines.bytes < 2 << 20
            assert not lines.at_start
            await pilot.press("g")
            await expect(pilot, "o  record 1 of", "o  record 9 of")
            await pilot.press("slash", *"record 314159 of", "enter")
            await expect(pilot, "o  record 314159 of", "o  record 314160 of", "1 of 1+ loaded")
            await pilot.press("up", "up", "pageup", "pageup", "pageup")
            await expect(pilot, "o  record 314100 of")
            await pilot.press("G")
            await expect(pilot, f"record {LINES} of", "END")
            run_id = next(iter(app.scene().view.runs))
            page = await app.session.ask(ReadOutputBack(run_id, 0, 1 << 30))
            assert isinstance(page, OutputPage)
            assert page.more
            assert sum(len(piece.data) for piece in page.pieces) < 1 << 20
    finally:
        hub.close()
