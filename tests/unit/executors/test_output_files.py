"""Output files that stay empty are used again, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.executors.output_files import OutputFiles, SpareFiles
from tocsin.output_plan import FREE_SLACK_BYTES


@pytest.fixture
def spares(tmp_path: Path) -> SpareFiles:
    """The spare files of one host."""
    return SpareFiles(str(tmp_path / "spare"), "shell")


def _printed(tmp_path: Path, spares: SpareFiles, key: str, text: str) -> list[Path]:
    """The files of an attempt that printed `text` to stdout, after its end."""
    sink = OutputFiles(str(tmp_path / key), 1 << 20, spares)
    files = [Path(name) for name in sink.lend()]
    for file, data in zip(files, (text, ""), strict=True):
        with file.open("a") as opened:
            opened.write(data)
    sink.close()
    return files


def test_an_empty_file_serves_the_next_attempt(tmp_path: Path, spares: SpareFiles) -> None:
    """What one attempt left empty is not there any more, and the next one gets the same file."""
    _, stderr = _printed(tmp_path, spares, "A.1", "text")
    assert not stderr.exists()
    (spare,) = (tmp_path / "spare").iterdir()
    inode = spare.stat().st_ino
    sink = OutputFiles(str(tmp_path / "B.1"), 1 << 20, spares)
    assert Path(sink.lend()[0]).stat().st_ino == inode


def test_what_was_printed_stays(tmp_path: Path, spares: SpareFiles) -> None:
    """A file with text in it is the agent's to read."""
    stdout, _ = _printed(tmp_path, spares, "A.1", "text")
    assert stdout.read_text() == "text"


def test_a_file_that_somebody_can_write_to_stays(tmp_path: Path, spares: SpareFiles) -> None:
    """What a run left in the background must never print into another run's output."""
    with (tmp_path / "A.1.out").open("a") as held:
        stdout, _ = _printed(tmp_path, spares, "A.1", "")
        held.write("late")
    assert stdout.read_text() == "late"


def test_nothing_is_left_at_the_end(tmp_path: Path, spares: SpareFiles) -> None:
    """Spare files go with their host."""
    _printed(tmp_path, spares, "A.1", "")
    spares.close()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def _allocated(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_output_without_an_end_fills_no_disk(tmp_path: Path) -> None:
    """Head and tail of what is kept are there; what lay between them takes no space."""
    keep_bytes, block = 1 << 20, bytes(range(256)) * 1024
    sink = OutputFiles(str(tmp_path / "A.1"), keep_bytes)
    most = 0
    for _ in range(256):
        sink.write(block)
        most = max(most, _allocated(sink.stdout))
    sink.close()
    assert sink.stdout.stat().st_size == 256 * len(block)
    assert most <= keep_bytes + FREE_SLACK_BYTES + 2 * len(block)
    with sink.stdout.open("rb") as file:
        assert file.read(keep_bytes // 2) == block * (keep_bytes // 2 // len(block))
        file.seek(-keep_bytes // 2, 2)
        assert file.read() == block * (keep_bytes // 2 // len(block))


def test_one_write_may_be_larger_than_what_is_kept(tmp_path: Path) -> None:
    """It is bounded like any other."""
    sink = OutputFiles(str(tmp_path / "A.1"), 4096)
    sink.write(b"x" * (32 << 20))
    sink.close()
    assert sink.stdout.stat().st_size == 32 << 20
    assert _allocated(sink.stdout) <= 4096 + FREE_SLACK_BYTES + 4096


def test_what_another_host_wrote_counts(tmp_path: Path) -> None:
    """A sink that goes on where another ended bounds the whole of it."""
    for _ in range(2):
        sink = OutputFiles(str(tmp_path / "A.1"), 4096)
        sink.write(b"x" * (FREE_SLACK_BYTES - 4096))
        sink.close()
    assert _allocated(sink.stdout) <= FREE_SLACK_BYTES
