"""The settings files of a package: complete, and taken by the daemons."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tocsin.agent.config import AgentConfig, ExecutorConfig
from tocsin.cli.agent_start import is_joined
from tocsin.config import read_settings
from tocsin.coordinator.config import CoordinatorConfig
from tocsin.coordinator.machine.state import Policy
from tocsin_packages.settings import agent_settings, coordinator_settings, field_docs

FILES = [(agent_settings, AgentConfig), (coordinator_settings, CoordinatorConfig)]
STRUCTS = [AgentConfig, ExecutorConfig, CoordinatorConfig, Policy]


def given(text: str) -> str:
    """The file with every setting given, as it says that it is without."""
    return re.sub(r"^#(?! )", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("text", [make() for make, _ in FILES], ids=["agent", "coordinator"])
def test_as_shipped_nothing_is_set(text: str) -> None:
    """All of it is comments, so the agent that is not joined says so."""
    assert tomllib.loads(text) == {}


@pytest.mark.parametrize(("make", "kind"), FILES)
def test_every_setting_is_there_with_its_default(
    make: Callable[[], str], kind: type[msgspec.Struct], tmp_path: Path
) -> None:
    """The daemon takes the file with all of them, and has what it would have without."""
    path = tmp_path / "given.toml"
    path.write_text(given(make()), encoding="utf-8")
    keys = set(tomllib.loads(path.read_text(encoding="utf-8")))
    read = read_settings(path, kind)
    defaults = {
        field.name: getattr(read, field.name)
        for field in msgspec.structs.fields(kind)
        if field.default not in {msgspec.NODEFAULT, None}
        or field.default_factory is not msgspec.NODEFAULT
    }
    required = {
        field.name: getattr(read, field.name)
        for field in msgspec.structs.fields(kind)
        if field.required
    }
    assert keys == {field.encode_name for field in msgspec.structs.fields(kind)}
    plain = kind(**required)
    for name in defaults.keys() - {"executor"}:
        assert getattr(plain, name) == defaults[name], name


@pytest.mark.parametrize("kind", STRUCTS)
def test_every_setting_says_what_it_means(kind: type[msgspec.Struct]) -> None:
    """Where it is defined, and so in the file."""
    names = {field.name for field in msgspec.structs.fields(kind)} - {"policy"}
    assert names <= set(field_docs(kind))


def test_an_agent_with_the_shipped_file_is_not_joined(tmp_path: Path) -> None:
    """`tocsin agent join` takes it for what it is."""
    path = tmp_path / "agent.toml"
    path.write_text(agent_settings(), encoding="utf-8")
    assert not is_joined(path)
