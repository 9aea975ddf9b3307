"""`tocsin run logs`: the output of a run, byte for byte, or with the time of each line."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from itertools import chain
from typing import Final

import click
from msgspec import structs

from tocsin.instants import to_rfc3339
from tocsin.messages.client_answers import OutputPiece
from tocsin.output_seams import Seams
from tocsin.units import format_size

from . import undo
from .asking import known_runs, open_session
from .failing import NotFoundError
from .options import COUNT

_STREAMS: Final = {"stdout": (1,), "stderr": (2,), "both": (1, 2)}
_NAMES: Final = {1: "stdout", 2: "stderr"}


@click.command()
@click.argument("run_id", metavar="ID")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run is over.")
@click.option(
    "--stream",
    type=click.Choice(list(_STREAMS)),
    default="both",
    show_default=True,
    help="Which output; stderr goes to stderr.",
)
@click.option(
    "--attempt",
    type=COUNT,
    metavar="N",
    help="Only the output of this attempt.",
)
@click.option(
    "--tail",
    type=COUNT,
    metavar="N",
    help="Of what there is, only the last N lines.",
)
@click.option(
    "-t",
    "--timestamps",
    is_flag=True,
    help="Begin each line with the time at which it was printed.",
)
def logs(
    *,
    run_id: str,
    follow: bool,
    stream: str,
    attempt: int | None,
    tail: int | None,
    timestamps: bool,
) -> None:
    """Print the output of a run as it was written. What was not kept is said on stderr."""
    stamps = Stamps() if timestamps else None
    seams = Seams()
    with open_session() as session:
        (one,) = known_runs(session, [run_id]).values()
        if attempt is not None and attempt > one.attempt and not follow:
            raise NotFoundError(
                f"run {one.id} has no attempt {attempt}: {one.attempt} is the last",
                f"see: {undo.command('run', 'show', one.id)}",
            )
        wanted = _STREAMS[stream]
        pieces: list[OutputPiece] = []
        after = 0
        if tail is not None:
            pieces, after = last_lines(session.output_back(one.id), tail, wanted, attempt or 0)
        goes_on = tail is None or follow
        rest = session.output(one.id, attempt=attempt or 0, follow=follow, after=after)
        for piece in map(seams.join, chain(pieces, rest if goes_on else ())):
            if piece.stream in wanted:
                _write(piece, piece.data if stamps is None else stamps.stamped(piece))


def last_lines(
    backwards: Iterable[OutputPiece], count: int, streams: Collection[int], attempt: int
) -> tuple[list[OutputPiece], int]:
    """The pieces with the last lines of these streams, and the position of the last piece of all.

    `attempt` 0 means all attempts. No more is taken from `backwards` than is needed.
    """
    pieces: list[OutputPiece] = []
    seen: set[tuple[int, int]] = set()
    last, lines = 0, 0
    for piece in backwards:
        last = last or piece.position
        if piece.stream not in streams or attempt not in {0, piece.attempt}:
            continue
        # The last line of a stream is one with or without its end; others are one by their ends.
        is_last = bool(piece.data) and (piece.attempt, piece.stream) not in seen
        if is_last:
            seen.add((piece.attempt, piece.stream))
        parts = piece.data.split(b"\n")
        lines += len(parts) - (not is_last or not parts[-1])
        over = lines - count
        size = sum(len(part) + 1 for part in parts[:over]) if over > 0 else 0
        if not size:
            pieces.append(piece)
        elif size < len(piece.data):
            offset = piece.offset + piece.gap_bytes + size
            pieces.append(
                structs.replace(piece, offset=offset, data=piece.data[size:], gap_bytes=0)
            )
        if over >= 0:
            break
    return pieces[::-1], last


class Stamps:
    """Puts a time before each line of either stream, however the pieces cut them."""

    def __init__(self) -> None:
        self._torn: set[tuple[int, int]] = set()
        """The streams, each of its attempt, whose last line has no end yet."""

    def stamped(self, piece: OutputPiece) -> bytes:
        """The bytes of a piece, with the time of the piece where a line begins."""
        stream = (piece.attempt, piece.stream)
        if piece.gap_bytes:
            self._torn.discard(stream)
        stamp = f"{to_rfc3339(piece.at_us)} ".encode()
        *whole, rest = piece.data.split(b"\n")
        text = b"".join(stamp + line + b"\n" for line in whole) + (stamp + rest if rest else b"")
        if stream in self._torn:
            text = text[len(stamp) :]
        if text:
            (self._torn.discard if text.endswith(b"\n") else self._torn.add)(stream)
        return text


def _write(piece: OutputPiece, data: bytes) -> None:
    if piece.gap_bytes:
        sys.stdout.flush()
        name = _NAMES.get(piece.stream, "output")
        size = format_size(piece.gap_bytes)
        sys.stderr.write(f"tocsin: {size} of {name} were not kept here\n")
        sys.stderr.flush()
    out = sys.stderr if piece.stream == 2 else sys.stdout  # noqa: PLR2004 - stderr's number
    out.buffer.write(data)
    out.buffer.flush()
