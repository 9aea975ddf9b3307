"""Fleets of real processes that are killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet import Fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet with a running coordinator and the agent `one`."""
    made = Fleet(tmp_path)
    try:
        made.start_coordinator()
        made.join("one")
        made.start_agent("one")
        yield made
    finally:
        made.close()
