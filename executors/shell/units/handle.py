"""What is kept of a run that is a unit, so that another host finds it."""

from __future__ import annotations

from typing import Final

import msgspec

from tocsin.errors import ExecutorError

VERSION: Final = 1


class Handle(msgspec.Struct, frozen=True, array_like=True):
    """By the name of its unit, which systemd keeps until it is told to forget it."""

    version: int
    unit: str


def handle_of(unit: str) -> bytes:
    """What is kept of a unit."""
    return msgspec.msgpack.encode(Handle(VERSION, unit))


def unit_of(handle: bytes) -> str:
    """The unit of a handle.

    Raises:
        ExecutorError: it is none of ours.
    """
    try:
        found = msgspec.msgpack.decode(handle, type=Handle)
    except msgspec.MsgspecError as error:
        raise ExecutorError(f"its handle makes no sense: {error}") from error
    if found.version != VERSION:
        raise ExecutorError(f"its handle is of version {found.version}; {VERSION} is known here")
    return found.unit
