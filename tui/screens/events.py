"""Who did what, and what befell the fleet, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.instants import SECOND_US
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.audit_pages import Pages, add_newest, add_older, joins
from tocsin.tui.events import EVENT_COLUMNS, Event, event_cells, event_lines, merged, of_event
from tocsin.tui.filtering import Filter, holds, read
from tocsin.tui.memo import Memo
from tocsin.tui.plain import fit, rule
from tocsin.tui.scene import Scene, nothing_yet
from tocsin.tui.widgets.columns import Cell, Column
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.table import CellsOf, Table

from .listing import ListScreen, Sort, quiet

PAGE_ROWS: Final = 200
ASK_S: Final = 5.0
"""The audit is asked for again at most so often."""
NEAR_ROWS: Final = 50
"""So close to the end, older entries are asked for."""
GAP_ROWS_MAX: Final = 10_000
"""Where more than this happened since the audit was last read, it is read anew from its end on."""
_LINES: Final = 4
"""Of what is told of the event under the cursor."""
_DETAIL_FROM_LINES: Final = 18
"""A lower screen leaves all its room to the list."""
PAGES_ON_END: Final = 10
"""So many pages are read to fill a screen, or to find what a filter looks for, before somebody
moves on."""


class EventsScreen(ListScreen):
    """The list of events."""

    PLACE = Place.EVENTS
    NOUN = "events"
    COLUMNS: ClassVar[Sequence[Column]] = EVENT_COLUMNS
    SORTS: ClassVar[Sequence[Sort]] = (Sort("TIME", lambda event: event.at_us, falling=True),)

    def __init__(self) -> None:
        super().__init__()
        self._pages = Pages()
        self._asking = False
        self._asked_us = 0
        self._asked_of: tuple[int, ...] = ()
        self._read_on_end = 0
        self._merged: Memo[dict[str, Event]] = Memo()
        self._listed: Memo[list[str]] = Memo()
        self.doings = {**self.doings, "event": self._open}

    def keys(self, scene: Scene, terms: Filter) -> tuple[Sequence[str], int]:
        """The keys of events."""
        events = self._events(scene)
        found = self._listed.of(
            lambda: [key for key, event in events.items() if holds(terms, of_event(event))],
            events,
            self.filter_text,
        )
        return found, len(events)

    def cells(self, scene: Scene) -> CellsOf:
        """What is in a row."""
        events = self._events(scene)
        return lambda key: event_cells(events[key], scene.now_us, scene.zone)

    def empty(self, scene: Scene) -> str:
        """What it means that there is nothing."""
        return nothing_yet(scene, "nobody has done anything yet")

    def below(self) -> Iterable[Widget]:
        """All of the event under the cursor: a row is too short for it."""
        yield OneLine(id="preview-title")
        for number in range(_LINES):
            yield OneLine(id=f"preview-{number}")

    def on_mount(self) -> None:
        """Older events come after younger ones, and the newest is what one came for."""
        self.table.stays_first = True

    def look(self, scene: Scene) -> Situation:
        """What the event under the cursor is about, as far as it is still here."""
        view, event = scene.view, self._events(scene).get(self.table.cursor_key)
        if event is None:
            return Situation(place=self.PLACE, flags=self.flags())
        return Situation(
            place=self.PLACE,
            jobs=(view.jobs[event.job],) if event.job in view.jobs else (),
            runs=tuple(view.runs[one] for one in event.runs if one in view.runs),
            agents=tuple(one for one in view.agents.values() if one.name == event.agent),
            removed="" if event.job in view.jobs else event.job,
            flags=self.flags(),
        )

    def crumb(self) -> str:
        """How many were read; `+`: there are older ones."""
        return super().crumb() + ("+" if self._pages.more and self._pages.entries else "")

    def draw_body(self, scene: Scene) -> None:
        """The list; ask for what is missing of it."""
        super().draw_body(scene)
        self._draw_detail(scene)
        if self._asking or not scene.view.whole or scene.connection.blocks():
            return
        known = (scene.view.number, scene.connection.since_us)
        waited = scene.now_us - self._asked_us >= ASK_S * SECOND_US
        if known != self._asked_of and waited:
            self._asking, self._asked_of, self._asked_us = True, known, scene.now_us
            self.run_worker(self._load_newest(), group="audit")
        elif self._is_near_end(scene):
            self._asking = True
            self._read_on_end += 1
            self.run_worker(self._load_older(), group="audit")

    def _draw_detail(self, scene: Scene) -> None:
        event, width = self._events(scene).get(self.table.cursor_key), self.size.width
        shown = event is not None and self.size.height >= _DETAIL_FROM_LINES
        title = self.query_one("#preview-title", OneLine)
        title.display = shown
        title.say(quiet(rule("event", "", width)))
        found = [] if event is None else event_lines(event, scene.now_us, scene.zone, width - 2)
        if len(found) > _LINES:
            last = found[_LINES - 1]
            found[_LINES - 1] = Cell(fit(f"{last.text} …", width - 2), last.tone)
        for number in range(_LINES):
            line = self.query_one(f"#preview-{number}", OneLine)
            line.display = shown
            line.say(Cell(" "), found[number] if number < len(found) else Cell(""))

    def set_filter(self, text: str) -> None:
        """Look for it in older entries as well."""
        self._read_on_end = 0
        super().set_filter(text)

    def on_table_moved(self, message: Table.Moved) -> None:  # noqa: ARG002 - as in its base
        """Read on when the end comes near."""
        self._read_on_end = 0

    def _open(self, at: Situation) -> None:
        if at.run is not None:
            self.stage.open_run(at.run)
        elif at.agent is not None:
            self.stage.go(Place.AGENTS, f"name:{at.agent.name}")
        else:
            self.stage.open_job(at.removed or at.job_names[0])

    def _is_near_end(self, scene: Scene) -> bool:
        if not self._pages.entries or not self._pages.more or self._read_on_end >= PAGES_ON_END:
            return False
        keys, _ = self.keys(scene, read(self.filter_text))
        near = keys[-NEAR_ROWS:]
        return len(keys) <= NEAR_ROWS or self.table.cursor_key in near

    async def _load_newest(self) -> None:
        try:
            page = await self.stage.session.audit(0, PAGE_ROWS)
            rows = list(page.rows)
            while page.more and not joins(self._pages, rows) and len(rows) < GAP_ROWS_MAX:
                page = await self.stage.session.audit(rows[-1].number, PAGE_ROWS)
                rows += page.rows
            self._pages = add_newest(self._pages, rows, more=page.more)
        except (LinkError, RequestError) as error:
            self.say(f"events: {error.message}", failed=True)
        self._loaded()

    async def _load_older(self) -> None:
        try:
            page = await self.stage.session.audit(self._pages.oldest, PAGE_ROWS)
            self._pages = add_older(self._pages, page.rows, more=page.more)
        except (LinkError, RequestError) as error:
            self.say(f"older events: {error.message}", failed=True)
        self._loaded()

    def _loaded(self) -> None:
        self._asking = False
        self.draw()

    def _events(self, scene: Scene) -> Mapping[str, Event]:
        status = scene.connection.status
        incidents = () if status is None else status.incidents
        pages = self._pages
        return self._merged.of(
            lambda: merged(pages.entries, incidents, scene.sightings, more=pages.more),
            pages,
            incidents,
            scene.sightings,
        )
