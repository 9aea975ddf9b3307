"""The other side of a NATS message: subscribers, services and streams, by another library."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Coroutine
from typing import Any, NamedTuple, Self

import nats
from nats.aio.msg import Msg

DEADLINE_S = 30.0


class Heard(NamedTuple):
    """A message that arrived."""

    subject: str
    data: bytes
    headers: dict[str, str]
    reply: str
    """Where an answer is waited for; may be empty."""


class Peer:
    """A client with a thread of its own. Its `options` are those of nats-py."""

    def __init__(self, url: str, **options: Any) -> None:
        self.heard: queue.Queue[Heard] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client = self._do(nats.connect(url, allow_reconnect=False, **options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()

    def _do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(DEADLINE_S)

    def listen(self, subject: str, reply: bytes | None = None, **headers: str) -> None:
        """Put what arrives at a subject into `heard`, and answer it if there is a reply."""

        async def hear(message: Msg) -> None:
            self.heard.put(
                Heard(message.subject, message.data, message.headers or {}, message.reply)
            )
            if reply is not None:
                await self._client.publish(message.reply, reply, headers=headers or None)

        async def subscribe() -> None:
            await self._client.subscribe(subject, cb=hear)
            await self._flush()

        self._do(subscribe())

    async def _flush(self) -> None:
        # The first PING of nats-py overtakes what was written before it.
        await self._client.flush()
        await self._client.flush()

    def next(self) -> Heard:
        """Wait for the next message."""
        return self.heard.get(timeout=DEADLINE_S)

    def publish(self, subject: str, data: bytes) -> None:
        """Send a message, and see it off."""

        async def publish() -> None:
            await self._client.publish(subject, data)
            await self._flush()

        self._do(publish())

    def make_stream(self, name: str, *subjects: str, **config: Any) -> None:
        """Make a stream of the messages to some subjects."""
        stream = self._client.jetstream()
        self._do(stream.add_stream(name=name, subjects=list(subjects), **config))

    def stored(self, stream: str) -> int:
        """How many messages a stream holds."""
        info = self._do(self._client.jetstream().stream_info(stream))
        return int(info.state.messages)
