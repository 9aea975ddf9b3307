"""One executor's process: `python -m tocsin.executors.host NAME RUN_DIR OUT_DIR [IDLE_S]`.

It outlives the agent that started it. What it holds, and tells each agent that connects, are the
attempts under way and the outcomes that no agent has confirmed. Output goes to
`OUT_DIR/<key>.out` and `.err`; its own log is `RUN_DIR/NAME.log`. It lets go of the stdout it was
given once it listens, so whoever waits for it can read a pipe there to its end. As a unit of
systemd's it tells that instead, and its log is the journal.

Its environment may hold `Settings` (`TOCSIN_EXECUTOR`, see `tocsin.hosting`): another executor than
the one of its name, and keys that are laid under those of each block.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import os
import signal
import socket
import sys
from collections import deque
from typing import Final, assert_never

import msgspec

from tocsin import clock
from tocsin.errors import ExecutorError
from tocsin.execution import AttemptKey, Executor, Health, Order, Status, load_executor
from tocsin.hosting import (
    HOST_IDLE_S,
    SETTINGS_VARIABLE,
    CancelRuns,
    Confirm,
    HostHealth,
    Retire,
    RunBegan,
    RunEnded,
    Settings,
    StartRuns,
    ToHost,
)
from tocsin.wire import encode

from .agent_link import AgentLink, hello_messages, report_messages
from .agent_user import agent_of
from .attempt import Attempt
from .handles import Found, Handles
from .health_watch import HealthWatch
from .output_files import OutputFiles, SpareFiles

EXIT_USAGE: Final = 2
EXIT_ALREADY_HOSTED: Final = 3
EXIT_NO_EXECUTOR: Final = 4
STARTS_MAX: Final = 8
"""Starts in one turn of the loop: ends and cancels are seen between the turns."""
LOG_BYTES_MAX: Final = 1 << 20
LARGE_BLOCK_BYTES: Final = 512 << 10
YOUNG_S: Final = 0.01
"""An attempt that is over so soon needs no timer, nor word of its begin: its end tells both."""


class ExecutorHost:
    """The attempts of one executor, and the agent that is told of them."""

    def __init__(self, executor: Executor, settings: Settings, out_dir: str, idle_s: float) -> None:
        self.over = asyncio.Event()
        self.leaves_runs = False
        """Whether it is over with runs under way, which go on."""
        self.spares = SpareFiles(f"{out_dir}.spare", settings.name)
        self._loop = asyncio.get_running_loop()
        self._executor = executor
        self._defaults = settings.defaults
        self._out_dir = out_dir
        self._idle_s = idle_s
        self._emptied_at = self._loop.time()
        self._retiring = False
        self._terminating = False
        self._agent: AgentLink | None = None
        self._live: dict[AttemptKey, Attempt] = {}
        self._unstarted: deque[Attempt] = deque()
        self._unconfirmed: dict[AttemptKey, RunEnded] = {}
        self._young: dict[AttemptKey, Attempt] = {}
        """Attempts that were started within `YOUNG_S`."""
        self._growing: asyncio.TimerHandle | None = None
        self._began: list[RunBegan] = []
        self._ended: list[RunEnded] = []
        self._report_due = False
        folder = os.getcwd()  # noqa: PTH109 - text
        self._owner = agent_of(folder)
        self._handles = Handles(executor, folder, settings.name, self._settled)
        for found in self._handles.find():
            self._resume(found)
        if self._owner is not None:
            self._owner.give_folder(self._handles.folder)
        self._loop.call_later(idle_s, self._check_idle)
        self.health = HealthWatch(executor, self._say_health)

    # The link.

    def met(self, link: AgentLink) -> None:
        """Hear an earlier connection out, then tell the new one everything held."""
        if self.over.is_set():
            link.close()  # without a hello, so that no order is given to a host that ends
            return
        earlier, self._agent = self._agent, link
        if earlier is not None:
            earlier.drain()
            earlier.close()
        self._began.clear()
        self._ended.clear()
        now_us = clock.now_us()
        running = [RunBegan(key, run.began_us or now_us) for key, run in self._live.items()]
        for data in hello_messages(running, list(self._unconfirmed.values())):
            link.send(data)
        if self.health.latest is not None:
            self._say_health(self.health.latest)

    def _say_health(self, health: Health) -> None:
        if self._agent is not None:
            self._agent.send(encode(HostHealth(health)))

    def parted(self, link: AgentLink) -> None:
        """Go on without an agent."""
        if self._agent is link:
            self._agent = None

    def told(self, message: ToHost) -> None:
        """Do what the agent asks."""
        match message:
            case StartRuns(orders):
                self._take(orders)
            case CancelRuns(keys):
                for key in keys:
                    if attempt := self._live.get(key):
                        attempt.stop(Status.CANCELLED)
            case Confirm(keys):
                for key in keys:
                    if self._unconfirmed.pop(key, None) is not None:
                        self._handles.confirmed(key)
                self._settled()
            case Retire():
                self.retire()
            case _:
                assert_never(message)

    # Attempts.

    def _take(self, orders: list[Order]) -> None:
        idle = not self._unstarted
        for order in orders:
            key = order.key
            if key in self._live or key in self._unconfirmed:
                continue
            if self._defaults:
                config = {**self._defaults, **order.config}
                order = msgspec.structs.replace(order, config=config)
            self._unstarted.append(self._attempt(order))
        if idle and self._unstarted:
            self._start_some()

    def _attempt(self, order: Order) -> Attempt:
        sink = OutputFiles(f"{self._out_dir}/{order.key}", order.keep_bytes, self.spares)
        if self._owner is not None:
            self._owner.make_files(sink.names)
        attempt = Attempt(
            order, self._executor, sink, self._handles, self._on_began, self._on_ended
        )
        self._live[order.key] = attempt
        return attempt

    def _resume(self, found: Found) -> None:
        """Take on what an earlier host left: an end that nobody confirmed, or a run."""
        if found.end is not None:
            self._unconfirmed[found.end.key] = found.end
        else:
            self._attempt(found.order).resume(self._loop, found)

    def _start_some(self) -> None:
        for _ in range(min(STARTS_MAX, len(self._unstarted))):
            attempt = self._unstarted.popleft()
            attempt.begin(self._loop)
            self._young[attempt.order.key] = attempt
        if self._growing is None:
            self._growing = self._loop.call_later(YOUNG_S, self._grown)
        if self._unstarted:
            self._loop.call_soon(self._start_some)

    def _grown(self) -> None:
        young, self._young = self._young, {}
        self._growing = None
        for attempt in young.values():
            attempt.keep_time()
            if attempt.began_us is not None:
                self._on_began(attempt)

    def _on_began(self, attempt: Attempt) -> None:
        key = attempt.order.key
        if key not in self._young:
            assert attempt.began_us is not None
            self._began.append(RunBegan(key, attempt.began_us))
            self._report_soon()

    def _on_ended(self, attempt: Attempt) -> None:
        key = attempt.order.key
        assert attempt.outcome is not None
        end = RunEnded(key, attempt.began_us, attempt.ended_us, attempt.outcome)
        del self._live[key]
        self._handles.ended(end)
        self._unconfirmed[key] = end
        self._ended.append(end)
        if self._young.pop(key, None) is not None and not self._young:
            assert self._growing is not None
            self._growing.cancel()
            self._growing = None
        if self._live:
            self._report_soon()
        else:  # none is left that could end in the same turn
            self._report()

    def _report_soon(self) -> None:
        if not self._report_due:
            self._report_due = True
            self._loop.call_soon(self._report)

    def _report(self) -> None:
        self._report_due = False
        began, ended = self._began, self._ended
        self._began, self._ended = [], []
        if self._agent is not None and (began or ended):
            for data in report_messages(began, ended):
                self._agent.send(data)

    # The end.

    def retire(self) -> None:
        """End as soon as nothing is held."""
        self._retiring = True
        self._end_soon()

    def terminate(self) -> None:
        """SIGTERM: retire when nothing runs; else end once the next host finds all that is held.

        Other runs are not given up for it.
        """
        self._terminating = True
        if self._live:
            self._leave_if_succeeded()
        else:
            self.retire()

    def _leave_if_succeeded(self) -> None:
        runs, held = self._live.values(), [*self._live, *self._unconfirmed]
        if all(it.began_us is not None for it in runs) and all(map(self._handles.holds, held)):
            self.leaves_runs = True
            self.over.set()

    def _holds_something(self) -> bool:
        return bool(self._live or self._unconfirmed or not self._handles.are_settled)

    def _settled(self) -> None:
        if self._holds_something():
            if self._terminating:
                self._leave_if_succeeded()
            return
        self._emptied_at = self._loop.time()
        if self._retiring:
            self._end_soon()

    def _end_soon(self) -> None:
        # An order may follow in what was read already: it is heard before.
        self._loop.call_soon(self._end_if_empty)

    def _check_idle(self) -> None:
        left_s = self._emptied_at + self._idle_s - self._loop.time()
        if self._holds_something():
            left_s = self._idle_s
        elif left_s <= 0:
            self._end_if_empty()
            left_s = self._idle_s
        if not self.over.is_set():
            self._loop.call_later(left_s, self._check_idle)

    def _end_if_empty(self) -> None:
        if self._holds_something():
            return
        # An order may be on its way at this very moment: no more are let in, the last are read.
        agent = self._agent
        if agent is not None:
            agent.shut()
        if not self._holds_something():
            self.over.set()
        elif agent is not None:
            agent.close()


def main(arguments: list[str]) -> int:
    """Host the executor that the arguments name; the process's exit code."""
    try:
        name, run_dir, out_dir, *rest = arguments
        idle_s = float(rest[0]) if rest else HOST_IDLE_S
    except (ValueError, IndexError):
        sys.stderr.write("usage: python -m tocsin.executors.host NAME RUN_DIR OUT_DIR [IDLE_S]\n")
        return EXIT_USAGE
    out_dir = os.path.abspath(out_dir)  # noqa: PTH100 - resolves no links
    _leave_the_agent()
    os.chdir(run_dir)  # relative from here on: a socket's path holds 107 bytes at most
    lock = os.open(f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return EXIT_ALREADY_HOSTED
    try:
        settings = _settings(name)
        executor = _make(settings.use or name)
    except ExecutorError as error:
        sys.stderr.write(f"{error.message}\n")
        return EXIT_NO_EXECUTOR
    _keep_large_blocks()
    asyncio.run(_serve(executor, settings, out_dir, idle_s))
    return 0


def _settings(name: str) -> Settings:
    text = os.environ.get(SETTINGS_VARIABLE) or "{}"
    try:
        settings = msgspec.json.decode(text, type=Settings)
    except msgspec.DecodeError as error:
        raise ExecutorError(f"{SETTINGS_VARIABLE}: {error}") from error
    return msgspec.structs.replace(settings, name=name)


def _make(use: str) -> Executor:
    executor = load_executor(use)
    try:
        return executor()
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}"
        raise ExecutorError(f"executor {use!r} cannot be constructed: {what}") from error


def _leave_the_agent() -> None:
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # whatever lock or socket the agent let slip
    with contextlib.suppress(PermissionError):  # it leads its session already
        os.setsid()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)


def _keep_large_blocks() -> None:
    """Spare each read of a socket two page faults and three calls of the kernel.

    asyncio reads into 256 KiB. The C library has a mapping made and undone for each block that is
    larger than any such block freed before, see `M_MMAP_THRESHOLD` in mallopt(3).
    """
    bytes(LARGE_BLOCK_BYTES)


def _redirect(log: str) -> None:
    """Hold on to nothing of the agent's: its terminal and pipes must be free to close."""
    null = os.open(os.devnull, os.O_RDWR)
    log_fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if os.fstat(log_fd).st_size > LOG_BYTES_MAX:
        os.ftruncate(log_fd, 0)
    for fd, target in ((null, 0), (null, 1), (log_fd, 2)):
        os.dup2(fd, target)
    os.close(null)
    os.close(log_fd)


def _tell_systemd() -> None:
    """It is a unit of its own: what it says goes to the journal."""
    from tocsin.service_manager import ServiceManager

    manager = ServiceManager(os.environ, os.getpid())
    manager.ready("takes runs")
    manager.close()
    del os.environ["NOTIFY_SOCKET"]  # no run is to speak for it


async def _serve(executor: Executor, settings: Settings, out_dir: str, idle_s: float) -> None:
    path = f"{settings.name}.sock"
    loop = asyncio.get_running_loop()
    host = ExecutorHost(executor, settings, out_dir, idle_s)
    loop.add_signal_handler(signal.SIGTERM, host.terminate)
    for stale in (path, f"{path}.new"):  # we hold the lock, so whoever made them is dead
        with contextlib.suppress(FileNotFoundError):
            os.unlink(stale)  # noqa: PTH108
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.settimeout(0)
    listener.bind(f"{path}.new")
    os.chmod(f"{path}.new", 0o600)  # noqa: PTH101
    if (owner := agent_of(".")) is not None:
        owner.give(f"{path}.new")
    listener.listen(16)
    os.rename(f"{path}.new", path)  # noqa: PTH104 - who finds it can connect to it
    server = await loop.create_unix_server(lambda: AgentLink(host), sock=listener)
    if "NOTIFY_SOCKET" in os.environ:
        _tell_systemd()
    else:
        _redirect(f"{settings.name}.log")
    gc.collect()
    gc.freeze()
    await host.over.wait()
    if loop.get_debug():
        sys.stderr.write(f"host.tasks_left {len(asyncio.all_tasks()) - 1}\n")
    host.spares.close()
    host.health.close()
    os.unlink(path)  # noqa: PTH108
    if host.leaves_runs:
        os._exit(0)  # as if it was killed: nothing is to be done to them on the way out
    server.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
