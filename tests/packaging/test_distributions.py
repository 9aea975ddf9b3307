"""What the wheel and the sdist hold: everything of the tree, once, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAPPED = ("agent", "cli", "coordinator", "executors", "tui")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a wheel and an sdist of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return folder


def tree(folder: str) -> set[str]:
    """The tracked files below a folder of the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return {name for name in listed.stdout.split() if not (ROOT / name).is_symlink()}


def test_the_wheel_holds_every_file_of_the_five_folders_and_the_core(built: Path) -> None:
    """A folder that is not mapped, or a data file that is left out, fails here."""
    (wheel,) = built.glob("*.whl")
    expected = tree("tocsin") | {f"tocsin/{name}" for each in MAPPED for name in tree(each)}

    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert held == expected


def test_the_sdist_holds_what_is_needed_to_build_and_test(built: Path) -> None:
    """The real folders and not the links; tests, docs and examples too."""
    (sdist,) = built.glob("*.tar.gz")

    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}

    for folder in (*MAPPED, "tocsin", "tests", "docs", "examples", "benchmarks"):
        assert tree(folder) <= held, folder
    assert {"pyproject.toml", "Makefile", "LICENSE", "README.md", "CHANGELOG.md"} <= held
    assert not any(name.startswith(f"tocsin/{each}/") for name in held for each in MAPPED)


def test_an_installed_wheel_runs_without_the_checkout(built: Path, tmp_path: Path) -> None:
    """The command, its data files and its executors are there."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import tocsin.cli; from tocsin.coordinator.store.sqlite import SqliteStore;"
        "from tocsin.execution import load_executor;"
        "SqliteStore(None).close(); print(load_executor('shell').name, tocsin.cli.__file__)"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.split() == ["shell", str(tmp_path / "tocsin/cli/__init__.py")]


def test_each_executor_has_an_entry_point(built: Path) -> None:
    """In-tree executors come through the same door as anyone's."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith("entry_points.txt")]
        text = archive.read(name).decode()

    assert "shell = tocsin.executors.shell:Shell" in text
    assert "scripted = tocsin.executors.scripted:Scripted" in text
    assert "tocsin = tocsin.cli:main" in text


def test_every_mapped_folder_is_named_everywhere_it_must_be() -> None:
    """A sixth folder cannot be forgotten in one of the places that list them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hatch = settings["tool"]["hatch"]["build"]

    for each in MAPPED:
        assert (ROOT / "tocsin" / each).readlink() == Path(f"../{each}")
        assert f"/tocsin/{each}" in hatch["exclude"]
        assert each in hatch["targets"]["sdist"]["only-include"]
        assert each in hatch["targets"]["wheel"]["only-include"]
        assert hatch["targets"]["wheel"]["sources"][each] == f"tocsin/{each}"
        assert each in settings["tool"]["coverage"]["run"]["source"]
