"""A machine that is booted from a root: systemd-nspawn, with an overlay that is thrown away.

It needs no systemd on the host and no cgroup controllers, so limits are set and not enforced.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from tocsin import clock

from . import root

IS_SHORT: Final = bool(os.environ.get("TOCSIN_LAB_SHORT"))
"""Whether only what `.ci/run` has time for is tested."""
BOOT_S: Final = 60.0
COMMAND_S: Final = 120.0
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Machine:
    """One booted Debian; `close` ends it and removes what it wrote.

    `bare`: without this checkout, as a machine is before Tocsin is installed.
    """

    def __init__(self, suite: str, *, bare: bool = False) -> None:
        sweep()
        self.suite = suite
        self._bare = bare
        self.name = f"tocsin-lab-{suite}-{os.getpid()}{'-bare' if bare else ''}"
        root.CACHE.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=f"machine-{os.getpid()}-", dir=root.CACHE))
        self.root = self._folder / "root"
        self._cgroups: list[Path] = []
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        try:
            self._mount()
            self._boot()
        except BaseException:
            self.close()
            raise

    def run(
        self,
        *command: str,
        text: str | None = None,
        check: bool = True,
        deadline_s: float = COMMAND_S,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside."""
        enter = ["nsenter", "-t", str(self._leader), "-a", "--", "env", "-i"]
        environ = [f"PATH={_PATH}", "HOME=/root", "LC_ALL=C.UTF-8", "SYSTEMD_PAGER=", "TERM=dumb"]
        # From a cgroup of the machine's: what it starts is its own to look after.
        moves = "".join(f"echo $$ > {each}/tests/cgroup.procs; " for each in self._cgroups)
        done = subprocess.run(
            ["/bin/sh", "-c", f'{moves}exec "$@"', "sh", *enter, *environ, *command],
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=deadline_s,
            check=False,
        )
        if check:
            said = f"{done.stdout[-4000:]}{done.stderr[-4000:]}"
            assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{said}"
        return done

    def says(self, *command: str, text: str | None = None) -> str:
        """What a command prints, without the white space around it."""
        return self.run(*command, text=text).stdout.strip()

    def path(self, inside: str) -> Path:
        """A path inside, as this process reaches it."""
        return Path(f"/proc/{self._leader}/root{inside}")

    def close(self) -> None:
        """Power off, and leave nothing."""
        if self._nspawn is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._leader or self._nspawn.pid, signal.SIGRTMIN + 4)  # poweroff
            try:
                self._nspawn.wait(BOOT_S / 2)
            except subprocess.TimeoutExpired:
                for pid in (self._leader, self._nspawn.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self._nspawn.wait(BOOT_S)
        for cgroup in self._cgroups:
            for folder, _, _ in os.walk(cgroup, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        subprocess.run(["umount", "-l", str(self.root)], capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _mount(self) -> None:
        for name in ("root", "upper", "work"):
            (self._folder / name).mkdir()
        layers = f"lowerdir={root.debian_root(self.suite)}"
        layers += f",upperdir={self._folder}/upper,workdir={self._folder}/work"
        mount = ["mount", "-t", "overlay", self.name, "-o", layers, str(self.root)]
        subprocess.run(mount, check=True, capture_output=True)
        # A machine id of its own: an empty one would make the boot a first one, with presets.
        (self.root / "etc/machine-id").write_text(f"{os.urandom(16).hex()}\n", encoding="ascii")
        (self.root / "etc/hostname").write_text(f"{self.suite}\n", encoding="ascii")
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost {self.suite}\n", "ascii")
        for name in ("src", "opt/libraries"):
            (self.root / name).mkdir(exist_ok=True)
        if not self._bare:
            root.install(self.root, self.suite)

    def _boot(self) -> None:
        self._cgroups = list(_new_cgroups(self.name))
        moves = "".join(f"echo $$ > {each}/cgroup.procs; " for each in self._cgroups)
        command = [
            "systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot", "--register=no",
            "--keep-unit", f"--machine={self.name}", "--private-network", "--resolv-conf=off",
            "--timezone=off", "--link-journal=no", "--console=pipe",
        ]  # fmt: skip
        if not self._bare:
            libraries = root.libraries(self.suite)
            command += [f"--bind-ro={root.CHECKOUT}:/src", f"--bind-ro={libraries}:/opt/libraries"]
        with (self._folder / "console").open("wb") as console:
            self._nspawn = subprocess.Popen(
                ["/bin/sh", "-c", f'{moves}exec "$@"', "sh", *command],
                env={**os.environ, "UNIFIED_CGROUP_HIERARCHY": "1", "SYSTEMD_NSPAWN_LOCK": "0"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        deadline_s = clock.monotonic_s() + BOOT_S
        while not self._is_up():
            said = (self._folder / "console").read_text(errors="replace")[-2000:]
            assert self._nspawn.poll() is None, f"the machine ended: {said}"
            assert clock.monotonic_s() < deadline_s, f"the machine does not come up: {said}"
            time.sleep(0.05)

    def _is_up(self) -> bool:
        assert self._nspawn is not None
        if not self._leader:
            tasks = Path(f"/proc/{self._nspawn.pid}/task").glob("*/children")
            children = (pid for each in tasks for pid in each.read_text().split())
            leaders = [pid for pid in children if _comm(pid) == "systemd"]
            self._leader = int(leaders[0]) if leaders else 0
            if not self._leader:
                return False
            for cgroup in self._cgroups:
                (cgroup / "tests").mkdir(exist_ok=True)
        said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return said in {"running", "degraded"}


def sweep() -> None:
    """Remove what machines left whose tests were killed."""
    for folder in root.CACHE.glob("machine-*"):
        if not Path("/proc", folder.name.split("-")[1]).exists():
            subprocess.run(["umount", "-l", f"{folder}/root"], capture_output=True, check=False)
            shutil.rmtree(folder, ignore_errors=True)


def _comm(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _new_cgroups(name: str) -> list[Path]:
    """A cgroup in each hierarchy that systemd may use, below the one that we are in.

    Two machines in one cgroup would kill each other's services.
    """
    own = {
        line.split(":", 2)[1]: line.split(":", 2)[2].strip()
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    }
    made = []
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, kind, options, *_ = line.split()
        controller = "name=systemd" if kind == "cgroup" and "name=systemd" in options else ""
        if kind == "cgroup2" or controller:
            cgroup = Path(mount + own.get(controller, "/").rstrip("/"), name)
            with contextlib.suppress(OSError):
                cgroup.mkdir()
                made.append(cgroup)
    return made
