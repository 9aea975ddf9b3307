"""What a journal keeps over kills, full disks, damage and reboots."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tocsin.agent.machine.memory import UNKNOWN_HOST
from tocsin.agent.machine.records import (
    Accepted,
    Ended,
    EpochSeen,
    Forgotten,
    Handed,
    Opened,
    Record,
)
from tocsin.agent.spool import COMPACT_BYTES, SYNC_US, Spool, frame, read_frames
from tocsin.errors import ConfigError, StoreError
from tocsin.hosting import RunEnded
from tocsin.log import Log

from .bench import DONE, WALL_US, key, orders

TURNS: list[list[Record]] = [
    [Opened("SPOOL", "BOOT"), EpochSeen(3)],
    [Accepted(WALL_US, orders(1, 2)), Handed("1:1", [key(1), key(2)])],
    [Ended([RunEnded(key(1), WALL_US, WALL_US, DONE)])],
    [Forgotten([key(1)]), Accepted(WALL_US, orders(3))],
]
JOURNAL = b"".join(frame(records) for records in TURNS)
LAST = len(JOURNAL) - len(frame(TURNS[-1]))


class Desk:
    """A directory, and the spools that are opened in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "journal"
        self._ids = count(1)
        self.open_one: Spool | None = None

    def open(self, boot_id: str = "BOOT") -> Spool:
        """Open the spool."""
        self.open_one = Spool(self.folder, boot_id, lambda: f"SPOOL{next(self._ids)}", Log("test"))
        return self.open_one

    def kill(self) -> None:
        """End the agent without a word."""
        if self.open_one is not None:
            os.close(self.open_one._fd)
            self.open_one._lock.release()
            self.open_one = None


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A directory for a spool."""
    made = Desk(tmp_path / "spool")
    yield made
    made.kill()


def test_what_is_written_is_read() -> None:
    """The records of all turns come back, in order."""
    read = read_frames(JOURNAL)
    assert read.records == [record for records in TURNS for record in records]
    assert read.end == len(JOURNAL)
    assert not read.damaged


@pytest.mark.parametrize("cut", range(LAST, len(JOURNAL)))
def test_a_torn_tail_is_cut_off(cut: int) -> None:
    """A write that a kill cut short, at whatever byte, takes nothing else with it."""
    read = read_frames(JOURNAL[:cut])
    assert read.records == [record for records in TURNS[:-1] for record in records]
    assert read.end == LAST
    assert not read.damaged


@pytest.mark.parametrize("at", range(0, LAST, 3))
def test_damage_in_the_middle_is_seen(at: int) -> None:
    """Any changed byte that is not in a torn tail is damage, and nothing behind it is believed."""
    data = bytearray(JOURNAL)
    data[at] ^= 0x41
    read = read_frames(bytes(data))
    assert read.damaged
    assert read.end <= at
    assert read.records == read_frames(JOURNAL[: read.end]).records


def test_a_frame_that_is_whole_and_wrong_is_damage() -> None:
    """Zeros, or records of another make, are not what a kill leaves behind."""
    assert read_frames(JOURNAL + bytes(64)).damaged
    strange: Any = [("forlotten", [])]
    assert read_frames(JOURNAL + frame(strange)).damaged
    assert read_frames(b"").records == []


def test_a_kill_loses_nothing(desk: Desk) -> None:
    """The next agent has the same memory and the same spool id."""
    spool = desk.open()
    assert spool.memory.spool == "SPOOL1"
    for records in TURNS[1:]:
        spool.append(records, 0)
    desk.kill()
    memory = desk.open().memory
    assert memory.spool == "SPOOL1"
    assert set(memory.attempts) == {key(2), key(3)}
    assert memory.attempts[key(2)].host == "1:1"
    assert memory.attempts[key(3)].host == ""


@pytest.mark.parametrize(
    ("boot_id", "complete", "spool", "host"),
    [
        ("BOOT", None, "SPOOL1", ""),
        ("BOOT", True, "SPOOL1", ""),
        ("NEXT", True, "SPOOL1", ""),
        ("NEXT", False, "SPOOL2", UNKNOWN_HOST),
        ("NEXT", None, "SPOOL2", UNKNOWN_HOST),
        ("", None, "SPOOL2", UNKNOWN_HOST),
    ],
)
def test_a_reboot_makes_doubt(
    desk: Desk,
    boot_id: str,
    complete: bool | None,  # noqa: FBT001 - a column of the table
    spool: str,
    host: str,
) -> None:
    """Only a journal that was closed in good order is trusted over a reboot."""
    first = desk.open()
    first.append([Accepted(WALL_US, orders(1))], 0)
    if complete is None:
        desk.kill()
    else:
        first.close(complete=complete)
        desk.open_one = None
    memory = desk.open(boot_id).memory
    assert memory.spool == spool
    assert memory.attempts[key(1)].host == host


def test_a_torn_tail_is_overwritten(desk: Desk) -> None:
    """What is written after a torn tail is read again."""
    desk.folder.mkdir()
    desk.journal.write_bytes(JOURNAL[:-3])
    spool = desk.open()
    assert spool.memory.spool == "SPOOL"
    spool.append([EpochSeen(9)], 0)
    desk.kill()
    assert desk.open().memory.epoch == 9


def test_a_damaged_journal_is_set_aside(desk: Desk) -> None:
    """It is kept, what could be read is used with doubt, and the spool has a new id."""
    desk.folder.mkdir()
    for number in (1, 2):
        data = bytearray(JOURNAL)
        data[LAST - 5] ^= 1
        desk.journal.write_bytes(data)
        memory = desk.open().memory
        assert memory.spool == f"SPOOL{number}"
        assert memory.attempts[key(2)].host == UNKNOWN_HOST
        assert (desk.folder / f"journal.bad-{number}").read_bytes() == data
        desk.kill()


def test_a_second_agent_is_kept_away(desk: Desk) -> None:
    """It is told the pid of the first."""
    desk.open()
    with pytest.raises(ConfigError, match=f"an agent with pid {os.getpid()}"):
        Spool(desk.folder, "BOOT", lambda: "X", Log("test"))


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """The message names the journal."""
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(StoreError, match="journal"):
        Spool(tmp_path / "file" / "spool", "BOOT", lambda: "X", Log("test"))


def test_a_full_disk_leaves_the_journal_whole(desk: Desk) -> None:
    """A write that failed is taken back before the next one."""
    spool = desk.open()
    good, spool._fd = spool._fd, os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(StoreError, match="No space left"):
        spool.append([EpochSeen(7)], 0)
    os.close(spool._fd)
    spool._fd = good
    os.pwrite(good, b"half a fra", spool._size)
    spool.append([EpochSeen(8)], 0)
    desk.kill()
    assert desk.open().memory.epoch == 8
    assert list(desk.folder.glob("journal.bad*")) == []


def due(spool: Spool) -> int | None:
    """When a sync is due; asked anew each time."""
    return spool.sync_due_us


def test_ends_reach_the_disk_within_a_second(desk: Desk) -> None:
    """An end asks for a sync a second later, and no other record does."""
    spool = desk.open()
    spool.append(TURNS[1], 5)
    assert due(spool) is None
    spool.append(TURNS[2], 7)
    spool.append(TURNS[2], 9)
    assert due(spool) == 7 + SYNC_US
    spool.sync(8, ends_held=True)
    assert due(spool) == 7 + SYNC_US
    spool.sync(7 + SYNC_US, ends_held=True)
    assert due(spool) is None


def test_compaction_keeps_what_counts(desk: Desk) -> None:
    """A bulky journal is replaced by a small one, and written on."""
    spool = desk.open()
    numbers = range(1, 500)
    while desk.journal.stat().st_size < COMPACT_BYTES:
        assert not spool.is_bulky
        spool.append([Accepted(WALL_US, orders(*numbers))], 0)
        spool.append([Forgotten([key(n) for n in numbers])], 0)
    bulky = spool.is_bulky
    assert bulky
    spool.compact([Opened("SPOOL1", "BOOT"), EpochSeen(2), *TURNS[1]])
    assert desk.journal.stat().st_size < 1000
    assert not spool.is_bulky
    spool.append(TURNS[2], 0)
    desk.kill()
    memory = desk.open().memory
    assert (memory.spool, memory.epoch) == ("SPOOL1", 2)
    assert [a.outcome for a in memory.attempts.values()] == [DONE, None]


def test_a_compaction_that_fails_changes_nothing(desk: Desk) -> None:
    """The journal goes on as it is."""
    spool = desk.open()
    (desk.folder / "journal.new").mkdir()
    spool.compact([Opened("OTHER", "BOOT")])
    spool.append([EpochSeen(4)], 0)
    (desk.folder / "journal.new").rmdir()
    desk.kill()
    memory = desk.open().memory
    assert (memory.spool, memory.epoch) == ("SPOOL1", 4)
