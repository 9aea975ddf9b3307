"""The codec of every link: msgpack outside, msgspec Structs inside.

Decoding is bounded before anything is built from it, then converted to one closed union, so
what leaves this module is either a known message or a `ProtocolError`.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import msgpack
import msgspec

from tocsin.errors import ProtocolError

FRAME_BYTES_MAX: Final = 1 << 20
"""The largest message of an enrolled peer."""
STRANGER_BYTES_MAX: Final = 8 << 10
"""The largest message of a peer that is only asking to be let in."""
_ITEMS_MAX: Final = 65_536
_KEYS_MAX: Final = 4_096

_encoder: Final = msgspec.msgpack.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """The msgpack bytes of a message."""
    return _encoder.encode(message)


def decode(data: bytes, kind: Any, *, bytes_max: int = FRAME_BYTES_MAX) -> Any:  # noqa: ANN401 - `kind` is a union, which no TypeVar can name
    """The message of type `kind` (a Struct or a union of tagged ones) that `data` holds.

    Raises:
        ProtocolError: too large, not msgpack, nested or listed beyond the bounds, or not `kind`.
    """
    if len(data) > bytes_max:
        raise ProtocolError(f"{len(data)} bytes, at most {bytes_max} are taken")
    try:
        plain = msgpack.unpackb(
            data,
            max_array_len=_ITEMS_MAX,
            max_map_len=_KEYS_MAX,
            max_ext_len=0,
            strict_map_key=True,
        )
        return as_message(plain, kind)
    except msgspec.ValidationError as error:
        why = str(error).replace("`$[0]", "`$", 1)
        raise ProtocolError(f"not a message of this link: {why}") from error
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise ProtocolError(f"not msgpack: {error or type(error).__name__}") from error


def as_message(plain: object, kind: Any) -> Any:  # noqa: ANN401 - as above
    """Plain data as the message of type `kind` that it stands for.

    For a union msgspec works out anew, each time, what it is made of, which costs ten times as much
    as the conversion; what a Struct holds it works out once.

    Raises:
        msgspec.ValidationError: it stands for none.
    """
    return msgspec.convert((plain,), _holder(kind), strict=True).message


@functools.cache
def _holder(kind: Any) -> Any:  # noqa: ANN401 - as above
    return msgspec.defstruct("Holder", [("message", kind)], array_like=True, frozen=True)
