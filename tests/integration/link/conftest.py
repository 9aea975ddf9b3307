"""What the tests of the link share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .network import Network


@pytest.fixture
def network() -> Iterator[Network]:
    """A poll loop with nothing open yet."""
    network = Network()
    yield network
    network.close()
