"""Lays out all files of a package below one folder, as they are to lie below `/`."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from . import completions, lock
from .archives import merge
from .manual import manual
from .papers import copyright_text
from .sbom import bill, name_and_version
from .settings import agent_settings, coordinator_settings

CHECKOUT: Final = Path(__file__).parents[2]
FILES: Final = CHECKOUT / "packaging/files"
HOME: Final = "usr/lib/tocsin"
DOCS: Final = "usr/share/doc/tocsin"
_LEFT_OUT: Final = (
    "tzdata", "textual/demo", "zmq/utils/*.h", "cffi/*.h", "zmq/**/*.p[xy][dx]",
)  # fmt: skip
"""Of the libraries: zones come from the distribution, and nothing is compiled or shown off there.

What says that tzdata is installed stays: else pip finds that something is missing.
"""
_STRIPPED: Final = ("*.cpython-*.so", "nacl/*.abi3.so")
"""Not pyzmq's: what its wheel did to find the libraries beside it does not outlive that."""
_NO_BYTECODE: Final = "/(pygments/(lexers|styles|formatters)|pycparser|cffi)/"
"""Seldom or never imported, and a third of all bytecode."""
_DOCS_LEFT_OUT: Final = (
    "decisions",
    "*.svg",
    "screenshots",
    "architecture.md",
    "benchmarks.md",
    "why.md",
)
"""About how Tocsin is made, not about how it is used."""


class Build(NamedTuple):
    """What a package is built as."""

    version: str
    cpu: str
    epoch_s: int
    """When, for every file in it: seconds since 1970."""


def stage(build: Build, archives: list[Path], root: Path) -> None:
    """Lay out everything below `root`, which must not exist.

    Args:
        build: what it is built as.
        archives: the wheels of all libraries and of Tocsin itself.
        root: stands for `/`.
    """
    _libraries(archives, root / HOME / "site")
    shutil.copy(FILES / "boot.py", root / HOME / "boot.py")
    (root / HOME / "plugins").mkdir()
    _write(root, f"{HOME}/constraints.txt", _constraints(archives))
    _write(root, "usr/bin/tocsin", (FILES / "tocsin.sh").read_text(encoding="utf-8"))
    (root / "usr/bin/tocsin").chmod(0o755)
    pythons = interpreters()
    _write(root, f"{HOME}/bytecode", bytecode_program(pythons))
    (root / HOME / "bytecode").chmod(0o755)
    _units(root)
    _write(root, "etc/tocsin/agent.toml", agent_settings())
    _write(root, "etc/tocsin/coordinator.toml", coordinator_settings())
    (root / "etc/tocsin/agent.toml").chmod(0o600)
    _documents(build, archives, root)
    for python in pythons.values():
        _compile(python, root)
    for path in sorted(root.rglob("*")):
        os.utime(path, (build.epoch_s, build.epoch_s), follow_symlinks=False)


def interpreters() -> dict[str, str]:
    """The Pythons of this machine that bytecode can be compiled with, one of each version."""
    found = {}
    for version in lock.PYTHONS:
        pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
        for python in (shutil.which(f"python{version}"), *map(str, pyenv)):
            if python and _answers(python):
                found[version] = python
                break
    return found


def bytecode_program(compiled: Container[str]) -> str:
    """What makes bytecode on a host whose Python is none of those that it is shipped for."""
    text = (FILES / "bytecode.sh").read_text(encoding="utf-8")
    without = [it.removeprefix("3.") for it in lock.PYTHONS if it not in compiled]
    return text.replace("@WITHOUT@", " ".join(without)).replace("@SELDOM@", _NO_BYTECODE)


def _answers(python: str) -> bool:
    return not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode


def _libraries(archives: list[Path], site: Path) -> None:
    merge(archives, site)
    for pattern in _LEFT_OUT:
        for path in list(site.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    binary = [str(path) for pattern in _STRIPPED for path in site.rglob(pattern)]
    subprocess.run(["strip", "--strip-unneeded", *sorted(binary)], check=True)


def _constraints(archives: list[Path]) -> str:
    pins = sorted({name_and_version(archive) for archive in archives})
    return "".join(f"{name}=={version}\n" for name, version in pins)


def _units(root: Path) -> None:
    units = root / "usr/lib/systemd/system"
    elsewhere = shutil.ignore_patterns("*.d", "examples", "instances")
    shutil.copytree(CHECKOUT / "systemd", units, ignore=elsewhere)
    shutil.copytree(CHECKOUT / "systemd/instances", root / HOME / "units")
    for drop_ins in (CHECKOUT / "systemd").glob("tocsin*.d"):
        shutil.copytree(drop_ins, units / drop_ins.name)  # systemd heeds no link to such a folder
    for name in ("sysusers.d", "tmpfiles.d"):
        if (CHECKOUT / "systemd" / name).is_dir():
            shutil.copytree(CHECKOUT / "systemd" / name, root / "usr/lib" / name)


def _documents(build: Build, archives: list[Path], root: Path) -> None:
    left_out = shutil.ignore_patterns(*_DOCS_LEFT_OUT)
    shutil.copytree(CHECKOUT / "docs", root / DOCS, ignore=left_out)
    shutil.copytree(CHECKOUT / "systemd/examples", root / DOCS / "examples")
    _write(root, f"{DOCS}/copyright", copyright_text(root / HOME / "site"))
    _write(root, f"{DOCS}/sbom.cdx.json", bill(build.version, archives))
    changes = (CHECKOUT / "CHANGELOG.md").read_bytes()
    (root / DOCS / "changelog.gz").write_bytes(gzip.compress(changes, 9, mtime=0))
    date = datetime.fromtimestamp(build.epoch_s, UTC).date().isoformat()
    page = root / "usr/share/man/man1/tocsin.1.gz"
    page.parent.mkdir(parents=True)
    page.write_bytes(gzip.compress(manual(build.version, date).encode(), 9, mtime=0))
    for place, shell in completions.PLACES.items():
        _write(root, place, completions.completion(shell))
    link = root / completions.DEBIAN_ZSH
    link.parent.mkdir(parents=True)
    link.symlink_to("../site-functions/_tocsin")


def _compile(python: str, root: Path) -> None:
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/"]
    subprocess.run(
        [python, "-m", "compileall", *options, "-x", _NO_BYTECODE, str(root / HOME / "site")],
        env={"PYTHONHASHSEED": "0", "PATH": os.environ["PATH"]},
        check=True,
    )


def _write(root: Path, place: str, text: str) -> None:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def own_wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=CHECKOUT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def files_below(root: Path) -> Iterator[Path]:
    """All files and links, and folders that are empty, as paths below `root`."""
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or path.is_file() or not any(path.iterdir()):
            yield path.relative_to(root)
