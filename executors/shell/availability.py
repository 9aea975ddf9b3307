"""Whether runs can be units of systemd on this host."""

from __future__ import annotations

import os
from typing import Final

BUS_SOCKET: Final = "/run/dbus/system_bus_socket"


def why_no_units() -> str:
    """Why not, in a few words; empty when they can."""
    # As sd_booted(3) has it.
    if not os.path.isdir("/run/systemd/system"):  # noqa: PTH112 - a path less
        return "systemd does not run this host"
    if os.geteuid() != 0:
        return "the agent is not root"
    if not os.access("/run", os.W_OK):
        return "/run cannot be written to"
    import socket

    with socket.socket(socket.AF_UNIX) as bus:
        try:
            bus.connect(BUS_SOCKET)
        except OSError as error:
            return f"the system bus does not answer: {error.strerror}"
    return ""
