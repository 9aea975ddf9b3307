"""The asyncio skin, against a Listener in its own thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from tocsin import clock
from tocsin.errors import LinkError
from tocsin.keys import KeyPair
from tocsin.link import Hub, Listener, Waiter, new_keypair
from tocsin.link.aio import AsyncDialer

from .network import BYTES_MAX

CLIENT = new_keypair()


class Echo:
    """A server that sends back what it gets, and on `n` as text so many numbered messages."""

    def __init__(self) -> None:
        self.own = new_keypair()
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(20)

    def stop(self) -> None:
        """Close and join."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        hub, waiter = Hub(), Waiter()
        listener = Listener(
            hub,
            "tcp://127.0.0.1:0",
            self.own,
            domain="main",
            allow=lambda key: key == CLIENT.public,
            bytes_max=BYTES_MAX,
        )
        waiter.add(listener)
        self.endpoint = listener.endpoint
        self._ready.set()
        owed: list[tuple[bytes, bytes]] = []
        while not self._stop.is_set():
            waiter.wait(until_steady_us=int((clock.monotonic_s() + 0.005) * 1e6))
            while (message := listener.receive()) is not None:
                peer, data = message
                count = int(data) if data.isdigit() else 0
                owed += [(peer.route, b"%d" % n) for n in range(count)] or [(peer.route, data)]
            while owed and listener.send(*owed[0]):
                owed.pop(0)
        waiter.remove(listener)
        listener.close()
        hub.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    """A server in a thread."""
    echo = Echo()
    yield echo
    echo.stop()


class Client:
    """An AsyncDialer, and how to wait for its state."""

    def __init__(self, echo: Echo, own: KeyPair = CLIENT) -> None:
        self.hub = Hub()
        self.changed = asyncio.Event()
        self.dialer = AsyncDialer(
            self.hub,
            echo.endpoint,
            own,
            echo.own.public,
            bytes_max=BYTES_MAX,
            on_change=self.changed.set,
        )

    async def connect(self) -> AsyncDialer:
        """Wait until the link is up."""
        while not self.dialer.connected:
            await self.changed.wait()
            self.changed.clear()
        return self.dialer

    def close(self) -> None:
        """Close it all."""
        self.dialer.close()
        self.hub.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it, but not for ever."""
    asyncio.run(asyncio.wait_for(work, 30))


def test_round_trips(echo: Echo) -> None:
    """A message goes out and its answer comes in, again and again."""

    async def work() -> None:
        client = Client(echo)
        assert not client.dialer.connected
        assert not client.dialer.send(b"too soon")
        dialer = await client.connect()
        for word in [b"a", b"b", b"c"] * 50:
            assert dialer.send(word)
            assert await dialer.receive() == word
        client.close()

    run(work())


def test_ten_thousand_arrive(echo: Echo) -> None:
    """A flood arrives whole and in order, also while this side keeps sending."""

    async def work() -> None:
        client = Client(echo)
        dialer = await client.connect()
        assert dialer.send(b"10000")
        numbers: list[int] = []
        echoed = 0
        while len(numbers) < 10_000 or echoed < 100:
            data = await dialer.receive()
            if data == b"ping":
                echoed += 1
            else:
                numbers.append(int(data))
                if len(numbers) % 100 == 0:
                    assert dialer.send(b"ping")
        assert numbers == list(range(10_000))
        client.close()

    run(work())


def test_a_flood_leaves_others_their_turn(echo: Echo) -> None:
    """While messages pour in, other tasks of the loop run too."""

    async def work() -> None:
        client = Client(echo)
        dialer = await client.connect()
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        dialer.send(b"2000")
        for _ in range(2000):
            await dialer.receive()
        assert turns > 2000 // 64
        task.cancel()
        client.close()

    run(work())


def test_a_cancelled_receive_loses_nothing(echo: Echo) -> None:
    """A receive that was given up leaves the message to the next one."""

    async def work() -> None:
        client = Client(echo)
        dialer = await client.connect()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dialer.receive(), 0.01)
        dialer.send(b"x")
        assert await dialer.receive() == b"x"
        client.close()

    run(work())


def test_refused(echo: Echo) -> None:
    """A key that is not admitted ends the receive that waits with an error."""

    async def work() -> None:
        client = Client(echo, new_keypair())
        with pytest.raises(LinkError, match="not admit") as caught:
            await client.dialer.receive()
        assert caught.value.hint
        assert client.dialer.refused
        assert client.dialer.failure == "auth"
        assert client.changed.is_set()
        client.close()

    run(work())


def test_closed_while_it_waits(echo: Echo) -> None:
    """A close ends the receive that waits with an error; a second close does nothing."""

    async def work() -> None:
        client = Client(echo)
        dialer = await client.connect()
        waiting = asyncio.create_task(dialer.receive())
        await asyncio.sleep(0)
        client.close()
        client.close()
        with pytest.raises(LinkError, match="closed"):
            await waiting

    run(work())


def test_closed_at_once(echo: Echo) -> None:
    """A dialer that is closed before the loop ran is no trouble to the loop."""

    async def work() -> None:
        complaints: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: complaints.append(context))
        client = Client(echo)
        client.close()
        await asyncio.sleep(0)
        assert complaints == []

    run(work())


def test_the_server_goes(echo: Echo) -> None:
    """When the server goes, `connected` turns False, which is told, and sends are False."""

    async def work() -> None:
        client = Client(echo)
        dialer = await client.connect()
        echo.stop()
        while dialer.connected:
            await client.changed.wait()
            client.changed.clear()
        assert not dialer.send(b"x")
        client.close()

    run(work())
