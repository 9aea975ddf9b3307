"""The agent's end of the executor hosts: starts them, finds them again, speaks with them.

A host that was started lets go of its stdout when it listens, so the end of that pipe says when to
connect. A connection that ends does not say that its host did: a host which was about to end may
have changed its mind. Only when it takes no connection and its process is over is it gone.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from typing import Final

import msgspec

from tocsin.errors import ProtocolError
from tocsin.hosting import (
    HANDLES_SUFFIX,
    SETTINGS_VARIABLE,
    FromHost,
    HostHealth,
    HostReport,
    Settings,
    StartRuns,
    ToHost,
)
from tocsin.instants import SECOND_US
from tocsin.link import Waiter
from tocsin.log import Log

from .host_launch import host_launch
from .host_socket import HostSocket, connect
from .machine.events import Event, HostFailed, HostGone, HostHealthSaid, HostMet, HostSaid

START_US: Final = 30 * SECOND_US
"""A host that does not answer for so long after its start is killed; it has no runs yet."""
RETRY_US: Final = 50_000
_EXIT_ALREADY_HOSTED: Final = 3
_COMPLAINT_BYTES_MAX: Final = 4096


class _Host:
    """One executor's host, from the wish for one to its end."""

    def __init__(self, executor: str) -> None:
        self.executor = executor
        self.pid = 0
        self.is_child = False
        self.deadline_us: int | None = None
        """When it counts as failed to start; None once it answered, or if it was not started."""
        self.retry_us: int | None = None
        self.identity = ""
        self.socket: HostSocket | None = None
        self.ready_fd = -1
        """The stdout it was given."""
        self.pid_fd = -1
        self.complaint = b""
        self.unsent: list[ToHost] = []
        """What could not be sent since the connection ended."""


class Hosts:
    """The hosts of all executors. Each method says what has happened meanwhile, as events."""

    def __init__(
        self,
        run_dir: str,
        out_dir: str,
        secrets_dir: str,
        settings_of: Callable[[str], Settings | None],
        waiter: Waiter,
        log: Log,
    ) -> None:
        self._secrets_dir = secrets_dir
        self._settings_of = settings_of
        self._run_dir = run_dir
        self._out_dir = out_dir
        self._waiter = waiter
        self._log = log
        self._folder = os.open(run_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._hosts: dict[str, _Host] = {}
        self._on_ready: dict[int, Callable[[int], list[Event]]] = {}
        self._unreaped: list[int] = []

    # What the agent wants.

    def seek(self, executor: str) -> list[Event]:
        """Connect to the host that an earlier agent may have started."""
        host = self._hosts[executor] = _Host(executor)
        if self._try_connect(host):
            return []
        del self._hosts[executor]
        return [HostGone(executor, "there is none", [], self._has_handles(executor))]

    def start(self, executor: str, now_us: int) -> list[Event]:
        """Start a host."""
        self._unreaped = [pid for pid in self._unreaped if os.waitpid(pid, os.WNOHANG)[0] == 0]
        host = self._hosts[executor] = _Host(executor)
        host.deadline_us = now_us + START_US
        return self._spawn(host)

    def send(self, executor: str, message: ToHost) -> None:
        """Send as soon as the host takes it; what it never takes comes back with its end."""
        host = self._hosts.get(executor)
        if host is None:
            return  # its end is about to be told, and ends what was to be sent
        if host.socket is None or not host.identity:
            host.unsent.append(message)
        else:
            host.socket.send(message)

    def deadline_us(self) -> int | None:
        """When `tick` is needed, on the steady clock."""
        instants = []
        for host in self._hosts.values():
            instants += [at for at in (host.deadline_us, host.retry_us) if at is not None]
            if host.socket is not None and host.socket.retry_us is not None:
                instants.append(host.socket.retry_us)
        return min(instants, default=None)

    def owns(self, fd: int) -> bool:
        """Whether a descriptor of the waiter belongs to a host."""
        return fd in self._on_ready

    def ready(self, fd: int, now_us: int) -> list[Event]:
        """A descriptor is readable."""
        return self._on_ready[fd](now_us)

    def tick(self, now_us: int) -> list[Event]:
        """Do what time alone asks for."""
        events: list[Event] = []
        for host in list(self._hosts.values()):
            if host.socket is not None:
                host.socket.flush(now_us)
            if host.deadline_us is not None and now_us >= host.deadline_us:
                events += self._give_up(host)
            elif host.retry_us is not None and now_us >= host.retry_us:
                host.retry_us = None
                if not self._try_connect(host):
                    events += self._spawn(host)
        return events

    def close(self) -> None:
        """Hang up; the hosts go on."""
        for host in self._hosts.values():
            if host.socket is not None:
                host.socket.flush(0)
                host.socket.close()
        os.close(self._folder)

    # Starting.

    def _spawn(self, host: _Host) -> list[Event]:
        variables = {"TOCSIN_SECRETS": self._secrets_dir}
        settings = self._settings_of(host.executor)
        if settings is not None and (settings.defaults or settings.use != settings.name):
            variables[SETTINGS_VARIABLE] = msgspec.json.encode(settings).decode()
        ready, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            argv, environ = host_launch(host.executor, self._run_dir, self._out_dir, variables)
            os.set_blocking(write_end, True)
            host.pid = os.posix_spawnp(
                argv[0],
                argv,
                environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, write_end, 1),
                    (os.POSIX_SPAWN_DUP2, write_end, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE),
            )
        except OSError as error:
            os.close(ready)
            del self._hosts[host.executor]
            return [HostFailed(host.executor, f"cannot start its host: {error.strerror}")]
        finally:
            os.close(write_end)
        host.is_child = True
        host.complaint = b""
        host.ready_fd = ready
        self._watch(ready, lambda now_us: self._hear_start(host, now_us))
        return []

    def _hear_start(self, host: _Host, now_us: int) -> list[Event]:
        try:
            data = os.read(host.ready_fd, _COMPLAINT_BYTES_MAX)
        except BlockingIOError:
            return []
        if data:
            host.complaint = (host.complaint + data)[-_COMPLAINT_BYTES_MAX:]
            return []
        host.ready_fd = self._let_go(host.ready_fd)
        return [] if self._try_connect(host) else self._await_end(host, now_us)

    def _give_up(self, host: _Host) -> list[Event]:
        if host.is_child:
            os.kill(host.pid, signal.SIGKILL)
            self._unreaped.append(host.pid)  # it may be stuck in the kernel: nobody waits for it
        self._forget(host)
        return [HostFailed(host.executor, f"its host did not answer in {START_US // SECOND_US} s")]

    # Connecting.

    def _try_connect(self, host: _Host) -> bool:
        """Connect, if somebody listens there."""
        connection = connect(self._folder, f"{host.executor}.sock")
        if connection is None:
            return False
        host.socket = HostSocket(connection)
        self._watch(connection.fileno(), lambda now_us: self._hear(host, now_us))
        return True

    def _hear(self, host: _Host, now_us: int) -> list[Event]:
        assert host.socket is not None
        events: list[Event] = []
        try:
            for message in host.socket.receive():
                events += self._heard(host, message)
        except ProtocolError as error:
            self._log.error("host.garbled", executor=host.executor, reason=error.message)
            host.socket.is_over = True
        if host.socket.is_over:
            events += self._lose(host, now_us)
        return events

    def _heard(self, host: _Host, message: FromHost) -> list[Event]:
        if isinstance(message, HostHealth):
            return [HostHealthSaid(host.executor, message.health)]
        if isinstance(message, HostReport):
            return [HostSaid(host.executor, message)]
        if host.is_child and host.pid != message.pid:  # it was started by somebody else, for us
            host.is_child = False
            self._unreaped.append(host.pid)
        host.pid = message.pid
        host.identity = f"{message.pid}:{_start_time(message.pid)}"
        host.deadline_us = None
        host.unsent.clear()  # what is missing there is sent again in answer to this
        return [HostMet(host.executor, host.identity, message)]

    def _lose(self, host: _Host, now_us: int) -> list[Event]:
        """The connection ended: connect again, or wait for the end of the process."""
        assert host.socket is not None
        host.unsent += host.socket.unsent()
        self._unwatch(host.socket.fileno())
        host.socket.close()
        host.socket, host.identity = None, ""
        return [] if self._try_connect(host) else self._await_end(host, now_us)

    # The end.

    def _await_end(self, host: _Host, now_us: int) -> list[Event]:
        if not host.pid:  # it never said hello, and is not ours
            return self._ended(host, "it does not answer", None, now_us)
        try:
            host.pid_fd = os.pidfd_open(host.pid)
        except ProcessLookupError:
            return self._ended(host, "it ended", None, now_us)
        self._watch(host.pid_fd, lambda at_us: self._reap(host, at_us))
        return []

    def _reap(self, host: _Host, now_us: int) -> list[Event]:
        if not _is_over(host.pid_fd):
            return []
        if not host.is_child:
            return self._ended(host, "it ended", None, now_us)
        _, status = os.waitpid(host.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        return self._ended(host, f"it ended with {how}", code, now_us)

    def _ended(self, host: _Host, how: str, code: int | None, now_us: int) -> list[Event]:
        if host.pid_fd >= 0:
            host.pid_fd = self._let_go(host.pid_fd)
        host.is_child = False
        if code == _EXIT_ALREADY_HOSTED and host.deadline_us is not None:
            host.retry_us = now_us + RETRY_US  # an earlier one is still there, or is about to end
            return []
        self._forget(host)
        if host.deadline_us is not None:  # it never answered
            said = host.complaint.decode(errors="replace").strip().rpartition("\n")[2]
            return [HostFailed(host.executor, said or how)]
        orders = [m for m in host.unsent if isinstance(m, StartRuns)]
        unsent = [o.key for m in orders for o in m.orders]
        return [HostGone(host.executor, how, unsent, self._has_handles(host.executor))]

    def _has_handles(self, executor: str) -> bool:
        try:
            return bool(os.listdir(f"{self._run_dir}/{executor}{HANDLES_SUFFIX}"))  # noqa: PTH208 - names are all that is wanted
        except OSError:
            return False

    def _forget(self, host: _Host) -> None:
        if host.ready_fd >= 0:
            host.ready_fd = self._let_go(host.ready_fd)
        if host.pid_fd >= 0:
            host.pid_fd = self._let_go(host.pid_fd)
        if host.socket is not None:
            self._unwatch(host.socket.fileno())
            host.socket.close()
            host.socket = None
        del self._hosts[host.executor]

    # Descriptors.

    def _watch(self, fd: int, on_ready: Callable[[int], list[Event]]) -> None:
        self._on_ready[fd] = on_ready
        self._waiter.add(fd)

    def _unwatch(self, fd: int) -> None:
        self._waiter.remove(fd)
        del self._on_ready[fd]

    def _let_go(self, fd: int) -> int:
        """Close a descriptor that was watched; -1."""
        self._unwatch(fd)
        os.close(fd)
        return -1


def _is_over(pid_fd: int) -> bool:
    poll = select.poll()
    poll.register(pid_fd, select.POLLIN)
    return bool(poll.poll(0))


def _start_time(pid: int) -> str:
    """When a process started, in clock ticks since boot, see proc(5); no two share id and time."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib is not worth it
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""
