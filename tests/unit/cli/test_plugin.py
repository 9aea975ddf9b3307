"""Executors of others: where they go, and what is said of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tocsin.cli.plugin import Environment, Plugin, all_plugins


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """One for Python 3.13, below a folder of the test's."""
    return Environment("3.13", tmp_path / "lib", tmp_path / "local")


def put(site: Path, name: str, entry_points: str) -> None:
    """Have a package be installed."""
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(entry_points)


def test_each_python_has_an_environment_of_its_own(environment: Environment) -> None:
    """Binary modules of one do not load into another."""
    assert environment.folder.name == "py3.13"
    assert environment.site == environment.folder / "lib/python3.13/site-packages"
    assert not environment.is_made


def test_what_is_shipped_is_seen_and_keeps_its_version(environment: Environment) -> None:
    """Pip installs into the environment alone, within the package's constraints."""
    words = environment.installed_by(["tocsin-foo"])
    assert words[0] == sys.executable
    assert words[words.index("--python") + 1] == str(environment.folder / "bin/python")
    assert words[words.index("--constraint") + 1] == str(environment.home / "constraints.txt")
    assert words[-1] == "tocsin-foo"
    assert environment.sees.splitlines()[0] == str(environment.home / "site")


def test_packages_with_executors_are_listed(environment: Environment) -> None:
    """Those of packages first; what is for another Python is not used; libraries are none."""
    executors = "[tocsin.executors]\nfoo = foo:Foo\nbar = foo:Bar\n"
    put(environment.home / "plugins", "tocsin-grpc", "[tocsin.executors]\ngrpc = g:Grpc\n")
    put(environment.site, "tocsin-foo", executors)
    put(environment.site, "aiokafka", "[console_scripts]\nk = k:main\n")
    put(environment._replace(version="3.11").site, "tocsin-foo", executors)
    assert all_plugins(environment) == [
        Plugin("tocsin-grpc", "1.0", ["grpc"], "", used=True),
        Plugin("tocsin-foo", "1.0", ["bar", "foo"], "3.11", used=False),
        Plugin("tocsin-foo", "1.0", ["bar", "foo"], "3.13", used=True),
    ]


def test_where_pip_installed_tocsin_it_is_pips_matter(capsys: pytest.CaptureFixture[str]) -> None:
    """The command to use is said."""
    from tocsin.cli import main

    assert main(["plugin", "install", "tocsin-foo"]) == 2
    assert f"{sys.executable} -m pip install tocsin-foo" in capsys.readouterr().err
