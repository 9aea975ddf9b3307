"""`tocsin executor new` and `check`, as somebody uses them who writes an executor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fleet import TOCSIN

BIN = Path(sys.executable).parent
DEADLINE_S = 100


def call(*words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        words,
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )


def begin(name: str, folder: Path) -> Path:
    """Make a package."""
    made = call(TOCSIN, "executor", "new", name, cwd=folder)
    assert made.returncode == 0, made.stderr
    return folder / f"tocsin-{name}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package that was just made."""
    return begin("say", tmp_path_factory.mktemp("new"))


@pytest.mark.parametrize("name", ["x", "a-name-that-is-as-long-as-it-may-ever-be"])
def test_it_passes_every_linter(name: str, tmp_path: Path) -> None:
    """What is made is as clean as what somebody makes of it should be."""
    made = begin(name, tmp_path)
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        done = call(str(BIN / command[0]), *command[1:], cwd=made)
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_keeps_the_contract(project: Path) -> None:
    """Neither installed nor on the path, it passes every check that it has a case for."""
    done = call(TOCSIN, "executor", "check", ".", "-o", "json", cwd=project)
    assert done.returncode == 0, done.stdout
    told = json.loads(done.stdout)
    left = {it["check"] for it in told["checks"] if it["verdict"] == "left out"}
    assert told["passed"]
    assert left == {"cancel-of-resisting", "huge-output"}


def test_its_own_test_passes(project: Path) -> None:
    """So does its pytest, which runs the same suite."""
    path = os.pathsep.join(filter(None, [str(project / "src"), os.environ.get("PYTHONPATH", "")]))
    done = call(str(BIN / "pytest"), "-q", cwd=project, PYTHONPATH=path)
    assert done.returncode == 0, done.stdout


def test_it_installs(project: Path, tmp_path: Path) -> None:
    """Installed, it is found by its name, and its class imports."""
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    target = str(tmp_path / "site")
    pip = call(
        sys.executable, "-m", "pip", "install", *options, "--target", target, ".", cwd=project
    )
    assert pip.returncode == 0, pip.stderr
    name = project.name.removeprefix("tocsin-")
    done = call(
        TOCSIN, "executor", "check", name, "--only", "success", cwd=tmp_path, PYTHONPATH=target
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Say", "cannot name an executor"),
        ("7zip", "cannot name an executor"),
        ("a b", "cannot name an executor"),
        ("../up", "cannot name an executor"),
        ("say-", "cannot name an executor"),
        ("x" * 41, "cannot name an executor"),
        ("timeout", "is a key of every job"),
        ("shell", "is installed here already"),
    ],
)
def test_names_that_cannot_be(tmp_path: Path, name: str, says: str) -> None:
    """A name that would not work later is refused now, and nothing is made."""
    done = call(TOCSIN, "executor", "new", name, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["none", "class"])
def test_names_that_mean_something_to_python(tmp_path: Path, name: str) -> None:
    """A word of the language may name an executor all the same."""
    assert call(TOCSIN, "executor", "new", name, cwd=tmp_path).returncode == 0
    done = call(TOCSIN, "executor", "check", f"./tocsin-{name}", "--only", "success", cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A folder that is there already is left as it is."""
    (tmp_path / "tocsin-say").mkdir()
    done = call(TOCSIN, "executor", "new", "say", "--dir", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert list((tmp_path / "tocsin-say").iterdir()) == []
