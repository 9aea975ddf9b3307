"""Looks for something where it is not loaded: from the edges of the window on, and round the end.

A text is looked for by the coordinator, which reads its own disk. A regular expression is not given
to it, since one that takes for ever would hold up the whole fleet; the output is read page by page
instead, and looked through here. Either way each part is looked at together with what it was torn
from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tocsin.errors import RequestError
from tocsin.messages.client_answers import OutputFound, OutputPage, OutputPiece
from tocsin.messages.client_link import FindOutput, ReadOutput, ReadOutputBack

from .cpu_limit import TooLongError
from .log_line import LogLine
from .log_lines import LogLines
from .log_search import Needle, select

BEFORE_BYTES: Final = 16 << 10
"""So much is read before a part for lines that are torn at its beginning."""

Find = Callable[[FindOutput], Awaitable[OutputFound]]
Read = Callable[[ReadOutput | ReadOutputBack], Awaitable[OutputPage]]


class Seek:
    """Goes once through the pieces outside a window in which something is.

    Args:
        run_id: whose output.
        needle: what is looked for.
        lines: the window, as it is at the beginning.
        step: 1, or -1 for backward.
        looked: is told how many bytes have been looked through.
        find: asks the coordinator for a text.
        read: asks it for output.
    """

    def __init__(  # noqa: PLR0913 - what it is about, and whom it asks
        self, run_id: str, needle: Needle, lines: LogLines, step: int,
        looked: Callable[[int], None], *, find: Find, read: Read,
    ) -> None:  # fmt: skip
        self.wrapped = False
        """Whether it went on at the other end."""
        self._run_id = run_id
        self._needle = needle
        self._step = step
        self._looked = looked
        self._looked_bytes = 0
        self._find, self._read = find, read
        self._at = lines.position if step > 0 else torn_until(lines) + 1
        """What is behind this is looked at next, or backward what is before it."""
        self._last = torn_until(lines) if step > 0 else lines.position + 1
        """Where it ends after it went on at the other end; this piece is looked at too."""
        self._is_at_end = False

    async def next(self) -> int | None:
        """The piece with the next match; None: there is none any more.

        Raises:
            LinkError: there is no link.
            RequestError: the coordinator declines, or the expression takes too long.
        """
        while not self._is_at_end:
            answer = await self._probe()
            self._looked_bytes += answer.looked_bytes
            self._looked(self._looked_bytes)
            position = answer.position or answer.next
            if self.wrapped and (not position or self._is_past(position)):
                self._is_at_end = True
            elif answer.position:
                self._at = answer.position
                return answer.position
            elif answer.next:
                self._at = answer.next
            else:
                self.wrapped, self._at = True, 0
        return None

    def pass_by(self, lines: LogLines) -> None:
        """Go on behind a window that was loaded meanwhile, and in which nothing is to be shown."""
        if self._step > 0:
            self._at = max(self._at, lines.position)
        else:
            self._at = min(self._at, torn_until(lines) + 1)

    def _is_past(self, position: int) -> bool:
        return position > self._last if self._step > 0 else position < self._last

    async def _probe(self) -> OutputFound:
        needle, backward = self._needle, self._step < 0
        if needle.pattern is None:
            text, exact = needle.typed, needle.exact
            return await self._find(FindOutput(self._run_id, text, self._at, backward, exact))
        try:
            return await (self._look_back() if backward else self._look_on())
        except TooLongError as error:
            raise RequestError(
                f"{needle.typed} takes too long", "a simpler expression may not"
            ) from error

    async def _look_on(self) -> OutputFound:
        page = await self._read(ReadOutput(self._run_id, self._at))
        hits = await self._hits(page, cut=page.more)
        more = page.pieces[-1].position if page.more else 0
        found = max(hits[0].position, page.pieces[0].position) if hits else 0
        return OutputFound(found, found or more, _size(page.pieces))

    async def _look_back(self) -> OutputFound:
        page = await self._read(ReadOutputBack(self._run_id, self._at))
        hits = await self._hits(page, cut=self._at > 0)
        more = page.pieces[0].position if page.more else 0
        found = hits[-1].last if hits else 0
        return OutputFound(found, found or more, _size(page.pieces))

    async def _hits(self, page: OutputPage, *, cut: bool) -> list[LogLine]:
        """The lines that match and have something in a page.

        With `cut`, those that may go on behind it are left out: they are whole in the next.
        """
        if not page.pieces:
            return []
        first = page.pieces[0].position
        before: Sequence[OutputPiece] = ()
        if first > 1:
            before = (await self._read(ReadOutputBack(self._run_id, first, BEFORE_BYTES))).pieces
        lines = LogLines()
        lines.open([*before, *page.pieces], earlier=True, later=True)
        left_out = set(lines.growing) if cut else set()
        numbered = enumerate(lines.lines(lines.first), lines.first)
        chosen = [line for n, line in numbered if line.last >= first and n not in left_out]
        return [chosen[at] for at in select(chosen, 0, self._needle.holds, bounded=True)]


def torn_until(lines: LogLines) -> int:
    """The last piece with something of a line that began before the window; else that before it."""
    ends = (line.last for line in lines.lines(lines.first) if line.torn)
    return max(ends, default=lines.before - 1)


def number_now(lines: LogLines, line: LogLine) -> int | None:
    """The number of a line, or of the one that it turned out to be the end of; None: not here."""
    alike = (
        number
        for number, other in enumerate(lines.lines(lines.first), lines.first)
        if other.kind is line.kind and other.key[1:] <= line.key[1:]
    )
    number = max(alike, default=None)
    if number is None:
        return None
    start, data = lines.line(number).start, lines.line(number).data
    return number if start <= line.start <= start + len(data) else None


def _size(pieces: Sequence[OutputPiece]) -> int:
    return sum(len(piece.data) for piece in pieces)
