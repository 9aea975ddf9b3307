"""What an http run does between its socket and its output, without either."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.executors.http.decoding import PIECE_BYTES, DecodingError, Packed, decoder
from tocsin.executors.http.progress import QUIET_S, QUIET_S_MAX, Progress
from tocsin.executors.output_files import OutputFiles


def raw_deflate(data: bytes) -> bytes:
    """As some servers send `deflate`: RFC 1951 without the frame of RFC 1950."""
    return zlib.compress(data)[2:-4]


@given(
    st.binary(max_size=2000),
    st.sampled_from(
        [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)]
    ),
    st.lists(st.integers(0, 2000), max_size=5).map(sorted),
)
def test_it_does_not_matter_where_packed_bytes_are_cut(
    data: bytes, packing: tuple[str, Callable[[bytes], bytes]], cuts: list[int]
) -> None:
    """The pieces are the body, wherever the network divides it."""
    coding, pack = packing
    packed, unpacked = pack(data), decoder(coding)
    found = b""
    for start, end in zip([0, *cuts], [*cuts, len(packed)], strict=True):
        found += b"".join(unpacked.pieces(packed[start:end]))
    unpacked.end()
    assert found == data


@given(st.binary(min_size=1, max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_are_a_body_or_an_error(data: bytes, coding: str) -> None:
    """Nothing else is raised, and no piece is larger than it may be."""
    unpacked = Packed(coding)
    with contextlib.suppress(DecodingError):
        assert all(len(piece) <= PIECE_BYTES for piece in unpacked.pieces(data))
        unpacked.end()


def test_a_bomb_goes_off_in_small_pieces() -> None:
    """Each is made when it is asked for."""
    packed = zlib.compress(bytes(64 << 20))
    sizes = [len(piece) for piece in Packed("deflate").pieces(packed)]
    assert max(sizes) == PIECE_BYTES
    assert sum(sizes) == 64 << 20


class Clock(asyncio.BaseEventLoop):
    """A loop of which there is nothing but the time, and one thing to be done later."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0
        self.due: tuple[float, Callable[[], Any]] | None = None

    def time(self) -> float:
        return self.now_s

    # One kind of call is enough here.
    def call_at(self, when: float, callback: Callable[..., Any], *_: Any, **__: Any) -> Any:  # type: ignore[override]
        self.due = when, callback
        return asyncio.TimerHandle(when, callback, [], self)

    def pass_time(self, seconds: float) -> None:
        """Let it pass, and do what is due meanwhile."""
        end_s = self.now_s + seconds
        while self.due is not None and self.due[0] <= end_s:
            (self.now_s, callback), self.due = self.due, None
            callback()
        self.now_s = end_s


@pytest.fixture
def clock() -> Iterator[Clock]:
    """A clock that stands still."""
    made = Clock()
    yield made
    made.close()


@pytest.fixture
def sink(tmp_path: Path) -> OutputFiles:
    """An attempt's output."""
    return OutputFiles(str(tmp_path / "R.1"), 1 << 20)


def test_a_request_that_is_answered_soon_tells_nothing(clock: Clock, sink: OutputFiles) -> None:
    """Its output is the answer alone."""
    progress = Progress(clock, sink, lambda: "no answer so far")
    for _ in range(100):
        clock.pass_time(QUIET_S - 1)
        progress.heard()
    assert not sink.stderr.exists()


def test_silence_is_told_ever_less_often(clock: Clock, sink: OutputFiles) -> None:
    """A line after half a minute, then after twice the time, up to ten minutes."""
    Progress(clock, sink, lambda: "no answer so far")
    clock.pass_time(3600)
    lines = sink.stderr.read_text().splitlines()
    assert lines[:3] == [f"{at}: no answer so far" for at in ("30s", "1m30s", "3m30s")]
    assert len(lines) == 5 + (3600 - 30 * 31) // QUIET_S_MAX


def test_what_comes_begins_the_silence_anew(clock: Clock, sink: OutputFiles) -> None:
    """The next line comes half a minute after it."""
    progress = Progress(clock, sink, lambda: "5 MiB of the answer so far")
    clock.pass_time(100)
    progress.heard()
    clock.pass_time(60)
    lines = sink.stderr.read_text().splitlines()
    assert lines == [f"{at}: 5 MiB of the answer so far" for at in ("30s", "1m30s", "2m10s")]
