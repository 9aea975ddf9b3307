"""The http executor: one request, whose answer is the output."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from tocsin.errors import ExecutorError
from tocsin.execution import Health, Order, Running, Sink

from .config import HttpConfig

if TYPE_CHECKING:
    from .connections import Connections

INSTALL: Final = "install what it needs: pip install 'tocsin[http]'"


class Http:
    """Makes one HTTP request."""

    name: ClassVar[str] = "http"
    summary: ClassVar[str] = "an HTTP request"
    main_key: ClassVar[str] = "url"
    config: ClassVar[type[msgspec.Struct]] = HttpConfig

    _connections: Connections | None = None

    async def start(self, order: Order, config: HttpConfig, sink: Sink) -> Running:
        """Begin one request.

        Raises:
            ExecutorError: it cannot be made: a file is missing, or a library.
        """
        try:
            from .connections import Connections
            from .exchange import Exchange
        except ImportError as error:
            raise ExecutorError(f"the http executor lacks {error.name}", INSTALL) from error
        if self._connections is None:
            self._connections = Connections()
        return Exchange(self._connections, config, sink, has_secrets=bool(order.secrets))

    async def health(self) -> AsyncIterator[Health]:
        """Whether the libraries are there, and which versions of them."""
        try:
            import h2
            import httpx
        except ImportError as error:
            yield Health(available=False, message=f"lacks {error.name}; {INSTALL}")
        else:
            yield Health(available=True, facts={"httpx": httpx.__version__, "h2": h2.__version__})
