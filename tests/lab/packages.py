"""The packages that are tested: those of this checkout, and the .deb of a release before it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from .root import CHECKOUT

OLD_VERSION: Final = "0.0.9"


class Packages(NamedTuple):
    """Paths of package files."""

    deb: Path
    rpm: Path


def build_packages(out: Path) -> Packages:
    """Make both packages, in a quick compression."""
    _run(
        sys.executable, "-m", "tocsin_packages", "build", f"--out={out}", "--compression=gzip",
        PYTHONPATH=str(CHECKOUT / "packaging"),
    )  # fmt: skip
    return packages_in(out)


def packages_in(folder: Path) -> Packages:
    """The packages that somebody made."""
    (deb,), (rpm,) = folder.glob("*.deb"), folder.glob("*.rpm")
    return Packages(deb, rpm)


def older(deb: Path, folder: Path) -> Path:
    """The package as an earlier release would be: of another version, with fewer settings."""
    tree = folder / "old"
    _run("dpkg-deb", "-R", str(deb), str(tree))
    control = tree / "DEBIAN/control"
    lines = control.read_text(encoding="utf-8").splitlines()
    changed = [f"Version: {OLD_VERSION}-1" if it.startswith("Version: ") else it for it in lines]
    control.write_text("\n".join(changed) + "\n", encoding="utf-8")
    own = tree / "usr/lib/tocsin/site/tocsin"
    text = f'__version__ = "{OLD_VERSION}"\n'
    (own / "__init__.py").write_text(text, encoding="ascii")
    for stale in (own / "__pycache__").glob("__init__.*"):
        stale.unlink()
    (tree / "usr/share/tocsin/coordinator.toml").write_text("# of old\n", encoding="ascii")
    (tree / "DEBIAN/md5sums").unlink()  # dpkg makes its own then
    built = folder / f"tocsin_{OLD_VERSION}-1.deb"
    _run("dpkg-deb", "--root-owner-group", "-Zgzip", "-b", str(tree), str(built))
    shutil.rmtree(tree)
    return built


def _run(*command: str, **environ: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environ}
    )
    assert done.returncode == 0, f"{command[:3]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
