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
from tocsin.tui.log_lines import LogLines
from tocsin.tui.log_reader import LogReader
from tocsin.tui.log_search import needle
from tocsin.tui.log_sight import Want
from tocsin.tui.log_view import Mode, Streams
from tocsin.tui.log_words import (
    Standing,
    Times,
    cannot_be_read,
    log_line,
    log_time,
    none_shown,
    not_found,
)
from tocsin.tui.messages import Said
from tocsin.tui.session import Session
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.log_pane import LogPane
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
        self._blocked = ""
        self.doings: Mapping[str, Callable[[Situation], None]] = {
            "follow": lambda _: self.pane.set_follow(True),
            "hold": lambda _: self.pane.set_follow(False),
            "search": self._find,
            "next_match": lambda _: self.pane.go_to_match(1),
            "previous_match": lambda _: self.pane.go_to_match(-1),
            "only": self._only,
            "wrap": lambda _: self.pane.set_wrap(not self.pane.wrap),
            "times": lambda _: self._switch_times(),
            "streams": lambda _: self.pane.set_mode(_next_streams(self.pane.sight.view.mode)),
            "bookmark": lambda _: self.pane.toggle_mark(),
            "next_bookmark": lambda _: self._begin(self._to_bookmark, "seek"),
            "pager": lambda _: self._work(
                partial(log_files.page_through, self.app, self._reader, run.id)
            ),
            "save_log": lambda at: self._work(
                partial(log_files.save, self._reader, run.id, at.text)
            ),
        }

    def compose(self) -> ComposeResult:
        """The title and the pane."""
        yield OneLine(id="log-title")
        yield LogPane(self._time_of, id="log")

    # What the screen tells and asks.

    @property
    def flags(self) -> frozenset[Flag]:
        """What decides which keys have a meaning."""
        sight = self.pane.sight
        flags = {
            Flag.SEARCHING: bool(sight.view.needle),
            Flag.FOLLOWING: sight.follow,
            Flag.FILTERED: not sight.view.mode.all,
            Flag.MARKED: bool(sight.marks),
        }
        return frozenset(flag for flag, set_ in flags.items() if set_)

    @property
    def text(self) -> str:
        """The line that is pointed at."""
        line = self.pane.sight.current
        return "" if line is None else line.text

    def know(self, run: Run, blocked: str) -> None:
        """Take what is known of the run now; read on where there may be more.

        `blocked`: why nothing can be asked now, or nothing.
        """
        grown = (run.output_bytes, blocked) != (self._run.output_bytes, self._blocked)
        self._run, self._blocked = run, blocked
        if not self._following and not (self._reader.over and run.state in TERMINAL):
            self._following = True
            self.run_worker(self._follow(), group="follow")
        if grown:
            self._changed()
        self._draw_title()

    def leave(self) -> bool:
        """Give up what was looked for, or what hides lines; whether there was any of it."""
        pane = self.pane
        if self._busy:
            self.workers.cancel_group(self, "seek")
            self._busy = ""
        elif pane.sight.view.needle:
            pane.find("")
            self._say("")
        elif not pane.sight.view.mode.all:
            pane.set_mode(Mode())
            self._say("")
        else:
            return False
        self._draw_title()
        return True

    # Reading.

    async def _follow(self) -> None:
        try:
            await self._reader.follow()
        except RequestError as error:
            self._say(f"log: {error.message}", failed=True)
        self._following = False

    def _changed(self) -> None:
        if self._reader.is_unread:
            self.pane.empty = cannot_be_read(self._blocked) if self._blocked else ""
        else:
            over = self._run.state in TERMINAL
            self.pane.empty = "it printed nothing" if over else "it has printed nothing yet"
        self.pane.show(self._lines, self._total)

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
        pane, reader = self.pane, self._reader
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
            self._look_for(at.text)
        else:
            known = self.pane.sight.view.needle
            self._ask(Question("find text or /regex/: ", self._look_for, value=known))

    def _look_for(self, typed: str) -> None:
        fault = _fault_of(typed)
        if fault:
            self._say(f"find: {fault}", failed=True)
        else:
            self.pane.find(typed)

    def on_log_pane_sought(self, message: LogPane.Sought) -> None:
        """Look for it where it is not loaded."""
        message.stop()
        self._begin(partial(self._seek, message.step), "seek")

    async def _seek(self, step: int) -> None:
        self._busy = "looking"
        try:
            number = await self._reader.find(self.pane.sight, step, self._looked)
        except (LinkError, RequestError) as error:
            self._say(f"find: {error.message}", failed=True)
            return
        finally:
            self._busy = ""
        if number is None:
            self.pane.go_round(step)
        else:
            self.pane.go_to(number)
        self._draw_title()

    def on_log_pane_missed(self, message: LogPane.Missed) -> None:
        """Say that it is nowhere, and where else it may have been."""
        message.stop()
        typed, reader = self.pane.sight.view.needle, self._reader
        self._say(not_found(typed, reader.not_kept, over=reader.over), failed=True)

    def _looked(self, size: int) -> None:
        self._busy = f"looked through {format_size(size)}, esc stops"
        self._draw_title()

    # Modes.

    def _only(self, at: Situation) -> None:
        if at.text:
            self._filter(at.text)
        else:
            known = self.pane.sight.view.mode.filter
            self._ask(Question("only text or /regex/, !not: ", self._filter, value=known))

    def _filter(self, text: str) -> None:
        text = "" if text == "!" else text
        fault = _fault_of(text.removeprefix("!"))
        if fault:
            self._say(f"only: {fault}", failed=True)
            return
        self.pane.set_mode(Mode(text, self.pane.sight.view.mode.streams))
        if text and not self.pane.sight.view.shows_any:
            whole = self._lines.at_start and self._lines.at_end
            mode, not_kept = self.pane.sight.view.mode, self._reader.not_kept
            self._say(none_shown(mode, not_kept, whole=whole), failed=True)

    def _switch_times(self) -> None:
        self._times = _TIMES[(_TIMES.index(self._times) + 1) % len(_TIMES)]
        self.pane.set_wrap(self.pane.wrap)

    def _time_of(self, at_us: int) -> str:
        return log_time(at_us, self._times, self._zone(), self._run.started_us)

    async def _to_bookmark(self) -> None:
        sight, key = self.pane.sight, self.pane.sight.next_mark()
        if key is None:
            self._say("there are no bookmarks: m makes one", failed=True)
            return
        number = self._lines.number_of(key)
        if number is None:
            try:
                await self._reader.around(key[1])
            except (LinkError, RequestError) as error:
                self._say(f"log: {error.message}", failed=True)
                return
            sight.lay()
            number = self._lines.number_of(key)
        if number is not None:
            self.pane.go_to(number)

    def _work(self, work: Callable[[], Coroutine[Any, Any, Said | None]]) -> None:
        """Do something with the whole log, and tell what came of it."""

        async def working() -> None:
            try:
                said = await work()
            except (LinkError, RequestError) as error:
                said = Said(f"log: {error.message}", failed=True)
            except OSError as error:
                said = Said(f"log: {error}", failed=True)
            self.post_message(said or Said(""))

        self._say("fetching the log")
        self._begin(working, "file")

    def _begin(self, work: Work, group: str) -> None:
        """Do this, and nothing of the group that was begun before."""
        # Work that is given up before it began must not have made its coroutine yet; a function
        # is what Textual takes for that, but its union of types hides that from mypy.
        self.run_worker(work, group=group, exclusive=True)  # type: ignore[arg-type]

    # Saying.

    def on_log_pane_moved(self, message: LogPane.Moved) -> None:
        """Say whether the end is followed, what was given up, and which keys are valid now."""
        message.stop()
        view = self.pane.sight.view
        if view.given_up:
            self._say(f"{view.given_up} takes too long: a simpler expression may not", failed=True)
            view.given_up = ""
        self._draw_title()
        self.post_message(self.Moved())

    def _say(self, text: str, *, failed: bool = False) -> None:
        self.post_message(Said(text, failed=failed))

    def _draw_title(self) -> None:
        sight, view = self.pane.sight, self.pane.sight.view
        standing = Standing(
            mode=view.mode,
            follow=sight.follow,
            wrap=self.pane.wrap,
            unseen=sight.unseen,
            needle=view.needle,
            matches=len(view.found),
            nth_match=view.found.index(sight.cursor) + 1 if sight.cursor in view.found else 0,
            over=self._reader.over,
            not_kept=self._reader.not_kept,
            blocked=self._blocked,
            unread=self._reader.is_unread,
            busy=self._busy or next((_WANT[want] for want in self._wants), ""),
        )
        text = log_line(self._lines, standing, self._total, self.size.width)
        self.query_one("#log-title", OneLine).say(Cell(text, "quiet"))

    @property
    def pane(self) -> LogPane:
        """Where it is drawn, and what keys go to."""
        return self.query_one(LogPane)


def _fault_of(typed: str) -> str:
    """Why this cannot be looked for; empty where it can."""
    try:
        needle(typed)
    except RequestError as error:
        return error.message
    return ""


def _next_streams(mode: Mode) -> Mode:
    """The same lines, of the other stream or of both."""
    following = _STREAMS[(_STREAMS.index(mode.streams) + 1) % len(_STREAMS)]
    return Mode(mode.filter, following)
