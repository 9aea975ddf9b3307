"""A command line with a home of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tocsin.cli import main


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


Tocsin = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TOCSIN_HOME of this test."""
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TOCSIN_CONTEXT", raising=False)
    return tmp_path / "home"


@pytest.fixture
def tocsin(home: Path, capfd: pytest.CaptureFixture[str]) -> Tocsin:  # noqa: ARG001 - the environment it sets
    """Runs a command in this process."""

    def run(*arguments: str) -> Said:
        capfd.readouterr()
        code = main(list(arguments))
        return Said(code, *capfd.readouterr())

    return run
