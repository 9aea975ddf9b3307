"""The scripted executor: does what its job says. For demos, tests and benchmarks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from tocsin.errors import ExecutorError
from tocsin.execution import Order, Outcome, Running, Sink, Status, split_key
from tocsin.units import parse_duration

if TYPE_CHECKING:
    import asyncio

EXIT_CRASH: Final = 70
_WRITE_LINES_MAX: Final = 1024

_Duration = float | str
_Count = Annotated[int, Meta(ge=0)]


class ScriptedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `scripted` block of a job."""

    run_for: Annotated[_Duration, Meta(description="how long it runs")] = 0.0
    lines: Annotated[_Count, Meta(description="lines printed to stdout")] = 0
    stderr_lines: Annotated[_Count, Meta(description="lines printed to stderr")] = 0
    line: Annotated[str, Meta(description="the text of each line; {n} counts")] = "line {n}"
    interval: Annotated[_Duration, Meta(description="time before each next line")] = 0.0
    exit_code: Annotated[int, Meta(ge=0, le=255, description="0 is success")] = 0
    fail_attempts: Annotated[_Count, Meta(description="attempts 1 to n fail")] = 0
    start_error: Annotated[str, Meta(description="refuse to start, with this message")] = ""
    crash: Annotated[bool, Meta(description="the whole host process dies at the end")] = False
    ignore_cancel: Annotated[bool, Meta(description="end only when the grace is over")] = False

    def __post_init__(self) -> None:
        for name in ("run_for", "interval"):
            try:
                parse_duration(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"`{name}`: {error}") from None


_INSTANT_CONFIG: Final = ScriptedConfig()
_SUCCESS: Final = Outcome(Status.SUCCEEDED, 0)


class Scripted:
    """Plays the part that its job file gives it."""

    name: ClassVar[str] = "scripted"
    summary: ClassVar[str] = "a run that does as its job says, for demos and tests"
    main_key: ClassVar[str] = "run_for"
    config: ClassVar[type[msgspec.Struct]] = ScriptedConfig

    async def start(self, order: Order, config: ScriptedConfig, sink: Sink) -> Running:
        """Begin one attempt.

        Raises:
            ExecutorError: as `start_error` says.
        """
        if config == _INSTANT_CONFIG:
            return _INSTANT
        if config.start_error:
            raise ExecutorError(config.start_error)
        return _Play(split_key(order.key)[1], config, sink)


class _Instant:
    """A run that is over as soon as it has begun; it has no state, so one serves all."""

    async def wait(self) -> Outcome:
        return _SUCCESS

    async def cancel(self, grace_s: float) -> None:
        pass

    def handle(self) -> bytes | None:
        return None


_INSTANT: Final = _Instant()


class _Play:
    def __init__(self, attempt: int, config: ScriptedConfig, sink: Sink) -> None:
        import asyncio

        self._attempt = attempt
        self._config = config
        self._sink = sink
        self._cancelled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait(self) -> Outcome:
        import asyncio

        config = self._config
        loop = asyncio.get_running_loop()
        end_s = loop.time() + parse_duration(config.run_for)
        await self._print()
        await self._sleep(end_s - loop.time())
        if self._cancelled.done():
            return Outcome(Status.CANCELLED)
        if config.crash:
            os._exit(EXIT_CRASH)
        if self._attempt <= config.fail_attempts:
            code = config.exit_code or 1
            return Outcome(Status.FAILED, code, f"attempt {self._attempt} fails")
        if config.exit_code:
            return Outcome(Status.FAILED, config.exit_code, f"exit code {config.exit_code}")
        return _SUCCESS

    async def cancel(self, grace_s: float) -> None:
        if self._config.ignore_cancel:
            await self._sleep(grace_s)
        if not self._cancelled.done():
            self._cancelled.set_result(None)

    def handle(self) -> bytes | None:
        return None

    async def _print(self) -> None:
        config = self._config
        interval_s = parse_duration(config.interval)
        step = 1 if interval_s else _WRITE_LINES_MAX
        for first in range(0, max(config.lines, config.stderr_lines), step):
            if first:
                await self._sleep(interval_s)
            if self._cancelled.done():
                return
            for count, stderr in ((config.lines, False), (config.stderr_lines, True)):
                numbers = range(first + 1, min(first + step, count) + 1)
                if numbers:
                    text = "".join(config.line.replace("{n}", str(n)) + "\n" for n in numbers)
                    self._sink.write(text.encode(), stderr=stderr)

    async def _sleep(self, seconds: float) -> None:
        import asyncio

        if seconds > 0:
            await asyncio.wait((self._cancelled,), timeout=seconds)
        else:
            await asyncio.sleep(0)
