"""What commands ask of systemd, and where a unit keeps its things."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tocsin.config import HOME_VARIABLE, Places
from tocsin.errors import ConfigError

BOOTED: Final = Path("/run/systemd/system")
"""There when systemd runs this host, see sd_booted(3)."""
AGENT: Final = "tocsin-agent.service"
COORDINATOR: Final = "tocsin-coordinator.service"
_INSTANCE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.]{0,31}", re.ASCII)
EXECUTORS: Final = Path("/usr/lib/tocsin/units/tocsin-executor@.service")
"""What units of executors of further agents are made from, see systemd/instances."""
_OWN_UNITS: Final = Path("/etc/systemd/system")
_SHOWN: Final = (
    "LoadState", "ActiveState", "SubState", "UnitFileState", "User", "MainPID", "KillMode",
    "ConfigurationDirectory", "StateDirectory", "RuntimeDirectory", "NRestarts", "Result",
)  # fmt: skip


class Said(NamedTuple):
    """How a program ended, and what it printed."""

    code: int
    text: str


class Unit(NamedTuple):
    """A unit of this host."""

    name: str
    shown: Mapping[str, str]

    @property
    def is_installed(self) -> bool:
        """Whether systemd knows its file, be it that it is masked."""
        return self.shown.get("LoadState", "not-found") != "not-found"

    @property
    def is_active(self) -> bool:
        """Whether it runs."""
        return self.shown.get("ActiveState") == "active"

    @property
    def user(self) -> str:
        """Who it runs as."""
        return self.shown.get("User") or "root"

    @property
    def places(self) -> Places:
        """Where it keeps its things."""
        config = Path("/etc", self._first("ConfigurationDirectory"))
        state = Path("/var/lib", self._first("StateDirectory"))
        run = Path("/run", self._first("RuntimeDirectory"))
        return Places(config_dir=config, data_dir=state, log_dir=state / "log", run_dir=run)

    def _first(self, name: str) -> str:
        words = self.shown.get(name, "").split()
        return words[0].partition(":")[0] if words else "tocsin"

    def make_config_dir(self) -> None:
        """Make the folder of its settings, which other units and users may look into.

        Raises:
            OSError: it cannot be.
        """
        folder = self.places.config_dir
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)

    def give(self, path: Path) -> None:
        """Make a file or a folder its user's.

        Raises:
            OSError: it cannot be.
            KeyError: there is no such user.
        """
        if self.user != "root":
            user = pwd.getpwnam(self.user)
            os.chown(path, user.pw_uid, user.pw_gid)

    def show_to(self, path: Path) -> None:
        """Let its user read a file of root's.

        Raises:
            OSError: it cannot be.
            KeyError: there is no such user.
        """
        if self.user != "root":
            os.chown(path, 0, pwd.getpwnam(self.user).pw_gid)
            path.chmod(0o640)


def is_booted() -> bool:
    """Whether systemd runs this host."""
    return BOOTED.is_dir()


def unit(name: str) -> Unit:
    """A unit as systemd sees it."""
    said = run("systemctl", "show", name, *(f"--property={each}" for each in _SHOWN))
    pairs = (line.partition("=") for line in said.text.splitlines())
    return Unit(name, {key: value for key, _, value in pairs})


def own_unit(name: str, environ: Mapping[str, str]) -> Unit | None:
    """The unit that a command of root's is about; None where there is none, or another place is."""
    if os.geteuid() != 0 or not is_booted() or environ.get(HOME_VARIABLE):
        return None
    found = unit(name)
    return found if found.is_installed else None


def agent_unit(instance: str) -> str:
    """The name of an agent's unit: of the one of this host if `instance` is empty, or of one more.

    Raises:
        ConfigError: it cannot be part of the name of a unit.
    """
    if not instance:
        return AGENT
    if not _INSTANCE.fullmatch(instance):
        raise ConfigError(
            f"{instance!r} cannot be an instance of tocsin-agent@.service",
            "choose up to 32 letters, digits, underscores and dots",
        )
    return f"tocsin-agent@{instance}.service"


def executors_unit(instance: str) -> Path:
    """The template that further agents have for their executors' hosts: a link, one for each."""
    return _OWN_UNITS / f"tocsin-executor-{instance}@.service"


def link_executors(instance: str) -> Path | None:
    """Make the template of an agent's executors known to systemd; None when it is already.

    Raises:
        ConfigError: it cannot be, or Tocsin's units are not installed.
    """
    path = executors_unit(instance)
    if path.is_symlink() or path.exists():
        return None
    if not EXECUTORS.exists():
        raise ConfigError(
            f"{EXECUTORS} is missing",
            "install the package, or copy systemd/instances of the sources to there",
        )
    try:
        path.symlink_to(EXECUTORS)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be made: {error.strerror}") from error
    return path


def run(*words: str) -> Said:
    """Run a program to its end; stdout and stderr are one."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.posix_spawnp(
            words[0],
            words,
            {**os.environ, "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, write_end, 1),
                (os.POSIX_SPAWN_DUP2, write_end, 2),
            ],
        )
    except OSError as error:
        os.close(read_end)
        return Said(127, f"{words[0]}: {error.strerror}")
    finally:
        os.close(write_end)
    with open(read_end, "rb") as pipe:  # noqa: PTH123 - a descriptor
        text = pipe.read().decode(errors="replace").strip()
    _, status = os.waitpid(pid, 0)
    return Said(os.waitstatus_to_exitcode(status), text)


def start(name: str) -> Said:
    """Have a unit start now and at each boot; it is started anew if it runs."""
    enabled = run("systemctl", "enable", name)
    return run("systemctl", "restart", name) if enabled.code == 0 else enabled
