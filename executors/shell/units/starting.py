"""Starts runs as units. Everything that can be found out before is found out before.

So what is wrong with a run is said in the words of a process that is spawned by hand, whatever
systemd would say of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Final, NamedTuple

import msgspec

from tocsin.errors import ExecutorError
from tocsin.execution import Order, Sink
from tocsin.executors.refusal import CannotStart
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.identity import runner_of
from tocsin.executors.shell.outputs import made_ready, names_of
from tocsin.executors.shell.process import Terms
from tocsin.executors.shell.surroundings import (
    inside,
    nameless_file,
    open_input,
    surroundings,
)
from tocsin.executors.shell.wrapping import FAILURES, own_words

from . import properties
from .failures import not_executed
from .programs import Words, words_of
from .properties import Property, Streams
from .run import UnitRun, Watch
from .system_bus import BusError

VERSION: Final = 1


class Handle(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a run so that another host finds it."""

    version: int
    unit: str


class _Plan(NamedTuple):
    """A unit that is ready to be started."""

    properties: list[Property]
    terms: Terms
    path: str
    """Of the program that systemd executes."""


class UnitStarter:
    """Starts runs as units, and finds those again that an earlier host started."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._host_dir = os.open(".", os.O_PATH | os.O_DIRECTORY)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, unit: str, order: Order, config: ShellConfig, sink: Sink) -> UnitRun:
        """Start one attempt, or find it if it was started before.

        What was asked of systemd happens: where nobody wants the run any more, it is started all
        the same, and its end is for whoever gets it.

        Raises:
            CannotStart: and says why in one line.
        """
        starting = asyncio.ensure_future(self._start(unit, order, config, sink))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            return await starting

    async def _start(self, unit: str, order: Order, config: ShellConfig, sink: Sink) -> UnitRun:
        systemd = self._watch.systemd
        with contextlib.ExitStack() as files:
            plan = self._planned(order, config, sink, files)
            try:
                if not await systemd.start(unit, plan.properties):
                    code, result = await systemd.ended(unit), await systemd.result(unit)
                    if refusal := not_executed(plan.path, config, code, result):
                        await systemd.let_go(unit)
                        raise refusal
                run = UnitRun(unit, handle_of(unit), plan.terms, order.limits)
                await run.watch(self._watch)
            except BusError as error:
                raise CannotStart(f"systemd does not take its unit: {error}") from error
        return run

    async def reattach(self, order: Order, config: ShellConfig, handle: bytes) -> UnitRun:
        """Find an attempt again.

        Raises:
            ExecutorError: its unit is gone.
        """
        unit = unit_of(handle)
        if not await self._watch.systemd.is_loaded(unit):
            raise ExecutorError(f"its unit {unit} is gone")
        terms = Terms(order.key, config.success_codes, {}, None)
        run = UnitRun(unit, handle, terms, order.limits)
        await run.watch(self._watch)
        return run

    def forget(self, handle: bytes) -> None:
        """Have systemd forget a unit, soon."""
        task = asyncio.get_running_loop().create_task(self._watch.systemd.let_go(unit_of(handle)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _planned(
        self, order: Order, config: ShellConfig, sink: Sink, files: contextlib.ExitStack
    ) -> _Plan:
        around = surroundings(runner_of(order, config), order, config)
        out, err = names_of(sink)
        said_bytes = made_ready(out, err)
        with inside(around, self._host_dir):
            stdin = files.enter_context(open_input(config, around.who))
            words = words_of(order, config, around)
            around = around._replace(cwd=os.getcwd())  # noqa: PTH109 - text
        wanted = [
            *properties.service(order),
            *properties.limits(order),
            *properties.execution(words.program, config, around, words.variables.shown),
            *properties.streams(Streams(_path_of(stdin), out, err)),
            *_environment_file(words, files),
        ]

        def complaint(code: int) -> str:
            return own_words(words.wrapped, err, said_bytes) if code in FAILURES else ""

        terms = Terms(order.key, config.success_codes, {}, complaint if words.wrapped else None)
        return _Plan(wanted, terms, words.program.path)


def handle_of(unit: str) -> bytes:
    """What is kept of a unit."""
    return msgspec.msgpack.encode(Handle(VERSION, unit))


def unit_of(handle: bytes) -> str:
    """The unit of a handle.

    Raises:
        ExecutorError: it is none of ours.
    """
    try:
        found = msgspec.msgpack.decode(handle, type=Handle)
    except msgspec.MsgspecError as error:
        raise ExecutorError(f"its handle makes no sense: {error}") from error
    if found.version != VERSION:
        raise ExecutorError(f"its handle is of version {found.version}; {VERSION} is known here")
    return found.unit


def _environment_file(words: Words, files: contextlib.ExitStack) -> list[Property]:
    hidden = words.variables.hidden
    if not hidden:
        return []
    fd = nameless_file(properties.environment_file(hidden))
    files.callback(os.close, fd)
    return [("EnvironmentFiles", ("a(sb)", [(_path_of(fd), False)]))]


def _path_of(fd: int | None) -> str | None:
    """A path by which systemd opens what is open here, for as long as it is."""
    return None if fd is None else f"/proc/{os.getpid()}/fd/{fd}"
