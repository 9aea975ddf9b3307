"""What a program writes: bytes to lines, and a line to what it says."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

LINE_BYTES_MAX: Final = 1 << 20
"""A longer line is output, whatever is in it."""
_KEYS: Final = frozenset({"output", "output_base64", "facts", "result"})
"""An object with none of these is output like any other."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the protocol. Keys that are not known are skipped: a later version has more."""

    output: str = ""
    """Text to be put into the run's output as it is: with its line break, if it is to have one."""
    output_base64: str = ""
    """The same for bytes."""
    stream: Literal["stdout", "stderr"] = "stdout"
    facts: dict[str, Any] = {}
    """Laid over those that were told before."""
    result: str | None = None
    """`succeeded` or `failed`."""
    message: str = ""
    """Of a result: why, in one line."""
    exit_code: int | None = None
    """Of a result: in place of the program's own."""

    def data(self) -> bytes:
        """The output.

        Raises:
            ValueError: `output_base64` is no base64.
        """
        try:
            return self.output.encode() + base64.b64decode(self.output_base64, validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise ValueError(str(error)) from error


_keys: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_line: Final = msgspec.json.Decoder(Line)


def read_line(text: bytes) -> Line | None:
    """What a line says; None where it is none of the protocol.

    Raises:
        ValueError: it holds a result, and something about it is wrong.
    """
    try:
        keys = _keys.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    if _KEYS.isdisjoint(keys):
        return None
    try:
        line = _line.decode(text)
        line.data()
    except (ValueError, RecursionError) as error:  # msgspec's errors among them
        if "result" in keys:
            raise ValueError(f"its result makes no sense: {error}") from error
        return None
    if line.result not in {None, "succeeded", "failed"}:
        raise ValueError(f'its result is "{line.result}"; expected "succeeded" or "failed"')
    return line


class LineSplitter:
    """Cuts what comes into lines that may be of the protocol, and all that lies between them."""

    def __init__(self) -> None:
        self._held = b""
        """The beginning of a line whose end has not come yet."""
        self._is_long = False
        """Whether the line that goes on is too long to be one of the protocol."""

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Pieces, each with whether it is a whole line that begins with a brace."""
        if self._is_long:
            rest, newline, data = data.partition(b"\n")
            yield rest + newline, False
            if not newline:
                return
            self._is_long = False
        data = self._held + data
        self._held = b""
        at = 0
        while at < len(data):
            if data[at] != _BRACE:
                # Plain lines go by in one piece, up to where the next brace begins one.
                brace = data.find(b"\n{", at)
                end = len(data) if brace < 0 else brace + 1
                yield data[at:end], False
                self._is_long = end == len(data) and data[-1] != _NEWLINE
                at = end
                continue
            newline_at = data.find(b"\n", at)
            if newline_at < 0:
                yield from self._hold(data[at:])
                return
            yield data[at : newline_at + 1], True
            at = newline_at + 1

    def _hold(self, begun: bytes) -> Iterator[tuple[bytes, bool]]:
        if len(begun) <= LINE_BYTES_MAX:
            self._held = begun
            return
        self._is_long = True
        yield begun, False

    def rest(self) -> Iterator[tuple[bytes, bool]]:
        """What is left when nothing comes any more."""
        if self._held:
            yield self._held, True
            self._held = b""


_BRACE: Final = ord("{")
_NEWLINE: Final = ord("\n")
