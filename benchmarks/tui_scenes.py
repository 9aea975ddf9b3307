"""What the benchmark of the TUI puts on a terminal: `python -m benchmarks.tui_scenes SCENE [FILE]`.

What a scene found out about itself is written to FILE as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any, ClassVar, Final

from tocsin import clock
from tocsin.instants import SECOND_US

ROWS: Final = 100_000
CHANGES: Final = 200
LOG_LINES_S: Final = 10_000
LOG_S: Final = 8
LOG_STEP_S: Final = 0.1
BUSY_ROWS: Final = 20
MARKER: Final = "job-00003"


def main() -> None:
    """Run one scene."""
    name, *files = sys.argv[1:]
    found: dict[str, Any] = SCENES[name]()
    if files:
        Path(files[0]).write_text(json.dumps(found))


def bare() -> dict[str, Any]:
    """The least that Textual can be asked for."""
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    class Bare(App[None]):
        def compose(self) -> ComposeResult:
            yield Static(MARKER)

    Bare().run(mouse=False)
    return {}


def fleet() -> dict[str, Any]:
    """The program as it is, idle, with this many runs to show. It tells what making them took."""
    gc.disable()  # as cli/start.py
    from tocsin.errors import LinkError
    from tocsin.tui.connection import Connection, Phase
    from tocsin.tui.contexts import Watched
    from tocsin.tui.running import Surroundings, watch
    from tocsin.tui.state import Rows, View

    began_s, cpu_s = time.perf_counter(), time.process_time()
    view = View(shown=Rows(jobs=_jobs(), runs=_runs(), agents={}), whole=True, number=1)
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    sys.stdout.write(f"made in {took_s:.6f} s, {cpu_s:.6f} s\r\n")
    sys.stdout.flush()
    up = Connection(phase=Phase.UP, since_us=clock.now_us(), heard_us=clock.now_us())

    class Session:
        connection = up
        view = View()

        def __init__(self, tell: Any) -> None:  # noqa: ANN401 - see tui/session.py
            self.tell = tell

        async def ask(self, _ask: object, **_more: object) -> Any:  # noqa: ANN401 - as above
            raise LinkError("there is no link in this scene", "")

        async def run(self) -> None:
            while True:
                now_us = clock.now_us()
                self.view = view
                self.tell(view, Connection(phase=Phase.UP, since_us=now_us, heard_us=now_us))
                await asyncio.sleep(5)

    watch(Watched("bench", Session), Surroundings(terminal=0))  # type: ignore[arg-type] # as much as is used
    return {}


def _jobs() -> dict[str, Any]:
    from tocsin.model import Job, JobRow

    now_us = clock.now_us()
    rows = [
        JobRow(
            id=n,
            job=Job(name=f"job-{n:05}", executor="shell", config={}, schedule=[f"{n} * * * *"]),
            version=1,
            next_due_us=now_us + n * 300 * SECOND_US,
        )
        for n in range(1, 41)
    ]
    return {row.job.name: row for row in rows}


def _runs() -> dict[str, Any]:
    from tocsin.clock import ulid
    from tocsin.model import Run, RunState, Trigger

    now_us = clock.now_us()
    runs = [
        Run(
            id=ulid(1_774_000_000_000 + n, n),
            job_id=n % 40,
            job=f"job-{n % 40 + 1:05}",
            job_version=1,
            trigger=Trigger.SCHEDULE,
            state=RunState.SUCCEEDED if n % 9 else RunState.FAILED,
            created_us=now_us - n * SECOND_US,
            started_us=now_us - n * SECOND_US,
            finished_us=now_us - n * SECOND_US + SECOND_US,
        )
        for n in range(ROWS)
    ]
    return {run.id: run for run in runs}


def _tables() -> type[Any]:
    """An app with the TUI's own table, header line and colours."""
    from textual.app import ComposeResult

    from tocsin.tui import themes
    from tocsin.tui.output import DiffedApp
    from tocsin.tui.widgets.columns import Cell, Column
    from tocsin.tui.widgets.one_line import OneLine
    from tocsin.tui.widgets.table import Table

    columns = [Column(title=title, width=9, flex=1) for title in ("JOB", "STATE", "NEXT", "TOOK")]
    states = ("good", "bad", "busy", "quiet")

    class Tables(DiffedApp[None]):
        CSS_PATH = Path(__file__).parents[1] / "tui/app.tcss"
        rows: ClassVar[list[int]] = [0] * ROWS

        def compose(self) -> ComposeResult:
            yield OneLine(id="header")
            yield Table(columns, id="rows")

        def on_mount(self) -> None:
            self.register_theme(themes.THEMES["dark"])
            self.theme = themes.textual_name("dark")
            self.keys = [str(n) for n in range(ROWS)]
            self.table = self.query_one(Table)
            self.table.show(self.keys, self.cells)
            self.table.focus()
            self.run_worker(self.act())

        def cells(self, key: str) -> tuple[Cell, ...]:
            turn = self.rows[int(key)]
            return (
                Cell(f"job-{int(key):05}"),
                Cell("running" if turn % 2 else "ok", states[turn % 4]),
                Cell(f"in {(turn + int(key)) % 60}m"),
                Cell(f"{turn}s"),
            )

        async def act(self) -> None:
            """What changes."""

    return Tables


def busy() -> dict[str, Any]:
    """Two cells in each of twenty rows change once a second, and a clock."""
    from tocsin.tui.widgets.columns import Cell
    from tocsin.tui.widgets.one_line import OneLine

    class Busy(_tables()):  # type: ignore[misc]
        def cells(self, key: str) -> tuple[Cell, ...]:
            job, _state, due, took = super().cells(key)
            return job, Cell("running", "busy"), due, took

        async def act(self) -> None:
            for turn in range(1, 1_000):
                await asyncio.sleep(1)
                self.rows[:BUSY_ROWS] = [turn * 7] * BUSY_ROWS
                self.query_one("#header", OneLine).say(Cell(f" bench  {time.strftime('%X')}"))
                self.table.redraw()

    Busy().run(mouse=False)
    return {}


def row() -> dict[str, Any]:
    """One row of all changes, again and again. It tells the processor time of each change."""
    found: dict[str, Any] = {}

    class Row(_tables()):  # type: ignore[misc]
        async def act(self) -> None:
            await asyncio.sleep(0.5)
            taken_ms = []
            for change in range(CHANGES):
                began_s = time.process_time()
                self.rows[change % BUSY_ROWS] += 1
                self.table.show(self.keys, self.cells)
                drawn = asyncio.Event()
                self.call_after_refresh(drawn.set)
                await drawn.wait()
                taken_ms.append((time.process_time() - began_s) * 1e3)
                await asyncio.sleep(0.01)
            found["cpu_ms"] = taken_ms
            self.exit()

    Row().run(mouse=False)
    return found


def log() -> dict[str, Any]:
    """Output arrives and is followed. It tells how many lines there are at the end."""
    from textual.app import ComposeResult

    from tocsin.messages.client_answers import OutputPiece
    from tocsin.tui.log_lines import LogLines
    from tocsin.tui.output import DiffedApp
    from tocsin.tui.widgets.log_pane import LogPane

    found: dict[str, Any] = {}
    step = round(LOG_LINES_S * LOG_STEP_S)

    def pieces(number: int) -> list[OutputPiece]:
        first = number * step
        lines = (f"line {n:07} of a run that talks a lot\n" for n in range(first, first + step))
        data = "".join(lines).encode()
        at = number * len(data)
        return [
            OutputPiece(position=at + len(data), attempt=1, stream=1, at_us=0, offset=at, data=data)
        ]

    class Log(DiffedApp[None]):
        CSS_PATH = Path(__file__).parents[1] / "tui/app.tcss"

        def compose(self) -> ComposeResult:
            yield LogPane(lambda _: "13:49:11.204", id="log")

        def on_mount(self) -> None:
            self.run_worker(self.act())

        async def act(self) -> None:
            output, pane = LogLines(), self.query_one(LogPane)
            parts = [pieces(number) for number in range(round(LOG_S / LOG_STEP_S))]
            await asyncio.sleep(0.5)
            cpu_s, began_s = time.process_time(), time.perf_counter()
            for number, part in enumerate(parts, 1):
                output.add(part)
                pane.show(output)
                await asyncio.sleep(max(began_s + number * LOG_STEP_S - time.perf_counter(), 0))
            took_s = time.perf_counter() - began_s
            found["lines"] = output.end - 1 if not output.line(output.end - 1).text else output.end
            found["core"] = (time.process_time() - cpu_s) / took_s
            found["lines_s"] = found["lines"] / took_s
            last = asyncio.Event()
            self.call_after_refresh(last.set)
            await last.wait()
            await asyncio.sleep(0.2)
            self.exit()

    Log().run(mouse=False)
    return found


SCENES: Final = {"bare": bare, "fleet": fleet, "busy": busy, "row": row, "log": log}

if __name__ == "__main__":
    main()
