"""The page on the coordinator's settings has all of them."""

from __future__ import annotations

import re
from pathlib import Path

from tocsin.coordinator.config import CoordinatorConfig
from tocsin.coordinator.machine.state import Policy

PAGE = (Path(__file__).parents[3] / "docs" / "coordinator.md").read_text(encoding="utf-8")


def test_every_setting_is_on_the_page() -> None:
    """Each once, in the order of the types, under the name that the file has."""
    first, second = PAGE.split("## Its patience")
    assert re.findall(r"^\| `(\w+)` \|", first, re.MULTILINE) == list(
        CoordinatorConfig.__struct_fields__
    )
    assert re.findall(r"^\| `(\w+)` \|", second, re.MULTILINE) == list(Policy.__struct_fields__)
