"""Entries of journald with fields of their own: one datagram each.

The form is that of systemd.io/JOURNAL_NATIVE_PROTOCOL: `NAME=value` lines, and for a value with
line ends in it the name, its length in eight bytes, and the value.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from collections.abc import Mapping
from typing import Final

SOCKET: Final = "/run/systemd/journal/socket"
_VALUE_BYTES_MAX: Final = 4096
_UNFIT: Final = re.compile(r"[^A-Z0-9_]")


class Journal:
    """Takes what one part of Tocsin has to say."""

    def __init__(self, part: str, path: str) -> None:
        self._fixed = [("SYSLOG_IDENTIFIER", f"tocsin-{part}"), ("TOCSIN_PART", part)]
        self._fixed.append(("SYSLOG_PID", str(os.getpid())))
        self._socket: socket.socket | None = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            self._socket = None

    def take(self, priority: int, event: str, message: str, facts: Mapping[str, object]) -> bool:
        """Make an entry; False: it was not taken, and nothing of it is in the journal."""
        if self._socket is None:
            return False
        fields = [("MESSAGE", message), ("PRIORITY", str(priority)), ("TOCSIN_EVENT", event)]
        fields += ((_field_name(name), str(value)) for name, value in facts.items())
        try:
            self._socket.send(b"".join(_field(*each) for each in (*fields, *self._fixed)))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Take no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _field_name(name: str) -> str:
    return "TOCSIN_" + _UNFIT.sub("_", name.upper())[:50]


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "backslashreplace")[:_VALUE_BYTES_MAX]
    if b"\n" not in data:
        return f"{name}=".encode() + data + b"\n"
    return f"{name}\n".encode() + struct.pack("<Q", len(data)) + data + b"\n"
