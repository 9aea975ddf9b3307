"""What an agent finds out about its machine, and what settings it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tocsin.agent.config import AgentConfig
from tocsin.agent.inventory import installed_executors, machine_tags
from tocsin.errors import ConfigError
from tocsin.execution import executor_entry_points


def test_it_finds_what_the_library_finds() -> None:
    """The executors installed here, in-tree ones among them."""
    assert installed_executors() == sorted(executor_entry_points())
    assert {"shell", "scripted"} <= set(installed_executors())


def test_entry_points_are_read_as_written(tmp_path: Path) -> None:
    """Other groups, comments, odd names, unreadable files and missing folders are passed by."""
    for name, text in {
        "a-1.dist-info": "[console_scripts]\nx = y:z\n\n[tocsin.executors]\n# no\nnats=n:N\n",
        "b-1.egg-info": "[tocsin.executors]\n  http = h:H [extra]\n../up = u:U\n",
        "c-1.dist-info": "\udcff",
        "d-1.dist-info": "[tocsin.executors]\nhttp = h:H\n",
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "entry_points.txt").write_text(text, "utf-8", errors="surrogateescape")
    (tmp_path / "e-1.dist-info").mkdir()
    assert installed_executors([str(tmp_path), str(tmp_path / "none")]) == ["http", "nats"]


def test_tags_name_the_machine() -> None:
    """Host, system and processor."""
    tags = machine_tags()
    assert tags["os"] == "linux"
    assert tags.keys() == {"host", "os", "arch"}


GOOD = AgentConfig(
    data_dir=Path("data"),
    run_dir=Path("run"),
    endpoint="tcp://h:1",
    server_key="",
    key_file=Path("k"),
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "h:1"},
        {"slots": 0},
        {"slots": 100_000},
        {"drain_s": -1.0},
        {"drain_s": float("nan")},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """The message names the setting."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        replace(GOOD, **wrong).check()


def test_slots_follow_the_processors() -> None:
    """Unless they are given, there are at least eight."""
    GOOD.check()
    assert GOOD.slots_offered >= 8
    assert replace(GOOD, slots=3).slots_offered == 3
