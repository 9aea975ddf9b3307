"""Looks at the executors: starts a process that tells of them, and survives whatever it does.

It is looked again when packages were installed or removed, and after an executor's host failed to
start. Each executor has its own time; one that hangs or kills the process costs only itself.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Final

import msgpack
import msgspec

from tocsin.execution import DESCRIPTION_BYTES_MAX, Health, Offer
from tocsin.hosting import Probed, Settings
from tocsin.instants import SECOND_US
from tocsin.link import Waiter

from .host_launch import probe_launch
from .machine.events import Event, ExecutorsProbed

ANSWER_US: Final = 20 * SECOND_US
"""An executor that does not answer for so long is given up."""
LOOK_US: Final = 60 * SECOND_US
"""So often it is seen whether packages came or went."""
SETTLE_US: Final = 5 * SECOND_US
"""They may be in the middle of it; nothing must change for so long."""
AGAIN_US: Final = 60 * SECOND_US
"""After an executor's host failed to start."""
_READ_BYTES_MAX: Final = 256 << 10


class Prober:
    """The one probe that may be under way, and when the next one is due."""

    def __init__(self, settings: Callable[[], dict[str, Settings]], waiter: Waiter) -> None:
        self.settings = settings()
        """Of every executor on offer, as they were when last looked at."""
        self._find = settings
        self._waiter = waiter
        self._pid = 0
        self._pipe = -1
        self._unpacker = msgpack.Unpacker()
        self._current = ""
        self._found: dict[str, Probed] = {}
        self._answer_us = 0
        self._due_us: int | None = 0
        self._look_us = 0
        self._packages = self._seen = _packages()
        self._unreaped: list[int] = []

    def deadline_us(self) -> int:
        """When `tick` is needed, on the steady clock."""
        if self._pid:
            return self._answer_us
        return self._look_us if self._due_us is None else min(self._due_us, self._look_us)

    def owns(self, fd: int) -> bool:
        """Whether a descriptor of the waiter belongs to the probe."""
        return fd == self._pipe

    def again(self, now_us: int) -> None:
        """Look again in a while."""
        if self._due_us is None:
            self._due_us = now_us + AGAIN_US

    def at_once(self) -> None:
        """Look again now: other executors may be wanted."""
        self._due_us = 0

    def tick(self, now_us: int) -> list[Event]:
        """Do what time alone asks for."""
        if self._pid:
            if now_us < self._answer_us:
                return []
            return self._end(f"it did not answer in {ANSWER_US // SECOND_US} s", now_us)
        if now_us >= self._look_us:
            self._look(now_us)
        if self._due_us is not None and now_us >= self._due_us:
            self._due_us = None
            self._packages = self._seen
            self.settings = self._find()
            self._found = {}
            return self._go_on(now_us)
        return []

    def _look(self, now_us: int) -> None:
        self._unreaped = [pid for pid in self._unreaped if os.waitpid(pid, os.WNOHANG)[0] == 0]
        before, self._seen = self._seen, _packages()
        self._look_us = now_us + LOOK_US
        if self._seen != before:
            self._look_us = now_us + SETTLE_US
        elif self._seen != self._packages:
            self._due_us = now_us

    # The process.

    def _go_on(self, now_us: int) -> list[Event]:
        """Probe those that were not probed yet, or tell what was found."""
        left = [it for it in self.settings.values() if it.name not in self._found]
        if not left:
            return [self._all()]
        self._current, self._answer_us = left[0].name, now_us + ANSWER_US
        self._unpacker = msgpack.Unpacker(
            max_buffer_size=2 * DESCRIPTION_BYTES_MAX + _READ_BYTES_MAX
        )
        self._pipe, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(write_end, True)
        try:
            argv, environ = probe_launch(msgspec.json.encode(left).decode())
            self._pid = os.posix_spawnp(
                argv[0],
                argv,
                environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, write_end, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE),
            )
        except OSError as error:
            os.close(self._pipe)
            self._pipe = -1
            return self._fail(f"cannot look at it: {error.strerror}", now_us)
        finally:
            os.close(write_end)
        self._waiter.add(self._pipe)
        return []

    def ready(self, now_us: int) -> list[Event]:
        """The probe says something, or has ended."""
        try:
            data = os.read(self._pipe, _READ_BYTES_MAX)
        except BlockingIOError:
            return []
        if not data:
            return self._end("", now_us)
        try:
            self._unpacker.feed(data)
            for plain in self._unpacker:
                self._hear(msgspec.convert(plain, Probed), now_us)
        except (ValueError, TypeError, msgpack.UnpackException):
            return self._end("it garbles what is said of it", now_us)
        return []

    def _hear(self, said: Probed, now_us: int) -> None:
        if said.health is None:
            self._current, self._answer_us = said.name, now_us + ANSWER_US
        elif said.name in self.settings:
            self._found[said.name] = said
            self._current = ""

    def _end(self, why: str, now_us: int) -> list[Event]:
        """The process is over, or is made to be; the executor whose turn it was pays for it."""
        self._waiter.remove(self._pipe)
        os.close(self._pipe)
        self._pipe = -1
        os.kill(self._pid, signal.SIGKILL)
        pid, status = os.waitpid(self._pid, 0 if not why else os.WNOHANG)
        if not pid:
            self._unreaped.append(self._pid)
        self._pid = 0
        left = any(name not in self._found for name in self.settings)
        return self._fail(why or _how(status), now_us) if left else [self._all()]

    def _fail(self, why: str, now_us: int) -> list[Event]:
        blamed = [self._current] if self._current else list(self.settings)
        self._current = ""
        for name in blamed:
            health = Health(available=False, message=f"when it was looked at, {why}")
            self._found.setdefault(name, Probed(name, health))
        return self._go_on(now_us)

    def _all(self) -> ExecutorsProbed:
        offers, bodies = [], {}
        for name in self.settings:
            said = self._found[name]
            health = said.health or Health(available=False)
            offers.append(Offer(name, said.digest, health.available, health.message, health.facts))
            if said.digest:
                bodies[said.digest] = said.description
        self._found = {}
        return ExecutorsProbed(offers, bodies)

    def close(self) -> None:
        """End the probe that may be under way."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"it ended its process with {f'exit code {code}' if code >= 0 else f'signal {-code}'}"


def _packages() -> list[int]:
    """Changes when a package is installed or removed: when its folders' entries last changed."""
    changed = []
    for folder in sys.path:
        try:
            changed.append(os.stat(folder or ".").st_mtime_ns)  # noqa: PTH116 - a path less
        except OSError:
            changed.append(0)
    return changed
