"""The page on the agent's settings has all of them."""

from __future__ import annotations

import re
from pathlib import Path

from tocsin.agent.config import AgentConfig, ExecutorConfig

PAGE = (Path(__file__).parents[3] / "docs" / "agent.md").read_text(encoding="utf-8")


def keys(table: str) -> list[str]:
    """The first column."""
    return re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)


def test_every_setting_is_on_the_page() -> None:
    """Each once, under the name that the file has."""
    first, second = PAGE.split("## Which executors it offers")
    assert sorted(keys(first)) == sorted(AgentConfig.__struct_fields__)
    assert keys(second) == list(ExecutorConfig.__struct_fields__)
