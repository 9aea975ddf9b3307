"""Brings the output of one run into a window: its end first, then what the reader goes to.

Everything is asked of the coordinator page by page, so that the end of a large output is there at
once, whatever its size. What is asked while the window moves elsewhere is not taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from tocsin.errors import LinkError, RequestError
from tocsin.messages.client_answers import OutputFound, OutputPage, OutputPiece
from tocsin.messages.client_link import Ask, ReadOutput, ReadOutputBack
from tocsin.output_seams import Seams

from .log_lines import LogLines
from .log_search import needle
from .log_seek import Seek, torn_until
from .log_sight import Sight
from .session import Session

AROUND_BYTES: Final = 128 << 10
"""So much is read before a match that was found elsewhere."""
AGAIN_S: Final = 1.0
"""After a question that failed with its link, and may be put again."""
_Page = TypeVar("_Page", bound=msgspec.Struct)


class LogReader:
    """Fills `lines`; `changed` is called after each change of them.

    All of its methods raise `RequestError` when the coordinator declines, and all but `follow`
    `LinkError` when there is no link.
    """

    def __init__(
        self, session: Session, run_id: str, lines: LogLines, changed: Callable[[], None]
    ) -> None:
        self.over = False
        """Whether all that there will be has arrived."""
        self.not_kept = 0
        """So many bytes of the output are not kept, as far as was heard."""
        self._session = session
        self._run_id = run_id
        self._lines = lines
        self._changed = changed
        self._after: int | None = None

    @property
    def is_unread(self) -> bool:
        """Whether nothing of it has been read yet."""
        return self._after is None

    async def follow(self) -> None:
        """Read the end, and then what is printed, until the run is over; over any broken link."""
        self.over = False
        if self._after is None:
            await self._begin()
        async for page in self._session.follow(self._run_id, self._after or 0):
            self._after = page.pieces[-1].position if page.pieces else self._after
            self.over, self.not_kept = page.ended, page.not_kept_bytes
            self._lines.add(page.pieces)
            self._changed()

    async def _begin(self) -> None:
        while True:
            await self._session.linked()
            try:
                await self.to_end()
            except LinkError:
                await asyncio.sleep(AGAIN_S)
            else:
                self._after = self._lines.position
                return

    async def to_end(self) -> None:
        """Have the last output in the window."""
        page = await self._ask(ReadOutputBack(self._run_id), OutputPage)
        self.not_kept = page.not_kept_bytes
        self._lines.open(page.pieces, earlier=page.more, later=False)
        self._changed()

    async def to_start(self) -> None:
        """Have the first output in the window."""
        page = await self._ask(ReadOutput(self._run_id), OutputPage)
        self._lines.open(page.pieces, earlier=False, later=page.more)
        self._changed()

    async def earlier(self) -> None:
        """Add the output before the window."""
        before = self._lines.before
        page = await self._ask(ReadOutputBack(self._run_id, before), OutputPage)
        if self._lines.before == before:
            self._lines.add_earlier(page.pieces, more=page.more)
            self._changed()

    async def later(self) -> None:
        """Add the output behind the window."""
        position = self._lines.position
        page = await self._ask(ReadOutput(self._run_id, position), OutputPage)
        if self._lines.position == position:
            self._lines.add_later(page.pieces, more=page.more)
            self._changed()

    async def around(self, position: int) -> None:
        """Have the output around a piece in the window."""
        back = ReadOutputBack(self._run_id, position + 1, AROUND_BYTES)
        before = await self._ask(back, OutputPage)
        behind = await self._ask(ReadOutput(self._run_id, position), OutputPage)
        pieces = [*before.pieces, *behind.pieces]
        self._lines.open(pieces, earlier=before.more, later=behind.more)
        self._changed()

    async def find(self, sight: Sight, step: int, looked: Callable[[int], None]) -> int | None:
        """The next match outside the window, round the end, as the number of its line.

        The window is then around it. None: there is none. `looked` is told how many bytes have
        been looked through.
        """
        origin, lines = sight.current, self._lines
        seek = Seek(
            self._run_id,
            needle(sight.view.needle),
            lines,
            step,
            looked,
            find=lambda ask: self._ask(ask, OutputFound),
            read=lambda ask: self._ask(ask, OutputPage),
        )
        while (found := await seek.next()) is not None:
            if not torn_until(lines) < found <= lines.position:
                await self.around(found)
                sight.lay()
            number = sight.match_ending_in(found, step, None if seek.wrapped else origin)
            if number is not None:
                return number
            seek.pass_by(lines)
        return None

    async def copy(self, write: Callable[[OutputPiece], None], bytes_max: int) -> bool:
        """Give the whole output as it was printed to `write`; whether that was all of it."""
        after, size, seams = 0, 0, Seams()
        while size < bytes_max:
            page = await self._ask(ReadOutput(self._run_id, after), OutputPage)
            for piece in map(seams.join, page.pieces):
                write(piece)
                after, size = piece.position, size + len(piece.data)
            if not page.more:
                return True
        return False

    async def _ask(self, ask: Ask, kind: type[_Page]) -> _Page:
        answer = await self._session.ask(ask)
        if not isinstance(answer, kind):
            raise RequestError(
                f"the answer was a {type(answer).__name__}, not a {kind.__name__}",
                "is the coordinator of the same version?",
            )
        return answer
