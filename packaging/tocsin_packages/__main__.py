"""`python -m tocsin_packages lock` makes packaging/lock.txt anew, `… build` the packages of it."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tocsin import __version__

from . import lock, nfpm
from .staging import CHECKOUT, Build, interpreters, own_wheel, stage

_LOCK = CHECKOUT / "packaging/lock.txt"


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="tocsin_packages", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lock", help="ask the index for the newest libraries")
    build = commands.add_parser("build", help="make a .deb and an .rpm")
    build.add_argument("--out", type=Path, default=CHECKOUT / "dist/packages", metavar="DIR")
    build.add_argument("--version", default=__version__, help="what the packages are called")
    build.add_argument(
        "--compression", choices=["xz", "gzip"], default="xz", help="gzip is quicker, and larger"
    )
    build.add_argument(
        "--maintainer", default=nfpm.NOBODY, metavar="'NAME <ADDRESS>'", help="who answers for them"
    )
    build.add_argument(
        "--sign-key", type=Path, metavar="FILE",
        help="sign the .rpm with this secret OpenPGP key; NFPM_PASSPHRASE opens it",
    )  # fmt: skip
    asked = parser.parse_args()
    if asked.command == "lock":
        pins = lock.resolve(lock.requirements(CHECKOUT / "pyproject.toml"))
        _LOCK.write_text(lock.write_pins(pins), encoding="utf-8")
    else:
        key = asked.sign_key.absolute() if asked.sign_key else None
        issue = nfpm.Issue(asked.compression, asked.maintainer, key)
        for path in build_packages(asked.version, asked.out.absolute(), issue):
            sys.stdout.write(f"{path} {path.stat().st_size}\n")


def build_packages(version: str, out: Path, issue: nfpm.Issue) -> list[Path]:
    """Make both packages for this machine's CPU."""
    made = Build(version, platform.machine(), _epoch_s())
    os.environ["SOURCE_DATE_EPOCH"] = str(made.epoch_s)  # hatchling heeds it, too
    os.umask(0o022)
    work = out / "work"
    shutil.rmtree(work, ignore_errors=True)
    pins = lock.read_pins(_LOCK.read_text(encoding="utf-8"))
    archives = lock.download(pins, work / "libraries", made.cpu)
    stage(made, [*archives, own_wheel(work / "own")], work / "root")
    sys.stderr.write(f"bytecode by {' '.join(interpreters().values())}\n")
    packages = nfpm.make(made, work / "root", out, issue)
    shutil.rmtree(work)
    return packages


def _epoch_s() -> int:
    """The time of the last commit, unless the environment says another one."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    show = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(show, cwd=CHECKOUT, check=True, capture_output=True).stdout)


if __name__ == "__main__":
    main()
