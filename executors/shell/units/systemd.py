"""What is asked of systemd about one unit: start it, tell how it is, let go of it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from jeepney import Message

from .properties import Property
from .system_bus import BusError, SystemBus

STARTING_MAX: Final = 64
"""Units being started at once; with hundreds the bus daemon runs out of match rules."""
SIGNAL_S: Final = 2.0
"""How long systemd's word on a start is waited for before it is asked: a signal may be lost."""
POLL_S: Final = 0.2
_EXITED: Final = 1
"""`si_code` of a process that was not ended by a signal, see sigaction(2)."""
_UNKNOWN: Final = (1 << 64) - 1
_PATH: Final = "/org/freedesktop/systemd1"
_NAME: Final = "org.freedesktop.systemd1"
_RULE: Final = (
    f"type='signal',sender='{_NAME}',interface='{_NAME}.Manager',member='JobRemoved',path='{_PATH}'"
)


class Main(NamedTuple):
    """The main process of a unit."""

    pid: int
    """0 when there is none any more, or was none."""
    code: int | None
    """Its exit code, or the negative number of a signal; None when it has none, or is unknown."""


class Systemd:
    """Systemd, over one kept connection. Make it inside the loop."""

    def __init__(self) -> None:
        self._bus = SystemBus(_RULE, self._heard)
        self._starting = asyncio.Semaphore(STARTING_MAX)
        self._over: dict[str, asyncio.Future[str]] = {}
        """What became of the jobs by which units are being started."""

    async def start(self, unit: str, properties: Sequence[Property]) -> bool:
        """Start a transient unit; False when it failed, be it that its program did so at once.

        A unit of that name which is there already counts as this one.

        Raises:
            BusError: systemd does not take it.
        """
        async with self._starting:
            result = await self._begun(unit, properties)
            if result is not None:
                return result == "done"
            while True:
                # In this order: a job that is over has left its mark on the state.
                (job, _), active = await self._unit(unit, "Job"), await self._state(unit)
                if not job and active != "activating":
                    return active == "active"
                await asyncio.sleep(POLL_S)

    async def _begun(self, unit: str, properties: Sequence[Property]) -> str | None:
        """How systemd's job ended by which a unit is started; None when it has not said so."""
        over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._over[unit] = over
        try:
            body = (unit, "fail", list(properties), list[object]())
            await self._manage("StartTransientUnit", "ssa(sv)a(sa(sv))", body)
            async with asyncio.timeout(SIGNAL_S):
                return await over
        except BusError as error:
            if error.name == f"{_NAME}.UnitExists":
                return None
            raise
        except TimeoutError:
            return None
        finally:
            del self._over[unit]

    def _heard(self, message: Message) -> None:
        _, _, unit, result = message.body
        over = self._over.get(unit)
        if over is not None and not over.done():
            over.set_result(result)

    async def is_loaded(self, unit: str) -> bool:
        """Whether there is such a unit, be it only for what its main process left behind."""
        return bool(await self._unit(unit, "LoadState") != "not-found")

    async def is_inactive(self, unit: str) -> bool:
        """Whether a unit is stopped, or gone; one that ended by itself is `active` or `failed`."""
        return await self._state(unit) == "inactive"

    async def main(self, unit: str) -> Main:
        """The main process of a unit, and its end if that was seen."""
        # One property tells it all, but is empty after a reload, which the others are not.
        commands = await self._service(unit, "ExecStart")
        pid, how, status = commands[0][-3:] if commands else (0, 0, 0)
        if not pid:
            pid, how, status = await asyncio.gather(
                self._service(unit, "MainPID"),
                self._service(unit, "ExecMainCode"),
                self._service(unit, "ExecMainStatus"),
            )
        if how == 0:
            return Main(pid, None)
        return Main(0, int(status) if how == _EXITED else -int(status))

    async def result(self, unit: str) -> str:
        """Systemd's word for a unit's end: `success`, `exit-code`, `signal`, `oom-kill`."""
        return str(await self._service(unit, "Result"))

    async def control_group(self, unit: str) -> str:
        """The path of a unit's cgroup; empty when it has none."""
        return str(await self._service(unit, "ControlGroup"))

    async def peak_memory_bytes(self, unit: str) -> int | None:
        """The most memory that a unit needed; None where systemd does not know (before 256)."""
        with contextlib.suppress(BusError):
            peak = int(await self._service(unit, "MemoryPeak"))
            return peak if peak != _UNKNOWN else None
        return None

    async def cpu_us(self, unit: str) -> int | None:
        """The CPU time that a unit took; None where it is not counted."""
        cpu_ns = int(await self._service(unit, "CPUUsageNSec"))
        return cpu_ns // 1000 if cpu_ns != _UNKNOWN else None

    async def let_go(self, unit: str, code: int | None = None) -> None:
        """Have systemd forget a unit whose main process ended.

        Args:
            unit: its name.
            code: with which it ended, where that is known: it says what has to be asked for.
        """
        reset, stop = ("ResetFailedUnit", "s", (unit,)), ("StopUnit", "ss", (unit, "replace"))
        # One that ended well is active still. After a signal both may be.
        calls = [stop] if code == 0 else [reset] if code is not None and code > 0 else [reset, stop]
        for call in calls:
            with contextlib.suppress(BusError):  # it is gone
                await self._manage(*call)

    async def _manage(self, member: str, signature: str, body: tuple[Any, ...]) -> tuple[Any, ...]:
        return await self._bus.call(_PATH, f"{_NAME}.Manager", member, signature, body)

    async def _state(self, unit: str) -> str:
        return str(await self._unit(unit, "ActiveState"))

    async def _unit(self, unit: str, name: str) -> Any:  # noqa: ANN401 - of any type
        return await self._get(unit, f"{_NAME}.Unit", name)

    async def _service(self, unit: str, name: str) -> Any:  # noqa: ANN401 - of any type
        return await self._get(unit, f"{_NAME}.Service", name)

    async def _get(self, unit: str, interface: str, name: str) -> Any:  # noqa: ANN401 - of any type
        properties = "org.freedesktop.DBus.Properties"
        asked = (interface, name)
        ((_, value),) = await self._bus.call(_path_of(unit), properties, "Get", "ss", asked)
        return value


@functools.lru_cache(maxsize=1024)
def _path_of(unit: str) -> str:
    """The object of a unit."""
    name = "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):02x}" for c in unit)
    return f"{_PATH}/unit/{name}"
