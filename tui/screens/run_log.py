"""The log of a run as a part of a screen: its title, its pane, and what its keys do."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import tzinfo
from functools import partial
from typing import Any, Final, TypeAlias

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from tocsin.errors import LinkError, RequestError
from tocsin.model import TERMINAL, Run
from tocsin.tui.actions.action import Flag, Situation
from tocsin.tui.log_line import Key
from tocsin.tui.log_lines import LogLines
from tocsin.tui.log_reader import LogReader
from tocsin.tui.log_view import Mode, Streams
from tocsin.tui.log_words import Standing, Times, log_line, log_time
from tocsin.tui.messages import Said
from tocsin.tui.session import Session
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.log_pane import LogPane, Want
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.prompt import Question
from tocsin.units import format_size

from . import log_files

Ask = Callable[[Question], None]
Work: TypeAlias = Callable[[], Coroutine[None, None, None]]
_STREAMS: Final = list(Streams)
_TIMES: Final = list(Times)
_WANT: Final = {
    Want.EARLIER: "reading back",
    Want.LATER: "reading on",
    Want.START: "going to the start",
    Want.END: "going to the end",
}


class RunLog(Vertical):
    """See the module. `ask` lets the user type something."""

    class Moved(Message):
        """Other keys may be valid now."""

    def __init__(
        self, session: Session, run: Run, zone: Callable[[], tzinfo | None], ask: Ask
    ) -> None:
        super().__init__(id="run-log")
        self._run = run
        self._zone = zone
        self._ask = ask
        self._times = Times.CLOCK
        self._lines = LogLines()
        self._reader = LogReader(session, run.id, self._lines, self._changed)
        self._following = False
        self._wants: list[Want] = []
        """What is to be fetched, the first of them now."""
        self._fetching = False
        self._busy = ""
        self.doings: Mapping[str, Callable[[Situation], None]] = {
            "follow": lambda _: self._pane.set_follow(True),
            "hold": lambda _: self._pane.set_follow(False),
            "search": self._find,
            "next_match": lambda _: self._pane.go_to_match(1),
            "previous_match": lambda _: self._pane.go_to_match(-1),
            "only": self._only,
            "wrap": lambda _: self._pane.set_wrap(not self._pane.wrap),
            "times": lambda _: self._switch_times(),
            "streams": lambda _: self._switch_streams(),
            "bookmark": lambda _: self._pane.toggle_mark(),
            "next_bookmark": lambda _: self._to_bookmark(),
            "pager": lambda _: self._page_through(),
            "save": self._save,
        }

    def compose(self) -> ComposeResult:
        """The title and the pane."""
        yield OneLine(id="log-title")
        yield LogPane(self._time_of, id="log")

    # What the screen tells and asks.

    @property
    def flags(self) -> frozenset[Flag]:
        """What decides which keys have a meaning."""
        pane = self._pane
        flags = {
            Flag.SEARCHING: bool(pane.needle),
            Flag.FOLLOWING: pane.follow,
            Flag.FILTERED: not pane.mode.all,
            Flag.MARKED: bool(pane.marks),
        }
        return frozenset(flag for flag, set_ in flags.items() if set_)

    @property
    def text(self) -> str:
        """The line that is pointed at."""
        line = self._pane.current
        return "" if line is None else line.text

    def know(self, run: Run) -> None:
        """Take what is known of the run now; read on where there may be more."""
        grown = run.output_bytes != self._run.output_bytes
        self._run = run
        if not self._following and not (self._reader.over and run.state in TERMINAL):
            self._following = True
            self.run_worker(self._follow(), group="follow")
        if grown:
            self._pane.show(self._lines, self._total)
        self._draw_title()

    def leave(self) -> bool:
        """Give up what was looked for, or what hides lines; whether there was any of it."""
        pane = self._pane
        if self._busy:
            self.workers.cancel_group(self, "seek")
            self._busy = ""
        elif pane.needle:
            pane.find("")
        elif not pane.mode.all:
            pane.set_mode(Mode())
        else:
            return False
        self._draw_title()
        return True

    def focus_pane(self) -> None:
        """Let keys go to the pane."""
        self._pane.focus()

    # Reading.

    async def _follow(self) -> None:
        try:
            await self._reader.follow()
        except RequestError as error:
            self._say(f"log: {error.message}", failed=True)
        self._following = False

    def _changed(self) -> None:
        over = self._run.state in TERMINAL
        self._pane.empty = "it printed nothing" if over else "it has printed nothing yet"
        self._pane.show(self._lines, self._total)

    @property
    def _total(self) -> int:
        return max(self._run.output_bytes, self._lines.bytes)

    def on_log_pane_wanted(self, message: LogPane.Wanted) -> None:
        """Fetch it, one thing at a time; who goes to an end wants nothing else any more."""
        message.stop()
        if message.want in {Want.START, Want.END}:
            self._wants = [message.want]
        elif message.want not in self._wants:
            self._wants.append(message.want)
        if not self._fetching:
            self._fetching = True
            self.run_worker(self._fetch_all(), group="fetch")

    async def _fetch_all(self) -> None:
        try:
            while self._wants:
                self._draw_title()
                await self._fetch(self._wants[0])
        except (LinkError, RequestError) as error:
            self._wants.clear()
            self._say(f"log: {error.message}", failed=True)
        finally:
            self._fetching = False
        self._draw_title()

    async def _fetch(self, want: Want) -> None:
        pane, reader = self._pane, self._reader
        fetch = {
            Want.EARLIER: reader.earlier,
            Want.LATER: reader.later,
            Want.START: reader.to_start,
            Want.END: reader.to_end,
        }
        await fetch[want]()
        if want in self._wants:
            self._wants.remove(want)
        match want:
            case Want.START:
                pane.go_to_first()
            case Want.END:
                pane.set_follow(True)
            case _:
                pane.redraw()

    # Finding.

    def _find(self, at: Situation) -> None:
        if at.text:
            self._pane.find(at.text)
        else:
            self._ask(Question("/", self._pane.find, value=self._pane.needle))

    def on_log_pane_sought(self, message: LogPane.Sought) -> None:
        """Look for it where it is not loaded."""
        message.stop()
        self._begin(partial(self._seek, message.step), "seek")

    async def _seek(self, step: int) -> None:
        pane, needle = self._pane, self._pane.needle
        self._busy = "looking"
        try:
            while True:
                exact = needle != needle.lower()
                found = await self._reader.find(needle, step, self._looked, exact=exact)
                if found is None:
                    break
                await self._reader.around(found)
                pane.redraw()
                number = _nearest(pane, found, step)
                if number is not None:
                    pane.go_to(number)
                    break
        except (LinkError, RequestError) as error:
            self._say(f"find: {error.message}", failed=True)
            return
        finally:
            self._busy = ""
        if found is None:
            pane.go_round(step)
        self._draw_title()

    def _looked(self, size: int) -> None:
        self._busy = f"looked through {format_size(size)}, esc stops"
        self._draw_title()

    # Modes.

    def _only(self, at: Situation) -> None:
        if at.text:
            self._filter(at.text)
        else:
            self._ask(Question("&", self._filter, value=self._pane.mode.filter))

    def _filter(self, text: str) -> None:
        text = "" if text == "!" else text
        self._pane.set_mode(Mode(text, self._pane.mode.streams))

    def _switch_streams(self) -> None:
        mode = self._pane.mode
        following = _STREAMS[(_STREAMS.index(mode.streams) + 1) % len(_STREAMS)]
        self._pane.set_mode(Mode(mode.filter, following))

    def _switch_times(self) -> None:
        self._times = _TIMES[(_TIMES.index(self._times) + 1) % len(_TIMES)]
        self._pane.set_wrap(self._pane.wrap)

    def _time_of(self, at_us: int) -> str:
        return log_time(at_us, self._times, self._zone(), self._run.started_us)

    # Bookmarks.

    def _to_bookmark(self) -> None:
        pane, line = self._pane, self._pane.current
        order = sorted(pane.marks, key=lambda key: (key[1], key[2]))
        here = (line.position, line.start) if line is not None else (0, 0)
        key = next((key for key in order if (key[1], key[2]) > here), order[0] if order else None)
        if key is None:
            self._say("there are no bookmarks: m makes one", failed=True)
            return
        number = self._lines.number_of(key)
        if number is None:
            self._begin(partial(self._to_key, key), "seek")
        else:
            pane.go_to(number)

    async def _to_key(self, key: Key) -> None:
        try:
            await self._reader.around(key[1])
        except (LinkError, RequestError) as error:
            self._say(f"log: {error.message}", failed=True)
            return
        number = self._lines.number_of(key)
        if number is not None:
            self._pane.redraw()
            self._pane.go_to(number)

    # Files.

    def _page_through(self) -> None:
        self._work(partial(log_files.page_through, self.app, self._reader, self._run.id))

    def _save(self, at: Situation) -> None:
        self._work(partial(log_files.save, self._reader, self._run.id, at.text))

    def _work(self, work: Callable[[], Coroutine[Any, Any, Said | None]]) -> None:
        self._say("fetching the log")
        self._begin(partial(self._working, work), "file")

    async def _working(self, work: Callable[[], Coroutine[Any, Any, Said | None]]) -> None:
        try:
            said = await work()
        except (LinkError, RequestError) as error:
            said = Said(f"log: {error.message}", failed=True)
        except OSError as error:
            said = Said(f"log: {error}", failed=True)
        self.post_message(said or Said(""))

    def _begin(self, work: Work, group: str) -> None:
        """Do this, and nothing of the group that was begun before."""
        # Work that is given up before it began must not have made its coroutine yet; a function
        # is what Textual takes for that, but its union of types hides that from mypy.
        self.run_worker(work, group=group, exclusive=True)  # type: ignore[arg-type]

    # Saying.

    def on_log_pane_moved(self, message: LogPane.Moved) -> None:
        """Say whether the end is followed, and which keys are valid now."""
        message.stop()
        self._draw_title()
        self.post_message(self.Moved())

    def _say(self, text: str, *, failed: bool = False) -> None:
        self.post_message(Said(text, failed=failed))

    def _draw_title(self) -> None:
        pane = self._pane
        standing = Standing(
            mode=pane.mode,
            follow=pane.follow,
            wrap=pane.wrap,
            unseen=pane.unseen,
            needle=pane.needle,
            matches=len(pane.found),
            nth_match=pane.found.index(pane.cursor) + 1 if pane.cursor in pane.found else 0,
            over=self._reader.over,
            busy=self._busy or next((_WANT[want] for want in self._wants), ""),
        )
        text = log_line(self._lines, standing, self._total, self.size.width)
        self.query_one("#log-title", OneLine).say(Cell(text, "quiet"))

    @property
    def _pane(self) -> LogPane:
        return self.query_one(LogPane)


def _nearest(pane: LogPane, position: int, step: int) -> int | None:
    """Of the lines that match, the first, or last, that can end in a piece."""
    lines, found = pane.lines, pane.found
    if step > 0:
        behind = (number for number in found if lines.line(number).position >= position)
        return next(behind, found[-1] if found else None)
    before = [number for number in found if lines.line(number).position <= position]
    return before[-1] if before else None
