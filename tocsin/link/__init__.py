"""The network: CURVE sockets and the sleep between their messages.

Peers are known by their CURVE public key and by nothing else. A daemon's loop is::

    hub, waiter = Hub(), Waiter()
    waiter.add(listener := Listener(hub, endpoint, own, domain=..., allow=..., bytes_max=...))
    while running:
        for source in waiter.wait(until_wall_us=next_due_us):
            while (message := source.receive()) is not None:
                ...

`tocsin.link.aio` is the same for programs that live in asyncio.
"""

from __future__ import annotations

from .dialer import Dialer
from .hub import Denial, Hub
from .listener import Listener, Peer
from .options import new_keypair
from .waiter import Source, Waiter

__all__ = ["Denial", "Dialer", "Hub", "Listener", "Peer", "Source", "Waiter", "new_keypair"]
