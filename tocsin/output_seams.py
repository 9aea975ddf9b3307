"""Pieces of output that were read in turns, with a gap wherever something is missing between them.

Of a run that is followed, the coordinator keeps head and tail while it goes on: what was the tail
may be gone by the time somebody reads on, and the piece that comes then tells of a gap that begins
behind the head, of which the reader may have seen a part.
"""

from __future__ import annotations

from msgspec.structs import replace

from .messages.client_answers import OutputPiece


def joined(end: int | None, piece: OutputPiece) -> OutputPiece:
    """A piece as it follows output of its stream up to the offset `end`; None: that is not known.

    It comes later than what ends there, so its own bytes do not begin before.
    """
    if end is None or piece.offset == end:
        return piece
    begin = max(piece.offset + piece.gap_bytes, end)
    return replace(piece, offset=end, gap_bytes=begin - end)


class Seams:
    """How far each stream of each attempt was read."""

    def __init__(self) -> None:
        self._ends: dict[tuple[int, int], int] = {}

    def join(self, piece: OutputPiece) -> OutputPiece:
        """The next piece, as it follows what was read of its stream."""
        stream = piece.attempt, piece.stream
        piece = joined(self._ends.get(stream), piece)
        self._ends[stream] = piece.end
        return piece
