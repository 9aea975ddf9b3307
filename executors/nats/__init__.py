"""The nats executor: one message, confirmed by the server, a stream or a reply."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from typing import ClassVar

import msgspec

from tocsin.execution import Health, Order, Running, Sink

from .config import NatsConfig


class Nats:
    """Sends one NATS message."""

    name: ClassVar[str] = "nats"
    summary: ClassVar[str] = "a NATS message: published, stored in a stream, or replied to"
    main_key: ClassVar[str] = "subject"
    config: ClassVar[type[msgspec.Struct]] = NatsConfig

    _deliver: Callable[[NatsConfig, Order, Sink], Running] | None = None

    async def start(self, order: Order, config: NatsConfig, sink: Sink) -> Running:
        """Begin to send one message.

        Raises:
            ExecutorError: there is nothing to be sent: its file is missing, say.
        """
        if self._deliver is None:
            self._deliver = _courier()
        return self._deliver(config, order, sink)

    async def health(self) -> AsyncIterator[Health]:
        """Whether keys can be used; all else needs no library."""
        from importlib.metadata import PackageNotFoundError, version

        try:
            yield Health(available=True, facts={"nkeys": version("nkeys")})
        except PackageNotFoundError:
            hint = "`nkey` and `creds` need: pip install 'tocsin[nats]'"
            yield Health(available=True, message=hint)


def _courier() -> Callable[[NatsConfig, Order, Sink], Running]:
    """What sends messages, all over the same connections."""
    from .connections import Connections  # the coordinator imports this module for its schema
    from .delivery import Delivery

    return functools.partial(Delivery, Connections())
