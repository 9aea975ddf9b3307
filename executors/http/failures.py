"""Why a request failed, in words, and whether the server can have acted on it."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, StreamReset
from h2.exceptions import ProtocolError

from .body import FileShrunkError
from .decoding import DecodingError

FAULTS: Final = (
    httpx.HTTPError, httpx.InvalidURL, DecodingError, FileShrunkError, ssl.SSLError, OSError,
    ProtocolError,  # of h2, while a body comes
)  # fmt: skip
"""What may go wrong between two hosts."""
_BROKEN_OFF: Final = (
    httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError,
    httpx.LocalProtocolError,  # of h2, when an answer comes behind a GOAWAY
)  # fmt: skip


def reason(error: BaseException) -> str:
    """Why, in words: the first cause that says something."""
    for seen in _causes(error):
        text = _in_words(seen)
        if text:
            return text
    match error:
        case httpx.ConnectTimeout():
            return "no connection in time"
        case httpx.ReadError() | httpx.WriteError():
            return "the connection is gone"
        case httpx.RemoteProtocolError() | DecodingError():
            return f"its answer is broken: {error}"
        case FileShrunkError():
            return "the file became shorter while it was sent"
        case _:
            return str(error) or type(error).__name__


def broke_off(error: BaseException) -> bool:
    """Whether the connection ended before there was an answer."""
    return isinstance(error, _BROKEN_OFF)


def was_ignored(error: BaseException, stream_id: int) -> bool:
    """Whether the server says that it has not looked at the request, see RFC 9113 8.7."""
    for seen in _causes(error):
        match seen.args:
            case (StreamReset(error_code=code),):
                return code == ErrorCodes.REFUSED_STREAM
            case (ConnectionTerminated(last_stream_id=last),):
                return (last or 0) < stream_id
    return False


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        nested = getattr(seen, "exceptions", ())
        seen = nested[0] if nested else seen.__cause__ or seen.__context__


def _in_words(error: BaseException) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS: {error.reason or error}"
        case socket.gaierror(errno=socket.EAI_AGAIN):
            return "its name cannot be looked up just now"
        case socket.gaierror():
            return "its name is not known"
        case OSError() if error.errno is not None and error.errno > 0:
            return os.strerror(error.errno)
        case ProtocolError():
            return f"HTTP/2 broke off: {error}"
    match error.args:
        case (StreamReset(error_code=code),):
            return f"it broke the request off ({_name(code)})"
        case (ConnectionTerminated(error_code=code),):
            return f"it closed the connection before the answer was whole ({_name(code)})"
    return ""


def _name(code: ErrorCodes | int | None) -> str:
    return code.name if isinstance(code, ErrorCodes) else f"error {code}"
