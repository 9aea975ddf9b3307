"""Entries of the journal, as it receives them."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import pytest

from tocsin.log import Log


def journal_at(path: Path) -> socket.socket:
    """The journal's own socket."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    made.bind(str(path))
    return made


def test_each_fact_is_a_field(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the line for people; one with line ends in it is told by its length."""
    status = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    with journal_at(tmp_path / "socket") as journal:
        log = Log("agent", journal=str(tmp_path / "socket"))
        log.warning("host.start", executor="shell", why="a\nb", **{"odd-name": 1})
        data = journal.recv(4096)
        log.close()
    assert capfd.readouterr().err == ""
    assert data.startswith(b"MESSAGE=agent host.start executor=shell why=")
    for field in (b"PRIORITY=4\n", b"TOCSIN_EVENT=host.start\n", b"TOCSIN_PART=agent\n",
                  b"TOCSIN_EXECUTOR=shell\n", b"TOCSIN_ODD_NAME=1\n",
                  b"TOCSIN_WHY\n" + struct.pack("<Q", 3) + b"a\nb\n"):  # fmt: skip
        assert field in data


def test_a_journal_that_takes_nothing_is_gone_round(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line goes where it went before."""
    status = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    with journal_at(tmp_path / "socket"):
        log = Log("agent", journal=str(tmp_path / "socket"))
    log.info("up")
    log.close()
    assert capfd.readouterr().err == "<6>agent up\n"
