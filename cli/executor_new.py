"""`tocsin executor new`: begins the package of an executor that works as it is."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

import click
import msgspec

from tocsin import __version__
from tocsin.errors import ConfigError
from tocsin.execution import PORT_VERSION, executor_entry_points
from tocsin.model import Job
from tocsin.own_process import installer

_NAME: Final = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", re.ASCII)
NAME_CHARS_MAX: Final = 40
_FILES: Final = {
    "pyproject.toml.in": "pyproject.toml",
    "README.md.in": "README.md",
    "package.py.in": "src/$package/__init__.py",
    "executor.py.in": "src/$package/executor.py",
    "specimen.py.in": "src/$package/specimen.py",
    "test_contract.py.in": "tests/test_contract.py",
}
"""Where each template of `cli/new_executor` goes."""


@click.command()
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where the folder of the package is made; by default here.",
)
def new(*, name: str, folder: Path) -> None:
    """Begin an executor: a package tocsin-NAME with a class, a specimen and a test."""
    words = words_for(name)
    target = folder / words["distribution"]
    if target.exists():
        raise ConfigError(f"{target} is there already", "remove it, or choose another name")
    try:
        _write(target, words)
    except OSError as error:
        raise ConfigError(f"{error.filename or target}: {error.strerror}") from error
    click.echo(f"made {target}; its executor is in src/{words['package']}/executor.py")
    click.echo(f"check it:   tocsin executor check {target}")
    click.echo(f"install it: {installer()} {target}")


def words_for(name: str) -> dict[str, str]:
    """What is filled into the templates for an executor of this name.

    Raises:
        ConfigError: the name cannot be one.
    """
    if not _NAME.fullmatch(name) or len(name) > NAME_CHARS_MAX:
        raise ConfigError(
            f"{name!r} cannot name an executor",
            f"at most {NAME_CHARS_MAX} of a-z, 0-9, - and _, the first a letter: disk-space",
        )
    if name in {field.encode_name for field in msgspec.structs.fields(Job)}:
        raise ConfigError(f"{name} is a key of every job, and cannot name an executor")
    if name in executor_entry_points():
        raise ConfigError(f"an executor {name} is installed here already", "choose another name")
    class_name = "".join(part.capitalize() for part in re.split("[_-]", name))
    if keyword.iskeyword(class_name):
        class_name += "Executor"
    return {
        "name": name,
        "distribution": f"tocsin-{name}",
        "package": f"tocsin_{name.replace('-', '_')}",
        "class_name": class_name,
        "version": __version__,
        "port": str(PORT_VERSION),
    }


def _write(target: Path, words: Mapping[str, str]) -> None:
    templates = files("tocsin.cli.new_executor")
    for source, place in _FILES.items():
        path = target / Template(place).substitute(words)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = templates.joinpath(source).read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(words), encoding="utf-8")
    (target / "src" / words["package"] / "py.typed").touch()
