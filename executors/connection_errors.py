"""Why a connection failed, in the words of people."""

from __future__ import annotations

import os
import re
import socket
import ssl
from typing import Final

_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")


def reason_of(error: BaseException) -> str:
    """One line for an error of a socket, of TLS or of a name."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS: {error.reason or error}"
        case socket.gaierror(errno=socket.EAI_AGAIN):
            return "its name cannot be looked up just now"
        case socket.gaierror():
            return "its name is not known"
        case UnicodeError():
            return "its name is none that a host can have"
        case OSError() if error.errno is not None and error.errno > 0:
            return os.strerror(error.errno)
    # Several addresses of a host were tried, and asyncio puts what they said into one text.
    if found := _ERRNO.search(str(error)):
        return os.strerror(int(found[1]))
    return str(error) or type(error).__name__
