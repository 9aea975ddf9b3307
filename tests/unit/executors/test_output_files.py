"""Output files that stay empty are used again, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.executors.output_files import OutputFiles, SpareFiles


@pytest.fixture
def spares(tmp_path: Path) -> SpareFiles:
    """The spare files of one host."""
    return SpareFiles(str(tmp_path / "spare"), "shell")


def _printed(tmp_path: Path, spares: SpareFiles, key: str, text: str) -> list[Path]:
    """The files of an attempt that printed `text` to stdout, after its end."""
    sink = OutputFiles(str(tmp_path / key), spares)
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
    sink = OutputFiles(str(tmp_path / "B.1"), spares)
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
