"""Builds the file systems that machines are booted from, once each, and keeps them.

A root is a minimal Debian of one suite; on top lies what this checkout needs of PyPI. Both are
named for what is in them, so a change of either makes a new one and leaves the old.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

CACHE: Final = Path(os.environ.get("TOCSIN_LAB_CACHE", "/var/tmp/tocsin-lab"))
CHECKOUT: Final = Path(__file__).parents[2]
PYTHONS: Final = {"bookworm": "3.11", "trixie": "3.13"}
"""The suites, with the Python of each."""
_PACKAGES: Final = (
    "systemd,systemd-sysv,dbus,libpam-systemd,python3,procps,util-linux,adduser,rpm,polkitd,"
    # What apt would fetch with the package of Tocsin; machines have no network.
    "libstdc++6,tzdata,python3-pip"
)
_MASKED: Final = (
    "getty@.service", "console-getty.service", "systemd-firstboot.service", "apt-daily.timer",
    "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
    "systemd-networkd-wait-online.service", "systemd-timesyncd.service",
)  # fmt: skip
"""What a boot would wait for, or what would run in the middle of a test."""
_SDISTS: Final = ("sdnotify",)
"""What PyPI has no wheel of."""
_LAUNCHER: Final = """\
#!/usr/bin/python3
import sys
from tocsin.cli import main
sys.exit(main())
"""


def why_not() -> str:
    """Why this machine cannot boot another one inside; empty when it can."""
    if os.geteuid() != 0:
        return "only root can boot machines"
    missing = [it for it in ("mmdebstrap", "systemd-nspawn", "nsenter") if not shutil.which(it)]
    if missing:
        return f"{' and '.join(missing)} not installed: make lab-tools"
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        return "no mount namespaces here"
    if "overlay" not in Path("/proc/filesystems").read_text(encoding="ascii"):
        return "no overlay file system here"
    return ""


def debian_root(suite: str) -> Path:
    """A minimal Debian with systemd, D-Bus and Python."""
    key = hashlib.sha256(" ".join((_PACKAGES, *_MASKED)).encode()).hexdigest()[:8]

    def build(folder: Path) -> None:
        hook = 'rm -f "$1/etc/hostname"'
        options = ["--quiet", "--variant=minbase", f"--include={_PACKAGES}"]
        _run("mmdebstrap", *options, f"--customize-hook={hook}", suite, str(folder))
        for unit in _MASKED:
            (folder / "etc/systemd/system" / unit).symlink_to("/dev/null")

    return _kept(CACHE / f"{suite}-{key}", build)


def libraries(suite: str) -> Path:
    """The packages that Tocsin and its tests need, for the Python of a suite."""
    version = PYTHONS[suite]
    key = hashlib.sha256((CHECKOUT / "pyproject.toml").read_bytes()).hexdigest()[:8]

    def build(folder: Path) -> None:
        wheels = folder.with_name(f"{folder.name}.wheels")
        wheel = _wheel(wheels)
        pip = [sys.executable, "-m", "pip"]
        _run(*pip, "wheel", "--quiet", "--no-deps", f"--wheel-dir={wheels}", *_SDISTS)
        options = [f"--target={folder}", f"--python-version={version}", f"--find-links={wheels}"]
        options += ["--only-binary=:all:", "--no-compile", "--quiet"]
        _run(*pip, "install", *options, f"{wheel}[http]", "pytest", "pytest-timeout")
        for mine in folder.glob("tocsin*"):  # that of today goes into each machine
            shutil.rmtree(mine)

    return _kept(CACHE / f"python{version}-{key}", build)


def install(root: Path, suite: str) -> None:
    """Put this checkout into the root of a machine: its wheel, its launcher, its units."""
    packages = root / "usr/lib/python3/dist-packages"
    wheel = _wheel(root / "root")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    _run(*pip, "--target", str(packages), f"--python-version={PYTHONS[suite]}", str(wheel))
    (packages / "tocsin-lab.pth").write_text("/opt/libraries\n", encoding="ascii")
    launcher = root / "usr/bin/tocsin"
    launcher.write_text(_LAUNCHER, encoding="ascii")
    launcher.chmod(0o755)
    units = root / "usr/lib/systemd/system"
    for unit in (CHECKOUT / "systemd").glob("tocsin-*"):
        if unit.is_dir():
            shutil.copytree(unit, units / unit.name)
        else:
            shutil.copy(unit, units)
    shutil.copytree(CHECKOUT / "systemd/instances", root / "usr/lib/tocsin/units")
    shutil.copy(CHECKOUT / "systemd/sysusers.d/tocsin.conf", root / "usr/lib/sysusers.d")


def _wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    shutil.rmtree(folder / "dist", ignore_errors=True)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d"]
    _run(*build, str(folder / "dist"), cwd=CHECKOUT)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def _kept(folder: Path, build: Callable[[Path], None]) -> Path:
    """A folder that is built once, whoever asks at the same time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder.with_name(f"{folder.name}.done")
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            build(folder)
            done.touch()
    return folder


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}: {done.stderr[-2000:]}"
