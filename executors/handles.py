"""What the next host of an executor needs to find this one's runs again, should this one die.

`RUN_DIR/NAME.handles/<key>` is a small journal of one attempt: its order, written before it is
started, its begin, its end. It goes when an agent has confirmed the end. The order holds the names
of its secrets, and no value. What was written in an earlier boot means nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import traceback
from collections.abc import Callable
from typing import Any, Final

import msgpack
import msgspec

from tocsin import clock
from tocsin.errors import ExecutorError
from tocsin.execution import AttemptKey, Capability, Executor, Order, Running, capabilities_of
from tocsin.hosting import HANDLES_SUFFIX, RunEnded
from tocsin.instants import SECOND_US
from tocsin.wire import encode

VERSION: Final = 1
_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC


class Ordered(msgspec.Struct, frozen=True, array_like=True, tag="ordered"):
    """The first entry of a journal."""

    version: int
    boot_id: str
    order: Order
    handle: bytes


class Began(msgspec.Struct, frozen=True, array_like=True, tag="began"):
    """It was started. `steady_us` is of the clock that never steps, in this boot."""

    at_us: int
    steady_us: int
    handle: bytes


class Ended(msgspec.Struct, frozen=True, array_like=True, tag="ended"):
    """It is over."""

    end: RunEnded


class Found(msgspec.Struct, frozen=True):
    """What a journal says of an attempt."""

    order: Order
    handle: bytes
    began: Began | None = None
    end: RunEnded | None = None

    def left_s(self, timeout_s: float) -> float:
        """How much of its time is left."""
        if self.began is None:
            return timeout_s
        past_s = clock.monotonic_s() - self.began.steady_us / SECOND_US
        return max(timeout_s - past_s, 0.0)


class Handles:
    """The journals of one executor's attempts; it has none where it cannot find any again."""

    def __init__(
        self, executor: Executor, run_dir: str, name: str, forgotten: Callable[[], None]
    ) -> None:
        self._forgotten = forgotten
        self._executor: Any = executor
        self.folder = f"{run_dir}/{name}{HANDLES_SUFFIX}"
        """Is not there where the executor cannot find any again."""
        self._reattaches = Capability.REATTACH in capabilities_of(type(executor))
        self._journals: set[AttemptKey] = set()
        self._needed: dict[AttemptKey, bytes] = {}
        """The handles of attempts whose end is not kept yet."""
        self._forgetting: dict[AttemptKey, asyncio.Task[None]] = {}
        self._confirmed: set[AttemptKey] = set()
        """Attempts whose journal goes as soon as the executor has forgotten them."""

    @property
    def are_settled(self) -> bool:
        """Whether the executor has forgotten all that it was told to."""
        return not self._forgetting

    def holds(self, key: AttemptKey) -> bool:
        """Whether the next host will find an attempt, as it is or as it ended."""
        return key in self._journals

    def find(self) -> list[Found]:
        """What earlier hosts left; what is of an earlier boot, or makes no sense, is deleted."""
        if not self._reattaches:
            return []
        os.makedirs(self.folder, mode=0o700, exist_ok=True)  # noqa: PTH103
        everything = []
        for name in os.listdir(self.folder):  # noqa: PTH208 - names are all that is wanted
            found = _read(f"{self.folder}/{name}")
            if found is None or found.order.key != name:
                self._delete(name)
                continue
            self._journals.add(found.order.key)
            if found.end is None:
                self._needed[found.order.key] = found.handle
            else:
                self._forget(found.order.key, found.handle)
            everything.append(found)
        return everything

    def starting(self, order: Order, config: Any) -> None:  # noqa: ANN401 - the executor's own type
        """Keep an order before it is started, if the executor can tell its handle by now.

        Raises:
            ExecutorError: it cannot be kept.
        """
        if not self._reattaches or order.key in self._journals:
            return
        foresee = getattr(self._executor, "foresee", None)
        handle = foresee(order, config) if foresee is not None else None
        if handle is not None:
            self._open(order, handle)

    def began(self, order: Order, running: Running, at_us: int) -> None:
        """Keep the begin of an attempt, and its handle if it was not known before."""
        if not self._reattaches:
            return
        handle = running.handle()
        if handle is None:
            self._drop(order.key)
            return
        entry = Began(at_us, round(clock.monotonic_s() * SECOND_US), handle)
        with contextlib.suppress(ExecutorError):  # it runs, be it that nobody finds it again
            if order.key not in self._journals:
                self._open(order, handle)
            self._append(order.key, entry)
            self._needed[order.key] = handle

    def ended(self, end: RunEnded) -> None:
        """Keep the end of an attempt; from then on its executor need not find it again."""
        if end.key in self._journals:
            with contextlib.suppress(ExecutorError):  # then it is kept when an agent has it
                self._append(end.key, Ended(end))
                self._forget(end.key, self._needed.pop(end.key))

    def confirmed(self, key: AttemptKey) -> None:
        """Delete the journal of an attempt."""
        if not self._reattaches:
            return
        if key in self._needed:
            self._forget(key, self._needed.pop(key))
        if key in self._forgetting:
            self._confirmed.add(key)
        else:
            self._drop(key)

    def _forget(self, key: AttemptKey, handle: bytes) -> None:
        if hasattr(self._executor, "forget"):
            task = asyncio.get_running_loop().create_task(self._have_forgotten(handle))
            self._forgetting[key] = task
            task.add_done_callback(lambda _: self._on_forgotten(key))

    async def _have_forgotten(self, handle: bytes) -> None:
        try:
            await self._executor.forget(handle)
        except Exception:  # noqa: BLE001 - its fault is a line in the host's log, and no run's
            traceback.print_exc()

    def _on_forgotten(self, key: AttemptKey) -> None:
        del self._forgetting[key]
        if key in self._confirmed:
            self._confirmed.discard(key)
            self._drop(key)
        if not self._forgetting:
            self._forgotten()

    def _drop(self, key: AttemptKey) -> None:
        self._needed.pop(key, None)
        if key in self._journals:
            self._journals.discard(key)
            self._delete(key)

    def _delete(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(f"{self.folder}/{name}")  # noqa: PTH108

    def _open(self, order: Order, handle: bytes) -> None:
        path = f"{self.folder}/{order.key}"
        first = encode(Ordered(VERSION, clock.boot_id(), order, handle))
        try:
            _write(f"{path}.new", first, _APPEND | os.O_CREAT | os.O_TRUNC)
            os.rename(f"{path}.new", path)  # noqa: PTH104
        except OSError as error:
            raise ExecutorError(f"its handle cannot be kept: {error.strerror}") from error
        self._journals.add(order.key)
        self._needed[order.key] = handle

    def _append(self, key: AttemptKey, entry: Began | Ended) -> None:
        try:
            _write(f"{self.folder}/{key}", encode(entry), _APPEND)
        except OSError as error:
            raise ExecutorError(f"its handle cannot be kept: {error.strerror}") from error


def _write(path: str, data: bytes, flags: int) -> None:
    fd = os.open(path, flags, 0o600)
    try:
        if os.write(fd, data) != len(data):
            raise OSError(28, os.strerror(28))
    finally:
        os.close(fd)


def _read(path: str) -> Found | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            unpacker = msgpack.Unpacker(file, strict_map_key=True, max_ext_len=0)
            entries = [msgspec.convert(it, Ordered | Began | Ended) for it in unpacker]
    except (OSError, ValueError, TypeError, msgpack.UnpackException):
        return None
    first, *rest = entries or [None]
    if not isinstance(first, Ordered) or first.version != VERSION:
        return None
    if first.boot_id != clock.boot_id():
        return None
    found = Found(first.order, first.handle)
    for entry in rest:
        if isinstance(entry, Began):
            found = msgspec.structs.replace(found, began=entry, handle=entry.handle)
        elif isinstance(entry, Ended):
            found = msgspec.structs.replace(found, end=entry.end)
    return found
