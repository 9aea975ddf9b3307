"""Starts runs as units. Everything that can be found out before is found out before.

So what is wrong with a run is said in the words of a process that is spawned by hand, whatever
systemd would say of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Any

from tocsin.environment_file import environment_file
from tocsin.errors import ExecutorError
from tocsin.execution import Order, Sink
from tocsin.executors.refusal import CannotStart
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.identity import runner_of
from tocsin.executors.shell.outputs import made_ready, names_of
from tocsin.executors.shell.process import Terms
from tocsin.executors.shell.surroundings import (
    enter,
    nameless_file,
    open_input,
    surroundings,
)
from tocsin.executors.shell.wrapping import FAILURES, own_words

from . import properties
from .failures import not_executed
from .handle import handle_of, unit_of
from .programs import install_launcher, program_of
from .properties import Property
from .run import UnitRun, Watch
from .system_bus import BusError


class UnitStarter:
    """Starts runs as units, and finds those again that an earlier host started."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._host_dir = os.open(".", os.O_PATH | os.O_DIRECTORY)
        install_launcher()

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
            properties, terms = self._planned(order, config, sink, files)
            try:
                if not await systemd.start(unit, properties):
                    main, result = await systemd.main(unit), await systemd.result(unit)
                    if refusal := not_executed(config, main.code, result):
                        await systemd.let_go(unit)
                        raise refusal
                run = UnitRun(unit, handle_of(unit), terms, order.limits)
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

    async def forget(self, handle: bytes) -> None:
        """Have systemd forget a unit whose main process ended; what that left behind lives on."""
        unit = unit_of(handle)
        await self._watch.systemd.let_go(unit, self._watch.codes.pop(unit, None))

    def _planned(
        self, order: Order, config: ShellConfig, sink: Sink, files: contextlib.ExitStack
    ) -> tuple[list[Property], Terms]:
        """The properties of a unit, and what its end is judged by; `files` must stay till then."""
        around = surroundings(runner_of(order, config), order, config)
        out, err = names_of(sink)
        said_bytes = made_ready(out, err)
        enter(around)
        try:
            stdin = open_input(config, around.who)
            if stdin is not None:
                files.callback(os.close, stdin)
            program = program_of(order, config, around)
        finally:
            os.fchdir(self._host_dir)
        variables = nameless_file(environment_file(program.env))
        files.callback(os.close, variables)
        wanted = [
            *properties.service(order),
            *properties.limits(order),
            *properties.execution(program, config, around.who, _path_of(variables)),
            *properties.streams(None if stdin is None else _path_of(stdin), out, err),
        ]

        def complaint(code: int) -> str:
            return own_words(program.in_front, err, said_bytes) if code in FAILURES else ""

        facts: dict[str, Any] = {}
        return wanted, Terms(order.key, config.success_codes, facts, complaint)


def _path_of(fd: int) -> str:
    """A path by which systemd opens what is open here, for as long as it is."""
    return f"/proc/{os.getpid()}/fd/{fd}"
