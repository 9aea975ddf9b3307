"""The codec of every link: msgpack outside, msgspec Structs inside.

Decoding is bounded before anything is built from it, then converted to one closed union, so
what leaves this module is either a known message or a `ProtocolError`.
"""

from __future__ import annotations

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
        return msgspec.convert(plain, kind, strict=True)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"not a message of this link: {error}") from error
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise ProtocolError(f"not msgpack: {error or type(error).__name__}") from error
