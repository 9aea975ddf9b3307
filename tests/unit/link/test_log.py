"""The log: one line a fact, whatever the fact holds and wherever the line goes."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tocsin.log import Log, Throttle


@contextmanager
def stderr_into_small_pipe() -> Iterator[int]:
    """Let stderr be a pipe of 4096 bytes; gives its reading end."""
    outlet, inlet = os.pipe()
    fcntl.fcntl(inlet, fcntl.F_SETPIPE_SZ, 4096)
    kept = os.dup(2)
    os.dup2(inlet, 2)
    os.close(inlet)
    try:
        yield outlet
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(outlet)


def test_line(capfd: pytest.CaptureFixture[str]) -> None:
    """A line is time, level, part, event, then the facts in their order."""
    Log("coordinator").info("run.dispatched", run="01J", agent=7, ok=True, due=None)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info coordinator run.dispatched"
        r" run=01J agent=7 ok=true due=none\n",
        capfd.readouterr().err,
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("two words", '"two words"'),
        ("a\nb", r'"a\nb"'),
        ("\x1b[2J", r'"\x1b[2J"'),
        ('say "x"', r'"say \"x\""'),
        ("back\\slash", r'"back\\slash"'),
        ("a=b", '"a=b"'),
        ("", '""'),
        ("Köln", "Köln"),
        ("\u2028", r'"\u2028"'),
        ("\udc80", r'"\udc80"'),
        (1.5, "1.5"),
        (b"\0", r'''"b'\\x00'"'''),
    ],
)
def test_values(capfd: pytest.CaptureFixture[str], value: object, text: str) -> None:
    """A value is one word: quoted where it must be, and nothing in it reaches the terminal raw."""
    Log("x").warning("e", v=value)
    assert capfd.readouterr().err.endswith(f" warning x e v={text}\n")


def test_level(capfd: pytest.CaptureFixture[str]) -> None:
    """What is below the level is not written."""
    log = Log("x", level="warning")
    log.info("small")
    log.warning("middling")
    log.error("great")
    assert [line.split()[3] for line in capfd.readouterr().err.splitlines()] == [
        "middling",
        "great",
    ]


def test_under_journald(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its socket is out of reach, a line has its priority and leaves the time to journald."""
    status = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    log = Log("agent", journal="/nowhere")
    log.info("up")
    log.error("down")
    assert capfd.readouterr().err == "<6>agent up\n<3>agent down\n"


def test_redirected_under_journald(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stderr that is not the journal's keeps its time, though the variable is inherited."""
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    Log("agent").info("up")
    assert capfd.readouterr().err.endswith("Z info agent up\n")


def test_a_long_line_is_cut(capfd: pytest.CaptureFixture[str]) -> None:
    """A line is at most 4096 bytes, cut between letters."""
    Log("x").info("e", v="ö" * 5000)
    line = capfd.readouterr().err
    assert line.endswith("ö...\n")
    assert 4090 <= len(line.encode()) <= 4096


def test_a_full_pipe_stops_nobody() -> None:
    """Lines that the reader leaves no room for are dropped; the next that fits counts them."""
    log = Log("x")
    with stderr_into_small_pipe() as outlet:
        log.info("first", v="y" * 3900)
        log.info("second")
        log.info("third")
        read = os.read(outlet, 1 << 16)
        log.info("fourth")
        read += os.read(outlet, 1 << 16)
        log.info("fifth")
        read += os.read(outlet, 1 << 16)
    lines = [line.split(maxsplit=3)[3] for line in read.decode().splitlines()]
    assert lines[0].startswith("first")
    assert lines[1:] == ["fourth lines_lost=2", "fifth"]


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-", "2> >(exit 0); sleep 0"])
def test_broken_stderr(tmp_path: Path, where: str) -> None:
    """A full disk, a closed descriptor or a reader that left makes no line raise."""
    program = tmp_path / "program.py"
    program.write_text(
        "from tocsin.log import Log\n"
        "f = open('other', 'w')\n"
        "for _ in range(3): Log('x').error('e', a=1)\n"
        "print('alive')\n"
    )
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} program.py {where}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == "alive\n"
    assert (tmp_path / "other").read_text() == ""


def test_throttle_lets_one_through() -> None:
    """One a minute and key, and the next says how many were held back."""
    throttle = Throttle()
    assert throttle.allow("a", 0.0) == (True, 0)
    assert throttle.allow("a", 1.0) == (False, 1)
    assert throttle.allow("b", 1.0) == (True, 0)
    assert throttle.allow("a", 59.9) == (False, 2)
    assert throttle.allow("a", 60.0) == (True, 2)
    assert throttle.allow("a", 120.0) == (True, 0)


def test_throttle_is_bounded() -> None:
    """Strangers who choose keys get one line for all of them, and cost no more memory."""
    throttle = Throttle()
    passed = [throttle.allow(f"k{n}", 1.0)[0] for n in range(10_000)]
    assert sum(passed) == 4096 + 1
    assert throttle.allow("new", 61.0) == (True, 0)
    assert len(throttle._seen) == 1
