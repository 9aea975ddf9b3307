"""The TUI in a browser: textual-serve behind an address that nobody can guess.

textual-serve lets in whoever reaches it, and whoever is in can do what the context's user may. So
this listens on the loopback alone, and everything it serves, the WebSocket included, is below a
path that is made of a secret. A page of another origin that learned the path still cannot use it:
the Host of every request and the Origin of the WebSocket have to be our own (DNS rebinding; cookies
would be shared by all ports of a host, so there are none).
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware
from textual_serve.server import Server

HOST: Final = "127.0.0.1"
_POLICY: Final = (
    "default-src 'self' 'unsafe-inline' data: blob:; connect-src 'self' ws://{authority};"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The page of textual-serve asks a host of others for a font: here it does without."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GuardedServer(Server):
    """Serves one command below a secret path.

    Args:
        command: for a shell; it is started once for each page that is opened.
        port: where it listens.
        secret: letters and digits for the path.
        ready: called with the address when it can be opened.
    """

    def __init__(
        self, command: str, port: int, secret: str, ready: Callable[[str], object]
    ) -> None:
        super().__init__(command, HOST, port, title="Tocsin")
        self._secret = secret
        self._ready = ready

    @property
    def address(self) -> str:
        """What to open."""
        return f"{self.public_url}/{self._secret}/"

    async def on_startup(self, app: web.Application) -> None:
        """Tell the address; textual-serve would print it without the secret."""

    async def make_site(self) -> web.Application:
        """What is served: all of textual-serve, one folder down."""
        root = web.Application(middlewares=[self._guard()])
        root.add_subapp(f"/{self._secret}/", await self._make_app())
        root.on_startup.append(self._tell)
        return root

    async def _tell(self, _app: web.Application) -> None:
        self._ready(self.address)

    def _guard(self) -> Middleware:
        authority = f"{HOST}:{self.port}"
        policy = _POLICY.format(authority=authority)

        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            if request.headers.get("Host") != authority:
                raise web.HTTPForbidden(text="this host name is not served here\n")
            if request.headers.get("Origin", self.public_url) != self.public_url:
                raise web.HTTPForbidden(text="pages of other origins are not let in\n")
            response = await handler(request)
            if not response.prepared:
                response.headers["Content-Security-Policy"] = policy
                response.headers["Referrer-Policy"] = "no-referrer"
                response.headers["Cache-Control"] = "no-store"
            return response

        return guard


def serve(command: str, port: int, secret: str, ready: Callable[[str], object]) -> None:
    """Serve until a signal asks to end.

    Raises:
        OSError: the port cannot be had.
    """
    with socket.create_server((HOST, port)) as listener:
        server = GuardedServer(command, listener.getsockname()[1], secret, ready)
        logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
        web.run_app(
            server.make_site(), sock=listener, print=None, access_log=None, shutdown_timeout=2.0
        )
