"""The libraries that are shipped: `packaging/lock.txt`, every file pinned by its SHA-256.

One version of each for all Pythons, with the files of all of them and of both CPUs. The form is
pip's own, see pip.pypa.io/en/stable/topics/secure-installs.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
"""Those that a package has binary files for."""
CPUS: Final = ("x86_64", "aarch64")
_PLATFORMS: Final = ("manylinux_2_28", "manylinux_2_26", "manylinux_2_17", "manylinux2014")
_LEFT_OUT: Final = ("web",)
"""Extras that are not shipped: large, seldom used, and `tocsin plugin install` adds them."""
_SOURCES: Final = ("nkeys", "sdnotify")
"""What PyPI has as sources alone; pure Python, so they are taken as they are."""
_HEAD: Final = """\
# The libraries in the packages, for CPython {pythons} on {cpus}. Made by `make lock`.
"""
_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")


class Pin(NamedTuple):
    """One library: its version, and the files of it that may be taken."""

    name: str
    version: str
    sha256: tuple[str, ...]

    @property
    def text(self) -> str:
        """The entry of a requirements file."""
        hashes = (f"--hash=sha256:{each}" for each in self.sha256)
        return " \\\n    ".join([f"{self.name}=={self.version}", *hashes]) + "\n"


def canonical(name: str) -> str:
    """A name as the index has it, see packaging.python.org/specifications/name-normalization."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(pyproject: Path) -> list[str]:
    """All that Tocsin asks for, with the extras that are shipped."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    extras = [
        given for name, given in project["optional-dependencies"].items() if name not in _LEFT_OUT
    ]
    return sorted({*project["dependencies"], *(each for extra in extras for each in extra)})


def required_name(requirement: str) -> str:
    """The library that a requirement is about."""
    match = _NAME.match(requirement)
    assert match, requirement
    return canonical(match[0])


def read_pins(text: str) -> list[Pin]:
    """The pins that a lock file holds."""
    joined = text.replace("\\\n", " ")
    lines = (line.split() for line in joined.splitlines() if line and not line.startswith("#"))
    pins = []
    for pinned, *hashes in lines:
        name, _, version = pinned.partition("==")
        pins.append(Pin(name, version, tuple(one.rpartition(":")[2] for one in hashes)))
    return pins


def write_pins(pins: Iterable[Pin]) -> str:
    """A lock file."""
    head = _HEAD.format(pythons=" ".join(PYTHONS), cpus=" and ".join(CPUS))
    return head + "".join(pin.text for pin in sorted(pins))


def resolve(wanted: list[str]) -> list[Pin]:
    """Ask the index for the newest versions that go together.

    Raises:
        SystemExit: there is a library whose version is not the same for all.
    """
    found = list(_report(["--no-deps", f"--no-binary={','.join(_SOURCES)}"],
                         [one for one in wanted if required_name(one) in _SOURCES]))  # fmt: skip
    asked = [one for one in wanted if required_name(one) not in _SOURCES]
    asked += [more for item in found for more in item["metadata"].get("requires_dist", [])]
    for cpu in CPUS:
        for python in PYTHONS:
            found += _report(_binary(python, cpu), asked)
    versions: dict[str, set[str]] = {}
    hashes: dict[str, set[str]] = {}
    for item in found:
        name = canonical(item["metadata"]["name"])
        versions.setdefault(name, set()).add(item["metadata"]["version"])
        hashes.setdefault(name, set()).add(
            item["download_info"]["archive_info"]["hashes"]["sha256"]
        )
    several = {name: each for name, each in versions.items() if len(each) > 1}
    if several:
        sys.exit(f"not the same version for every Python and CPU: {several}")
    return [Pin(name, each.pop(), tuple(sorted(hashes[name]))) for name, each in versions.items()]


def download(pins: list[Pin], folder: Path, cpu: str) -> list[Path]:
    """Fetch the files of one CPU, for all Pythons; what has another hash is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    common = ["download", "--quiet", "--no-deps", "--require-hashes", f"--dest={folder}"]
    with tempfile.TemporaryDirectory() as scratch:
        binary, sources = Path(scratch, "binary.txt"), Path(scratch, "sources.txt")
        binary.write_text("".join(pin.text for pin in pins if pin.name not in _SOURCES))
        sources.write_text("".join(pin.text for pin in pins if pin.name in _SOURCES))
        _pip(*common, "--no-binary=:all:", f"--requirement={sources}")
        for python in PYTHONS:
            _pip(*common, *_binary(python, cpu), f"--requirement={binary}")
    return sorted(folder.iterdir())


def _binary(python: str, cpu: str) -> list[str]:
    platforms = [f"--platform={each}_{cpu}" for each in _PLATFORMS]
    return ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}", *platforms]


def _report(options: list[str], wanted: list[str]) -> Iterator[dict[str, Any]]:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        report = ["--dry-run", "--ignore-installed", "--quiet", f"--report={file.name}"]
        _pip("install", *report, *options, *wanted)
        yield from json.load(file)["install"]


def _pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        sys.exit("\n".join(["pip " + " ".join(arguments[:4]) + " …:", *errors]))
