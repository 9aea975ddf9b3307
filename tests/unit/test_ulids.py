"""What a ULID says by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tocsin import clock
from tocsin.ulids import made_us


@given(some.integers(0, (1 << 48) - 1), some.integers(0, (1 << 80) - 1))
def test_a_ulid_tells_when_it_was_made(at_ms: int, noise: int) -> None:
    """To the millisecond."""
    assert made_us(clock.ulid(at_ms, noise)) == at_ms * 1000


@pytest.mark.parametrize("text", ["", "1", "I" * 26, "0" * 27, "0" * 25, "é" * 26])
def test_what_is_no_ulid_tells_nothing(text: str) -> None:
    """Agents may hold anything."""
    assert made_us(text) is None
