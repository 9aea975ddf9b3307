"""`tocsin web` before anything is served."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tocsin.cli import main
from tocsin.config import Context, write_context


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host where a coordinator is known."""
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path))
    context = Context(name="x", endpoint="tcp://127.0.0.1:1", server_key="00", key_file=Path("k"))
    write_context(tmp_path / "config/context.toml", context)
    return tmp_path


def web(*arguments: str) -> int:
    """The exit code of the command."""
    return main(["web", *arguments])


@pytest.mark.usefixtures("home")
def test_a_missing_library_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the line that installs it."""
    monkeypatch.delitem(sys.modules, "tocsin.tui.web", raising=False)
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    assert web() != 0
    told = capsys.readouterr().err
    assert "textual_serve" in told
    assert "pip install 'tocsin[web]'" in told


@pytest.mark.usefixtures("home")
def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """And what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert web("--port", port) != 0
    told = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in told
    assert "--port" in told


def test_without_a_coordinator_nothing_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said at once, and not on each page."""
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path))
    assert web("--port", "0") != 0
    assert "no coordinator is known here" in capsys.readouterr().err
