"""Which editor is the user's own, and what becomes of the file that it is let at."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tocsin.errors import ConfigError
from tocsin.tui.external_editor import EditedFile, editor_command, run_editor


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "vi"}, ["code", "--wait"]),
        ({"VISUAL": " ", "EDITOR": "'my editor' -n"}, ["my editor", "-n"]),
        ({"EDITOR": "vi"}, ["vi"]),
    ],
)
def test_variables_come_first(environ: dict[str, str], command: list[str]) -> None:
    """VISUAL before EDITOR, with their arguments as a shell reads them."""
    assert editor_command(environ) == command


@pytest.mark.parametrize("name", ["editor", "nano", "vi"])
def test_what_there_is(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a variable the first usual editor that there is."""
    program = tmp_path / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert editor_command({}) == [str(program)]


def test_no_editor_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said what to set."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        editor_command({})
    assert "EDITOR" in caught.value.hint


def test_file_is_for_the_user_alone(tmp_path: Path) -> None:
    """It is readable for nobody else, holds what was written, and is gone afterwards."""
    file = EditedFile(tmp_path / "drafts", "team/job")
    file.write("a: ü\n")
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert file.read() == "a: ü\n"
    file.close()
    assert not file.path.exists()
    with pytest.raises(ConfigError, match="cannot read it"):
        file.read()


@pytest.mark.parametrize(
    ("data", "said"), [(b"\xff", "no UTF-8"), (b"a" * ((1 << 20) + 1), "longer than 1 MiB")]
)
def test_what_is_no_text(data: bytes, said: str, tmp_path: Path) -> None:
    """What an editor left that can be no job is said to be that."""
    file = EditedFile(tmp_path, "job")
    file.path.write_bytes(data)
    with pytest.raises(ConfigError, match=said):
        file.read()


def test_editor_that_fails(tmp_path: Path) -> None:
    """An editor that ends otherwise than well has changed nothing that counts."""
    with pytest.raises(ConfigError, match="ended with 3"):
        run_editor(["sh", "-c", "exit 3"], tmp_path / "x")
    with pytest.raises(ConfigError, match="cannot be started"):
        run_editor([str(tmp_path / "none")], tmp_path / "x")
