"""The body of an answer as it is meant: gzip and deflate taken off, a bounded piece at a time.

A thousandth of a body can be enough to fill a memory, so no more than `PIECE_BYTES` are ever
unpacked at once. Only what was asked for is unpacked; any other coding stays as it came.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

ACCEPTED: Final = "gzip, deflate"
PIECE_BYTES: Final = 256 << 10
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB_HEADER_BYTES: Final = 2
_GZIP_MAGIC: Final = b"\x1f"


class DecodingError(ValueError):
    """The bytes are not what they were said to be."""


class Plain:
    """What needs no unpacking."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The body's next bytes."""
        yield data

    def end(self) -> None:
        """That was all."""


class Packed:
    """A body in gzip (RFC 1952) or deflate (RFC 1950; raw RFC 1951 as some servers send it)."""

    def __init__(self, coding: str) -> None:
        self._is_gzip = coding != "deflate"
        self._unpacker = zlib.decompressobj(_GZIP if self._is_gzip else zlib.MAX_WBITS)
        self._begun = False
        self._first = b""
        """The first byte, as long as it came alone: it takes two to know RFC 1950."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """The body's next bytes.

        Raises:
            DecodingError: these are none.
        """
        if not self._begun:
            data = self._first + data
            if len(data) < _ZLIB_HEADER_BYTES:
                self._first = data
                return
        while data:
            if self._unpacker.eof:
                if not self._is_gzip or not data.startswith(_GZIP_MAGIC):
                    return  # padding
                self._unpacker = zlib.decompressobj(_GZIP)  # the next member, RFC 1952 2.2
            piece = self._unpack(data)
            if piece:
                yield piece
            data = self._unpacker.unconsumed_tail or self._unpacker.unused_data

    def _unpack(self, data: bytes) -> bytes:
        first, self._begun = not self._begun, True
        try:
            return self._unpacker.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            if not first or self._is_gzip:
                raise DecodingError("what it packed is damaged") from error
        self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            return self._unpacker.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise DecodingError("what it packed is damaged") from error

    def end(self) -> None:
        """That was all.

        Raises:
            DecodingError: it was not.
        """
        if (self._begun or self._first) and not self._unpacker.eof:
            raise DecodingError("what it packed ends too early")


def decoder(coding: str) -> Plain | Packed:
    """For a body of this `Content-Encoding`."""
    coding = coding.strip().lower()
    return Packed(coding) if coding in {"gzip", "x-gzip", "deflate"} else Plain()
