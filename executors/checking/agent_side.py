"""The agent's side of a host's socket: gives orders, and remembers all that it was told."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import msgpack
import msgspec

from tocsin import clock
from tocsin.execution import AttemptKey, Health, Order
from tocsin.hosting import (
    CancelRuns,
    Confirm,
    FromHost,
    HostHealth,
    HostHello,
    HostReport,
    Retire,
    RunBegan,
    RunEnded,
    StartRuns,
)
from tocsin.wire import encode

READ_BYTES_MAX = 256 << 10


class HostGone(Exception):  # noqa: N818 - named for the fact
    """The host ended the connection."""


class Overdue(Exception):  # noqa: N818 - named for the fact
    """What was waited for did not come in time."""


class AgentSide:
    """One connection to a host. Every wait ends after `deadline_s`.

    Raises:
        HostGone: from whatever waits; the host ended, or hung up.
        Overdue: from whatever waits; says for what.
    """

    def __init__(self, path: Path, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(deadline_s)
        self._unpacker = msgpack.Unpacker(max_buffer_size=1 << 28)
        self.began: dict[AttemptKey, RunBegan] = {}
        self.ended: dict[AttemptKey, list[RunEnded]] = {}
        self.healths: list[Health] = []
        folder = os.open(path.parent, os.O_PATH)  # a socket's path holds 107 bytes at most
        try:
            self.socket.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError as error:
            self.socket.close()
            raise HostGone(f"nobody listens at {path.name}: {error.strerror}") from error
        finally:
            os.close(folder)
        try:
            self.hello = self._hello()
        except (HostGone, Overdue):
            self.socket.close()
            raise

    def _hello(self) -> HostHello:
        hello = self._receive(clock.monotonic_s() + self.deadline_s, "its hello")
        if not isinstance(hello, HostHello):
            raise HostGone("it hung up without a hello")
        return hello

    def start(self, *orders: Order) -> None:
        """Send orders."""
        self._send(StartRuns(list(orders)))

    def cancel(self, *orders: Order) -> None:
        """Cancel orders."""
        self._send(CancelRuns([order.key for order in orders]))

    def confirm(self, *orders: Order) -> None:
        """Confirm the outcomes of orders."""
        self._send(Confirm([order.key for order in orders]))

    def retire(self) -> None:
        """Ask the host to end."""
        self._send(Retire())

    def run(self, order: Order) -> RunEnded:
        """Start an order and wait for its end."""
        self.start(order)
        return self.end_of(order)

    def end_of(self, order: Order) -> RunEnded:
        """Wait for the end of an order."""
        self.hear_until(lambda: order.key in self.ended, f"the end of run {order.key}")
        return self.ended[order.key][0]

    def await_began(self, order: Order) -> None:
        """Wait for the begin of an order."""
        what = f"word that run {order.key} began"
        self.hear_until(lambda: order.key in self.began or order.key in self.ended, what)

    def hear_until(self, holds: Callable[[], bool], what: str = "a report") -> None:
        """Take reports in until something holds; `what` says what is waited for."""
        until_s = clock.monotonic_s() + self.deadline_s
        while not holds():
            report = self._receive(until_s, what)
            if report is None:
                raise HostGone(f"the host ended while {what} was waited for")
            if isinstance(report, HostReport):
                for began in report.began:
                    self.began[began.key] = began
                for ended in report.ended:
                    self.ended.setdefault(ended.key, []).append(ended)

    def await_closed(self) -> None:
        """Wait until the host closes the connection."""
        until_s = clock.monotonic_s() + self.deadline_s
        while self._receive(until_s, "the end of the connection") is not None:
            pass

    def vanish(self) -> None:
        """Be gone, as a killed agent is."""
        self.socket.close()

    def _send(self, message: msgspec.Struct) -> None:
        try:
            self.socket.sendall(encode(message))
        except TimeoutError as error:
            raise Overdue("the host to take a message") from error
        except OSError as error:
            raise HostGone(f"the host takes no message: {error.strerror}") from error

    def _receive(self, until_s: float, what: str) -> FromHost | None:
        while True:
            for plain in self._unpacker:
                message: FromHost = msgspec.convert(plain, FromHost)
                if not isinstance(message, HostHealth):
                    return message
                self.healths.append(message.health)
            self.socket.settimeout(max(until_s - clock.monotonic_s(), 0.001))
            try:
                data = self.socket.recv(READ_BYTES_MAX)
            except TimeoutError as error:
                raise Overdue(what) from error
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._unpacker.feed(data)
