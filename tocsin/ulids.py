"""What a ULID says by itself (github.com/ulid/spec); `tocsin.clock` makes them."""

from __future__ import annotations

from typing import Final

_VALUES: Final = {symbol: n for n, symbol in enumerate("0123456789ABCDEFGHJKMNPQRSTVWXYZ")}
_LENGTH: Final = 26
_TIME_LENGTH: Final = 10


def made_us(text: str) -> int | None:
    """When a ULID was made, to the millisecond, as an instant; None when it is none."""
    if len(text) != _LENGTH or any(symbol not in _VALUES for symbol in text):
        return None
    at_ms = 0
    for symbol in text[:_TIME_LENGTH]:
        at_ms = at_ms << 5 | _VALUES[symbol]
    return at_ms * 1000
