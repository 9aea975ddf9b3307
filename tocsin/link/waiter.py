"""The sleep of a poll loop: until a message, a readable descriptor, an instant or a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import zmq

from tocsin import clock

from .alarm import Alarm
from .dialer import Dialer
from .hub import Hub
from .listener import Listener
from .signals import SignalPipe

Source: TypeAlias = Listener | Dialer | int
"""What can be waited for; an int is a file descriptor."""

_FOREVER_US: Final = 1 << 62
_TIMEOUT_MS_MAX: Final = 1 << 30
_WALL_LOOK_US: Final = 1_000_000
"""The wall clock is looked at so often while an instant of it is waited for, whatever rings."""


class Waiter:
    """Waits for many sources at once, and serves the door of their hubs meanwhile.

    Handshakes are answered in `wait` alone, so a loop that has a Listener keeps coming back.
    """

    def __init__(self) -> None:
        self._poller = zmq.Poller()
        self._on_ready: dict[Any, Callable[[], Source | None]] = {}
        self._listeners: dict[Hub, int] = {}
        self._alarm: Alarm | None = None
        self._signal_pipe: SignalPipe | None = None
        self._signals: list[int] = []
        self._woken = False

    def add(self, source: Source) -> None:
        """Wait for `source` too."""
        match source:
            case Listener(hub=hub):
                self._register(source.socket, lambda: source)
                self._register(hub.door, hub.serve)
                self._listeners[hub] = self._listeners.get(hub, 0) + 1
            case Dialer():
                self._register(source.socket, lambda: source)
                self._register(source.monitor, lambda: source if source.watch() else None)
            case int():
                self._register(source, lambda: source)

    def remove(self, source: Source) -> None:
        """Wait for `source` no more. Do this before you close it."""
        match source:
            case Listener(hub=hub):
                self._unregister(source.socket)
                self._listeners[hub] -= 1
                if not self._listeners[hub]:
                    del self._listeners[hub]
                    self._unregister(hub.door)
            case Dialer():
                self._unregister(source.socket)
                self._unregister(source.monitor)
            case int():
                self._unregister(source)

    def wake_on_signals(self, signals: Iterable[int]) -> None:
        """Let these signals end a `wait` and do nothing else. Main thread only, once."""
        assert self._signal_pipe is None
        self._signal_pipe = SignalPipe(signals)
        self._register(self._signal_pipe.fd, self._note_signals)

    def take_signals(self) -> list[int]:
        """The signals since the last call, oldest first."""
        signals, self._signals = self._signals, []
        return signals

    def wait(
        self, *, until_steady_us: int | None = None, until_wall_us: int | None = None
    ) -> list[Source]:
        """Sleep until something is ready, and return what is; nothing: the time has come.

        A source is ready as long as it has something to read; a Dialer once more when its
        `connected`, `refused` or `failure` changed. Also returns when a signal arrived, and when
        the wall clock was set while `until_wall_us` was being waited for.

        Args:
            until_steady_us: wake then, at most a millisecond late; µs of `clock.monotonic_s`.
            until_wall_us: wake then, to some 0.1 ms, never early; µs of `clock.now_us`.
        """
        self._woken = self._set_alarm(until_wall_us)
        while True:
            left_us = _FOREVER_US if until_steady_us is None else until_steady_us - _steady_us()
            look_us = _FOREVER_US
            if until_wall_us is not None:
                look_us = min(until_wall_us - clock.now_us(), _WALL_LOOK_US)
            over = self._woken or left_us <= 0 or look_us <= 0
            ready = self._poller.poll(0 if over else _timeout_ms(min(left_us, look_us)))
            found = [source for key, _ in ready if (source := self._on_ready[key]()) is not None]
            if found or over or self._woken:
                return list(dict.fromkeys(found))

    def close(self) -> None:
        """Give back the alarm and the signals; the sources stay open."""
        if self._alarm is not None:
            self._unregister(self._alarm.fd)
            self._alarm.close()
            self._alarm = None
        if self._signal_pipe is not None:
            self._unregister(self._signal_pipe.fd)
            self._signal_pipe.close()
            self._signal_pipe = None

    def _register(
        self, key: zmq.Socket[bytes] | int, on_ready: Callable[[], Source | None]
    ) -> None:
        self._poller.register(key, zmq.POLLIN)
        self._on_ready[key] = on_ready

    def _unregister(self, key: zmq.Socket[bytes] | int) -> None:
        self._poller.unregister(key)
        del self._on_ready[key]

    def _set_alarm(self, until_wall_us: int | None) -> bool:
        if self._alarm is None:
            if until_wall_us is None:
                return False
            self._alarm = Alarm()
            self._register(self._alarm.fd, self._note_alarm)
        return self._alarm.set(until_wall_us)

    def _note_alarm(self) -> None:
        assert self._alarm is not None
        if self._alarm.acknowledge(clock.now_us()):
            self._woken = True

    def _note_signals(self) -> None:
        assert self._signal_pipe is not None
        self._signals += self._signal_pipe.read()
        self._woken = True


def _steady_us() -> int:
    return int(clock.monotonic_s() * 1e6)


def _timeout_ms(left_us: int) -> int:
    """Whole milliseconds, rounded up so as not to wake early."""
    return min(max(-(-left_us // 1000), 0), _TIMEOUT_MS_MAX)
