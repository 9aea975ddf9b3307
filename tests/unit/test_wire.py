"""Messages of a union, decoded: which they are, and what is said of one that is none."""

from __future__ import annotations

import msgspec
import pytest

from tocsin.errors import ProtocolError
from tocsin.execution import AttemptKey
from tocsin.hosting import CancelRuns, Confirm, Retire, ToHost
from tocsin.wire import as_message, decode, encode

KEYS = [AttemptKey("R.1"), AttemptKey("R.2")]


@pytest.mark.parametrize("message", [Confirm(KEYS), CancelRuns(KEYS), Retire()])
def test_a_message_comes_back_as_what_it_was(message: msgspec.Struct) -> None:
    """Of its own kind, whichever of the union that is."""
    assert decode(encode(message), ToHost) == message
    assert as_message(msgspec.to_builtins(message), ToHost) == message


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        (["nonsense", []], "Invalid value 'nonsense' - at `$[0]`"),
        (["confirm", ["R.1", 2]], "Expected `str`, got `int` - at `$[1][1]`"),
        ("confirm", "Expected `array`, got `str`"),
    ],
)
def test_what_is_wrong_is_said_by_its_place_in_the_message(plain: object, why: str) -> None:
    """Not by its place in what the message is held in."""
    with pytest.raises(ProtocolError) as caught:
        decode(msgspec.msgpack.encode(plain), ToHost)
    assert caught.value.message.startswith(f"not a message of this link: {why}")
