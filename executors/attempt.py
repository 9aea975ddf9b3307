"""The life of one attempt in its host: start, wait, and an end by time or by request.

::

    received ──begin──► starting ──start returns──► running ──wait returns──► ended
        │                  │                           │
        └── stop: ended    └── stop: task cancelled    └── stop: Running.cancel

    found, of an earlier host ──resume──► sought ──reattach returns──► running

An executor that ended because it was cancelled says `Status.CANCELLED`, and the host puts the
reason in its place; any other status is what really happened, and stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import sys
import traceback
from collections.abc import Callable
from typing import Final, cast

import msgspec

from tocsin import clock
from tocsin.errors import ExecutorError
from tocsin.execution import Executor, Expect, Order, Outcome, Reattaching, Running, Status
from tocsin.expectation import by_exit_code, by_output, reads_output
from tocsin.templates import has_placeholders, render, values_of
from tocsin.units import format_duration

from .handles import Found, Handles
from .output_files import OutputFiles
from .refusal import CannotStart
from .secrets import FOLDER_VARIABLE, Mask, resolve
from .sound_outcome import one_line, sound

CANCEL_OVERDUE_S: Final = 30.0
"""How long after the grace an executor may still take before its code is cancelled."""
LET_GO_S: Final = 10.0
"""How long that code may then still go on."""
EXPECT_BYTES_MAX: Final = 16 << 20
"""Of a longer output, what is expected is looked for in its first and its last half of this."""
_NOT_ITS_TO_SAY: Final = frozenset({Status.CANCELLED, Status.REFUSED})
"""It began, and nobody asked for its end."""


class Attempt:
    """One order under way. `on_began` and `on_ended` are called once each, in that order."""

    __slots__ = (
        "_canceller", "_due_s", "_entered", "_executor", "_found", "_handles", "_mask", "_on_began",
        "_on_ended", "_reason", "_running", "_sink", "_task", "_timer", "began_us", "ended_us",
        "order", "outcome",
    )  # fmt: skip

    def __init__(
        self,
        order: Order,
        executor: Executor,
        sink: OutputFiles,
        handles: Handles,
        on_began: Callable[[Attempt], None],
        on_ended: Callable[[Attempt], None],
    ) -> None:
        self.order = order
        self.began_us: int | None = None
        self.ended_us = 0
        self.outcome: Outcome | None = None
        self._executor = executor
        self._sink = sink
        self._handles = handles
        self._found: Found | None = None
        self._on_began = on_began
        self._on_ended = on_ended
        self._due_s = math.inf
        self._entered = False
        self._reason: Status | None = None
        self._running: Running | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._canceller: asyncio.Task[None] | None = None
        self._mask: Mask | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start it; an attempt that was stopped before is left alone.

        Its timeout counts from here, and ends it after `keep_time`.
        """
        if self.outcome is not None:
            return
        self._task = loop.create_task(self._live(), name=self.order.key)
        self._due_s = loop.time() + self.order.timeout_s

    def keep_time(self) -> None:
        """End it when its time is over. Most are over so soon that they need no timer."""
        if self.outcome is None and self._reason is None:
            self._set_timeout(self._due_s - asyncio.get_running_loop().time())

    def resume(self, loop: asyncio.AbstractEventLoop, found: Found) -> None:
        """Go on with what an earlier host began; its time goes on, too."""
        self._found = found
        self.began_us = found.began.at_us if found.began is not None else None
        self._task = loop.create_task(self._live(), name=self.order.key)
        self._set_timeout(found.left_s(self.order.timeout_s))

    def stop(self, reason: Status) -> None:
        """End it because of `reason`; only the first reason counts."""
        if self._reason is not None or self.outcome is not None:
            return
        self._reason = reason
        if self._task is None:
            self._end(Outcome(reason, message=self._why()))
        elif self._running is not None:
            self._begin_cancel(self._running)
        elif self._found is not None:  # it may run, and is about to be found again
            self._set_timer(self.order.kill_after_s + CANCEL_OVERDUE_S, self._give_up)
        elif self._entered:  # a task cancelled before its first step would never report its end
            self._give_up()

    def _begin_cancel(self, running: Running) -> None:
        self._canceller = asyncio.get_running_loop().create_task(self._cancel(running))
        self._set_timer(self.order.kill_after_s + CANCEL_OVERDUE_S, self._give_up)

    async def _live(self) -> None:
        self._entered = True
        try:
            outcome = self._settled(await self._run())
        # An executor's fault, be it a sys.exit, ends its attempt and not the host.
        except BaseException as error:  # noqa: BLE001
            outcome = self._fault(error)
        self._end(outcome)

    async def _run(self) -> Outcome:
        if self._reason is not None and self._found is None:
            return Outcome(Status.CANCELLED)
        began_before = self.began_us is not None
        try:
            running = await self._begun()
        except ExecutorError as error:
            if began_before:
                return Outcome(Status.LOST, message=error.message)
            raise
        self._running = running
        if not began_before:
            self.began_us = clock.now_us()
            self._handles.began(self.order, running, self.began_us)
            self._on_began(self)
        if self._reason is not None and self._canceller is None:
            self._begin_cancel(running)
        outcome = sound(await running.wait())
        expect = self.order.expect
        return outcome if expect is None else self._judged(expect, outcome)

    async def _begun(self) -> Running:
        """Start it, or find it again where an earlier host has started it."""
        order = self.order
        if "/" in order.key or "\0" in order.key:
            raise ExecutorError("its key cannot name an output file")
        if order.secrets or has_placeholders(order.config, self._executor.config):
            order = self._prepared(order)
        try:
            config = msgspec.convert(order.config, self._executor.config)
        except msgspec.ValidationError as error:
            raise ExecutorError(f"{order.executor}: {error}") from error
        if self._found is not None:
            finder = cast("Reattaching", self._executor)
            try:
                return await finder.reattach(order, config, self._sink, self._found.handle)
            except ExecutorError:
                if self._found.began is not None:
                    raise
        self._handles.starting(self.order, config)
        return await self._executor.start(order, config, self._sink)

    def _prepared(self, order: Order) -> Order:
        """The order with its secrets and its placeholders filled in.

        One that runs already needs none of them, but for its output to stay without them.
        """
        try:
            secrets = resolve(order.secrets, os.environ.get(FOLDER_VARIABLE))
        except ExecutorError:
            if self.began_us is None:
                raise
            return order
        if secrets:
            self._mask = Mask(list(secrets.values()))
            self._sink.mask(self._mask)
        values = values_of(order.env, secrets)
        try:
            config = render(order.config, self._executor.config, values)
        except ValueError as error:
            raise ExecutorError(f"{order.executor}: {error}") from error
        return msgspec.structs.replace(order, config=config, env={**order.env, **secrets})

    def _judged(self, expect: Expect, outcome: Outcome) -> Outcome:
        outcome = by_exit_code(expect, outcome)
        if outcome.status is not Status.SUCCEEDED or not reads_output(expect):
            return outcome
        self._sink.flush()
        stdout, stderr = (_ends_of(name) for name in self._sink.names)
        return by_output(expect, outcome, stdout, stderr)

    async def _cancel(self, running: Running) -> None:
        try:
            await running.cancel(self.order.kill_after_s)
        except BaseException as error:  # noqa: BLE001 - as above
            self._print(error)
            self._give_up()

    def _give_up(self) -> None:
        """Cancel the executor's code; where that goes on all the same, end without it."""
        assert self._task is not None
        self._task.cancel()
        self._set_timer(LET_GO_S, self._end_without_it)

    def _set_timeout(self, left_s: float) -> None:
        if 0 < self.order.timeout_s < math.inf:
            self._set_timer(left_s, lambda: self.stop(Status.TIMED_OUT))

    def _set_timer(self, after_s: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(after_s, then)

    def _end_without_it(self) -> None:
        assert self._reason is not None
        message = f"{self._why()}; its executor does not let go of it"
        self._end(Outcome(self._reason, message=message))

    def _end(self, outcome: Outcome) -> None:
        if self.outcome is not None:
            return  # it was given up before
        if self._timer is not None:
            self._timer.cancel()
        self._sink.close()
        self._running = None
        self.outcome = outcome
        self.ended_us = clock.now_us()
        self._on_ended(self)

    def _settled(self, outcome: Outcome) -> Outcome:
        message = outcome.message
        status = outcome.status
        if status is Status.CANCELLED and self._reason is not None:
            status = self._reason
            message = f"{self._why()}; {message}" if message else self._why()
        elif status in _NOT_ITS_TO_SAY:
            message = f"its executor says {status}, which it cannot know; {message}"
            status = Status.FAILED
        facts = outcome.facts
        if self._mask is not None:
            message, facts = self._mask.text(message), self._mask.plain(facts)
        if message:
            message = one_line(message)
        if status is outcome.status and facts is outcome.facts and message == outcome.message:
            return outcome
        return msgspec.structs.replace(outcome, status=status, message=message, facts=facts)

    def _fault(self, error: BaseException) -> Outcome:
        if self._reason is not None:
            return Outcome(self._reason, message=self._why())
        if isinstance(error, ExecutorError):
            exit_code = error.exit_code if isinstance(error, CannotStart) else None
            text = f"{error.message}; {error.hint}" if error.hint else error.message
            return Outcome(Status.FAILED, exit_code, self._said(text))
        self._print(error)
        return Outcome(Status.FAILED, message=self._said(f"{type(error).__name__}: {error}"))

    def _print(self, error: BaseException) -> None:
        text = "".join(traceback.format_exception(error))
        with contextlib.suppress(OSError, ValueError):  # an executor may have closed the log
            sys.stderr.write(text if self._mask is None else self._mask.text(text))
            sys.stderr.flush()

    def _said(self, text: str) -> str:
        return one_line(text if self._mask is None else self._mask.text(text))

    def _why(self) -> str:
        if self._reason is Status.TIMED_OUT:
            return f"no end after {format_duration(self.order.timeout_s)}"
        return "cancelled"


def _ends_of(path: str) -> bytes:
    """A whole output file, or of a long one its two ends."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path less
            size = os.fstat(file.fileno()).st_size
            if size <= EXPECT_BYTES_MAX:
                return file.read()
            head = file.read(EXPECT_BYTES_MAX // 2)
            file.seek(size - EXPECT_BYTES_MAX // 2)
            return head + b"\n" + file.read(EXPECT_BYTES_MAX // 2)
    except FileNotFoundError:  # nothing was written
        return b""
