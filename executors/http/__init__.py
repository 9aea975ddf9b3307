"""The http executor: one request, whose answer is the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from tocsin.errors import ExecutorError
from tocsin.execution import Order, Running, Sink

from .config import HttpConfig

if TYPE_CHECKING:
    from .clients import Clients


class Http:
    """Makes one HTTP request."""

    name: ClassVar[str] = "http"
    summary: ClassVar[str] = "an HTTP request"
    main_key: ClassVar[str] = "url"
    config: ClassVar[type[msgspec.Struct]] = HttpConfig

    _clients: Clients | None = None

    async def start(self, order: Order, config: HttpConfig, sink: Sink) -> Running:
        """Begin one request.

        Raises:
            ExecutorError: it cannot be made: a file is missing, or a library.
        """
        del order
        try:
            from .clients import Clients
            from .exchange import Exchange
        except ImportError as error:
            hint = "install what it needs: pip install 'tocsin[http]'"
            raise ExecutorError(f"the http executor lacks {error.name}", hint) from error
        if self._clients is None:
            self._clients = Clients()
        return Exchange(self._clients.client_for(config), config, sink)
