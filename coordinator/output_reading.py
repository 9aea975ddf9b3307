"""The kept output of a run: read backwards, and a text looked for, a bounded part at a time.

A text may be torn over pieces of its stream, so each piece is looked at together with the end of
what its stream printed before; the pieces just before the part are read for that alone. A match is
told by the piece in which it ends. Escape sequences for colours do not hide a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tocsin.errors import RequestError
from tocsin.messages.client_answers import Answer, Declined, OutputFound, OutputPage, OutputPiece
from tocsin.messages.client_link import (
    FIND_BYTES_MAX,
    FIND_CHARS_MAX,
    OUTPUT_BYTES_MAX,
    FindOutput,
    ReadOutputBack,
)

from .store.port import Store

_BEFORE_BYTES: Final = 16 << 10
"""How much is read before the part for texts that are torn at its beginning."""
_COLOUR: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")


def answer(ask: ReadOutputBack | FindOutput, store: Store) -> Answer:
    """The pieces that are asked for, or where the text is.

    Raises:
        RequestError: the text cannot be looked for.
    """
    match ask:
        case ReadOutputBack(run_id, before, bytes_max):
            bytes_max = min(max(bytes_max, 1), OUTPUT_BYTES_MAX)
            pieces, more = store.read_output_back(run_id, before, bytes_max)
            if not pieces and not store.runs([run_id]):
                return no_run(run_id)
            not_kept = store.not_kept([run_id]).get(run_id, 0)
            return OutputPage(pieces, ended=False, more=more, not_kept_bytes=not_kept)
        case FindOutput():
            return _find(ask, store)


def no_run(*ids: str) -> Declined:
    """There are no such runs."""
    return Declined(f"there is no run {', '.join(ids)}", "see: tocsin run list")


def _find(ask: FindOutput, store: Store) -> Answer:
    """The next piece, or the one before, in which the text ends."""
    if not 0 < len(ask.text) <= FIND_CHARS_MAX:
        raise RequestError(f"a text to look for has 1 to {FIND_CHARS_MAX} characters")
    if ask.backward:
        pieces, more = store.read_output_back(ask.run, ask.position, FIND_BYTES_MAX)
    else:
        pieces, more = store.read_output(ask.run, 0, ask.position, FIND_BYTES_MAX)
    if not pieces:
        if not store.runs([ask.run]):
            return no_run(ask.run)
        return OutputFound(0, 0, 0)
    before, _ = store.read_output_back(ask.run, pieces[0].position, _BEFORE_BYTES)
    hits = matches(ask.text, before if pieces[0].position > 1 else [], pieces, exact=ask.exact)
    if ask.backward:
        position = max(hits, default=0)
        go_on = pieces[0].position
    else:
        position = next(hits, 0)
        go_on = pieces[-1].position
    looked_bytes = sum(len(piece.data) for piece in pieces)
    return OutputFound(position, position or (go_on if more else 0), looked_bytes)


def matches(
    text: str, before: Iterable[OutputPiece], pieces: Iterable[OutputPiece], *, exact: bool
) -> Iterator[int]:
    """The positions of the pieces in which `text` ends; `before` comes just before `pieces`."""
    needle = text.encode() if exact else text.lower().encode()
    ends: dict[tuple[int, int], bytes] = {}
    for piece in before:
        _take(piece, ends, len(needle) - 1)
    for piece in pieces:
        hay = _take(piece, ends, len(needle) - 1)
        if not exact:
            # Most texts are ASCII, and of those bytes can be compared without decoding.
            hay = (
                hay.lower() if needle.isascii() else hay.decode("utf-8", "replace").lower().encode()
            )
        if needle in hay:
            yield piece.position


def _take(piece: OutputPiece, ends: dict[tuple[int, int], bytes], kept: int) -> bytes:
    """A piece behind the end of its stream, of which the new end is remembered."""
    stream = (piece.attempt, piece.stream)
    data = _COLOUR.sub(b"", piece.data) if b"\x1b" in piece.data else piece.data
    whole = data if piece.gap_bytes else ends.get(stream, b"") + data
    ends[stream] = whole[-kept:] if kept else b""
    return whole
