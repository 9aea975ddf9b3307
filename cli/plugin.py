"""`tocsin plugin`: executors of others, beside a Tocsin that came as a distribution's package.

Its libraries belong to the package manager, and the system's Python knows nothing of them. So what
is added goes into an environment of its own below /usr/local, one for each version of Python. It
sees the package's libraries and is found by them, see `boot.py`; an upgrade of either leaves it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from tocsin.errors import ConfigError, TocsinError
from tocsin.execution import ENTRY_POINT_GROUP
from tocsin.own_process import boot_file

from .failing import NotFoundError
from .options import output_option
from .shapes import print_json
from .tables import table

ADDED: Final = Path("/usr/local/lib/tocsin")
_NAMES: Final = click.argument("names", nargs=-1, required=True, metavar="NAME…")


class Environment(NamedTuple):
    """Where plug-ins for one version of Python, as `3.13`, are."""

    version: str
    home: Path
    """The package's folder, `/usr/lib/tocsin`."""
    added: Path = ADDED

    @property
    def folder(self) -> Path:
        """A virtual environment."""
        return self.added / f"py{self.version}"

    @property
    def site(self) -> Path:
        """Where its libraries are."""
        return self.folder / f"lib/python{self.version}/site-packages"

    @property
    def is_made(self) -> bool:
        """Whether something was installed before."""
        return (self.site / "tocsin.pth").exists()

    @property
    def made_by(self) -> list[str]:
        """The words that make it; pip is the system's."""
        return [sys.executable, "-I", "-m", "venv", "--without-pip", str(self.folder)]

    @property
    def sees(self) -> str:
        """What its `tocsin.pth` says, so that pip finds what is there already."""
        return f"{self.home}/site\n{self.home}/plugins\n"

    def pip(self, *words: str) -> list[str]:
        """The words that have the system's pip do something in it."""
        python = str(self.folder / "bin/python")
        quiet = ["--disable-pip-version-check", "--python", python]
        return [sys.executable, "-I", "-m", "pip", *quiet, *words]

    def installed_by(self, names: Iterable[str]) -> list[str]:
        """The words that install plug-ins; what is shipped keeps its version."""
        options = ["--root-user-action=ignore", "--constraint", str(self.home / "constraints.txt")]
        return self.pip("install", *options, *names)


class Plugin(NamedTuple):
    """A package that brings executors."""

    name: str
    version: str
    executors: list[str]
    python: str
    """The version of Python that it is for; empty for all."""
    used: bool
    """Whether it is for the Python that Tocsin runs with."""


def plugins_in(folder: Path, python: str, *, used: bool) -> list[Plugin]:
    """What is in a folder of libraries, by name."""
    found = [_plugin(each, python, used=used) for each in distributions(path=[str(folder)])]
    return sorted(plugin for plugin in found if plugin.executors)


def _plugin(each: Distribution, python: str, *, used: bool) -> Plugin:
    executors = sorted(p.name for p in each.entry_points if p.group == ENTRY_POINT_GROUP)
    return Plugin(each.metadata["Name"], each.version, executors, python, used)


def all_plugins(environment: Environment) -> list[Plugin]:
    """Those of packages, then those that were installed for any version of Python."""
    found = plugins_in(environment.home / "plugins", "", used=True)
    for folder in sorted(environment.added.glob("py*")):
        version = folder.name.removeprefix("py")
        site = environment._replace(version=version).site
        found += plugins_in(site, version, used=version == environment.version)
    return found


@click.group()
def plugin() -> None:
    """Add executors of others to a Tocsin that came as a package."""


@plugin.command()
@_NAMES
def install(*, names: tuple[str, ...]) -> None:
    """Install executors from PyPI, or from wheels and folders.

    NAME is what pip takes. What Tocsin ships keeps its version: an executor that needs another one
    is refused. Agents that run notice what is new within a minute.
    """
    environment = _environment("install", names)
    _check_pip()
    if not environment.is_made:
        _do(environment.made_by, "no environment can be made")
        try:
            (environment.site / "tocsin.pth").write_text(environment.sees, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{error.filename}: {error.strerror}", "as root: sudo …") from error
    _do(environment.installed_by(names), "pip did not install it")


@plugin.command("list")
@output_option
def list_(*, as_json: bool) -> None:
    """List the packages that bring executors."""
    found = all_plugins(_environment("list", ()))
    if as_json:
        print_json([_shape(each) for each in found])
    elif not found:
        click.echo(
            "nothing is installed beside Tocsin; add an executor: tocsin plugin install NAME"
        )
    else:
        rows = [(it.name, it.version, ", ".join(it.executors), _for(it)) for it in found]
        click.echo(table(("name", "version", "executors", "for"), rows))


@plugin.command()
@_NAMES
def remove(*, names: tuple[str, ...]) -> None:
    """Remove what was installed; libraries that came with it stay."""
    environment = _environment("uninstall", names)
    there = {each.name for each in all_plugins(environment) if each.used and each.python}
    for name in names:
        if name not in there:
            raise NotFoundError(f"no plug-in {name} is installed", "see: tocsin plugin list")
    _check_pip()
    _do(environment.pip("uninstall", "--yes", "--root-user-action=ignore", *names),
        "pip did not remove it")  # fmt: skip


def _environment(pip_command: str, names: Iterable[str]) -> Environment:
    """The one for this Python.

    Raises:
        ConfigError: Tocsin did not come as a package.
    """
    boot = boot_file()
    if boot is None:
        command = " ".join([sys.executable, "-m pip", pip_command, *names])
        raise ConfigError("this Tocsin did not come as a package, so pip can do it", command)
    major, minor, *_ = sys.version_info
    return Environment(f"{major}.{minor}", Path(boot).parent)


def _shape(each: Plugin) -> dict[str, Any]:
    return {**each._asdict(), "python": each.python or None}


def _for(each: Plugin) -> str:
    if each.used:
        return f"Python {each.python}" if each.python else "every Python"
    return f"Python {each.python}, which is not used any more: install it again"


def _check_pip() -> None:
    """Raises: ConfigError: the system's Python has no pip."""
    if _run([sys.executable, "-I", "-c", "import pip"], quiet=True):
        raise ConfigError(
            f"{sys.executable} has no pip",
            "Debian, Ubuntu: apt install python3-pip; Fedora, RHEL: dnf install "
            f"python{sys.version_info[0]}.{sys.version_info[1]}-pip or python3-pip",
        )


def _do(words: list[str], otherwise: str) -> None:
    """Run a program, which says itself what it does.

    Raises:
        TocsinError: it failed.
    """
    code = _run(words)
    if code:
        who = "" if os.access(ADDED.parent, os.W_OK) else "it needs root: sudo tocsin plugin …"
        raise TocsinError(f"{otherwise} (exit code {code})", who)


def _run(words: list[str], *, quiet: bool = False) -> int:
    null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (1, 2) if quiet]
    pid = os.posix_spawn(words[0], words, os.environ, file_actions=null)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)
