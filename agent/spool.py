"""The journal on disk: an append-only file of records, and the id of the agent's unbroken memory.

A frame is the little-endian length of its payload, the CRC-32 of length and payload, and the
payload: a msgpack array of the records of one turn. A turn is one write(2). It is not flushed to
the disk, since only a crash of the whole machine could lose it, and then the hosts are gone too:
the boot id tells, and a new spool id says that the memory has gaps. What must be flushed is the
epoch, and an end that the coordinator does not take for a while.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tocsin.errors import StoreError
from tocsin.lock import DirectoryLock
from tocsin.log import Log

from .machine.memory import Memory, doubt, replay, snapshot
from .machine.records import Closed, Ended, EpochSeen, Record

COMPACT_BYTES: Final = 8 << 20
"""A journal smaller than this is left to grow."""
FRAME_BYTES_MAX: Final = 64 << 20
SYNC_US: Final = 1_000_000
"""Ends reach the disk within this time."""
_HEAD: Final = struct.Struct("<II")
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[Record])


class Read(NamedTuple):
    """What was found in a journal."""

    records: list[Record]
    end: int
    """Behind the last whole frame."""
    damaged: bool
    """Something is wrong that no interrupted write explains."""


def frame(records: Sequence[Record]) -> bytes:
    """The bytes of one turn's records."""
    payload = _encoder.encode(records)
    return _head(payload) + payload


def _head(payload: bytes | memoryview) -> bytes:
    length = len(payload)
    return _HEAD.pack(length, zlib.crc32(payload, length))


def read_frames(data: bytes) -> Read:
    """The records in a journal's bytes, up to a torn or damaged frame."""
    view = memoryview(data)
    records: list[Record] = []
    offset = 0
    while (end := _frame_end(view, offset)) is not None:
        try:
            records += _decoder.decode(view[offset + _HEAD.size : end])
        except (msgspec.DecodeError, RecursionError):
            return Read(records, offset, damaged=True)
        offset = end
    return Read(records, offset, damaged=offset < len(view) and not _is_torn(view, offset))


def _frame_end(view: memoryview, offset: int) -> int | None:
    """Where the frame at `offset` ends; None when there is no whole one."""
    if offset + _HEAD.size > len(view):
        return None
    length, crc = _HEAD.unpack_from(view, offset)
    end = offset + _HEAD.size + length
    if not 0 < length <= FRAME_BYTES_MAX or end > len(view):
        return None
    return end if zlib.crc32(view[offset + _HEAD.size : end], length) == crc else None


def _is_torn(view: memoryview, offset: int) -> bool:
    """Whether the rest is the beginning of one frame, as a kill in the middle of a write leaves."""
    if offset + _HEAD.size <= len(view):
        length, _ = _HEAD.unpack_from(view, offset)
        if not 0 < length <= FRAME_BYTES_MAX or offset + _HEAD.size + length <= len(view):
            return False
    return all(_frame_end(view, at) is None for at in range(offset + 1, len(view)))


def _write(fd: int, data: bytes, offset: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(fd, left, offset)
        left, offset = left[written:], offset + written


class Spool:
    """The journal of one agent, in a directory of its own; `memory` is what it held.

    Raises:
        ConfigError: another agent uses the directory.
        StoreError: it cannot be read or written.
    """

    def __init__(self, folder: Path, boot_id: str, new_id: Callable[[], str], log: Log) -> None:
        self._folder = folder
        self._path = folder / "journal"
        self._log = log
        self._fd = -1
        self._size = 0
        self._compact_at = COMPACT_BYTES
        self._torn = False
        self._sync_due_us: int | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = DirectoryLock(folder / "lock", "an agent")
        except OSError as error:
            raise self._unusable(error) from error
        try:
            self.memory = self._restore(boot_id, new_id)
            self._replace(snapshot(self.memory))
        except OSError as error:
            self._lock.release()
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self._path}: {error.strerror}", "check the disk's space and the directory's owner"
        )

    # Reading.

    def _restore(self, boot_id: str, new_id: Callable[[], str]) -> Memory:
        memory = Memory()
        read = read_frames(self._bytes())
        replay(memory, read.records)
        if read.damaged:
            aside = self._set_aside()
            self._log.error("journal.damaged", kept_as=aside, offset=read.end)
        rebooted = not boot_id or memory.boot_id != boot_id
        if read.damaged or not memory.spool or (rebooted and not memory.closed):
            doubt(memory)
            memory.spool = new_id()
        memory.boot_id = boot_id
        memory.times_opened += 1
        return memory

    def _bytes(self) -> bytes:
        with contextlib.suppress(FileNotFoundError):
            return self._path.read_bytes()
        return b""

    def _set_aside(self) -> str:
        number = 1
        while (aside := self._folder / f"journal.bad-{number}").exists():
            number += 1
        self._path.rename(aside)
        return aside.name

    # Writing.

    def append(self, records: Sequence[Record], now_us: int) -> None:
        """Write the records of one turn; `now_us` is on the steady clock.

        Raises:
            StoreError: nothing of it is in the journal.
        """
        data = frame(records)
        try:
            self._mend()
            self._torn = True
            _write(self._fd, data, self._size)
            if any(isinstance(record, EpochSeen) for record in records):
                os.fdatasync(self._fd)
            self._torn = False
        except OSError as error:
            raise StoreError(f"{self._path}: {error.strerror}", "free some space") from error
        self._size += len(data)
        if self._sync_due_us is None and any(isinstance(record, Ended) for record in records):
            self._sync_due_us = now_us + SYNC_US

    def _mend(self) -> None:
        """Take back what a write that failed left behind."""
        if self._torn:
            os.ftruncate(self._fd, self._size)
            self._torn = False

    @property
    def sync_due_us(self) -> int | None:
        """When `sync` is next needed, on the steady clock."""
        return self._sync_due_us

    def sync(self, now_us: int, *, ends_held: bool) -> None:
        """Bring ends to the disk when it is time; there is no need when none is held any more."""
        if self._sync_due_us is None or now_us < self._sync_due_us:
            return
        self._sync_due_us = None
        if ends_held:
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                self._log.error("journal.unsynced", reason=error.strerror)

    @property
    def is_bulky(self) -> bool:
        """Whether most of the journal is probably of no use any more."""
        return self._size >= self._compact_at

    def compact(self, records: Sequence[Record]) -> None:
        """Replace the journal by these records; where there is no room, it stays as it is."""
        try:
            self._replace(records)
        except OSError as error:
            self._compact_at = 2 * self._size
            self._log.warning("journal.not_compacted", reason=error.strerror)

    def _replace(self, records: Sequence[Record]) -> None:
        draft = self._folder / "journal.new"
        data = frame(records)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write(fd, data, 0)
            os.fsync(fd)
            draft.replace(self._path)
        except OSError:
            os.close(fd)
            raise
        self._sync_folder()
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._size, self._torn = fd, len(data), False
        self._compact_at = max(COMPACT_BYTES, 2 * len(data))

    def _sync_folder(self) -> None:
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def close(self, *, complete: bool) -> None:
        """Let go of the directory; `complete` says that everything there is to know is written."""
        try:
            if complete:
                self._mend()
                _write(self._fd, frame([Closed()]), self._size)
            os.fdatasync(self._fd)
        except OSError as error:
            self._log.error("journal.not_closed", reason=error.strerror)
        os.close(self._fd)
        self._lock.release()
