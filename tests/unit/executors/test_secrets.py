"""Secrets: where they come from, and where they must not show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import ExecutorError
from tocsin.executors.output_files import OutputFiles
from tocsin.executors.secrets import Mask, resolve


def put(folder: Path, name: str, data: bytes, mode: int = 0o600) -> None:
    """A secret's file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


def test_a_value_is_the_file_without_its_last_newline(tmp_path: Path) -> None:
    """As editors write it; other white space counts."""
    put(tmp_path, "pg/backup", b" s3cret \n\n")
    assert resolve({"PW": "pg/backup"}, str(tmp_path)) == {"PW": " s3cret \n"}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("missing", "No such file"),
        ("../etc/passwd", "not the name of a file"),
        ("/etc/passwd", "not the name of a file"),
        ("open", "everybody on the host can read it"),
        ("folder", "is not a file"),
        ("large", "holds more than"),
        ("nul", "NUL"),
        ("latin", "not UTF-8"),
    ],
)
def test_what_cannot_be_had(tmp_path: Path, entry: str, says: str) -> None:
    """The variable, the place and the cause are named; no value is."""
    put(tmp_path, "open", b"hunter22", 0o644)
    put(tmp_path, "large", b"x" * (65 << 10))
    put(tmp_path, "nul", b"hunter22\0")
    put(tmp_path, "latin", b"hunter22\xff")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ExecutorError, match=r"^secret PW: ") as raised:
        resolve({"PW": entry}, str(tmp_path))
    assert says in raised.value.message
    assert "hunter22" not in raised.value.message


def test_a_pipe_is_no_secret(tmp_path: Path) -> None:
    """It is refused at once, and not waited for."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ExecutorError, match="is not a file"):
        resolve({"PW": "pipe"}, str(tmp_path))


def test_masked_text() -> None:
    """A secret is masked in any text, each line of it too; what is too short is not."""
    mask = Mask(["hunter22", "first line\nsecond line", "ab"])
    assert mask.text("x hunter22 second line ab") == "x *** *** ab"
    assert mask.plain({"a": ["hunter22", 1]}) == {"a": ["***", 1]}


@given(st.lists(st.sampled_from([b"hun", b"ter22", b"hunter22", b"x", b"h", b"\n"]), max_size=12))
def test_masked_output_however_it_is_cut(parts: list[bytes]) -> None:
    """A secret that comes in pieces is masked as if it had come whole."""
    whole = b"".join(parts)
    folder = Path("/dev/shm") / f"tocsin-mask-{os.getpid()}"
    sink = OutputFiles(str(folder), 1 << 20)
    sink.mask(Mask(["hunter22"]))
    try:
        for part in parts:
            sink.write(part)
        sink.close()
        shown = sink.stdout.read_bytes() if sink.stdout.exists() else b""
    finally:
        sink.stdout.unlink(missing_ok=True)
    assert shown == whole.replace(b"hunter22", b"***")
