"""The loop: drain what is ready, decide, write the journal once, and only then act.

::

    coordinator, hosts, output ─► machine.handle …
                                        │
                                  spool.append       one write for all of it
                                        │
                                  machine.handle(Stored) ─► orders to hosts, reports
"""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Callable
from typing import Final, assert_never

from tocsin import __version__, clock, wire
from tocsin.errors import ConfigError, ProtocolError, StoreError
from tocsin.instants import SECOND_US, Now
from tocsin.keys import KeyPair, read_keypair
from tocsin.link import Dialer, Hub, Waiter
from tocsin.log import Log
from tocsin.messages.agent_link import FromAgent, ToAgent
from tocsin.service_manager import ServiceManager, reload_signals

from .config import NEED_A_RESTART, AgentConfig
from .host_launch import usual_drain_s
from .hosts import Hosts
from .inventory import installed_executors, machine_tags
from .machine.commands import (
    Command,
    DropOutput,
    Exit,
    FinishOutput,
    FollowOutput,
    Journal,
    LeaveOutput,
    Note,
    ProbeExecutors,
    Redial,
    ResumeOutput,
    Send,
    StartHost,
    SweepOutput,
    ToHost,
    WatchOutput,
)
from .machine.events import (
    Event,
    LinkDown,
    LinkUp,
    OutputRead,
    ProfileChanged,
    Stored,
    Terminate,
    Tick,
    Told,
)
from .machine.machine import Machine
from .machine.memory import Memory
from .machine.profile import Profile
from .machine.records import Record
from .offering import offered
from .output import Outputs
from .prober import Prober
from .spool import Spool
from .summary import in_one_line

MESSAGES_MAX: Final = 200
"""The most messages of the coordinator that share a turn."""
OUTPUT_BYTES_MAX: Final = 1 << 20
"""The most output that is read in a turn."""
BYE_LINGER_S: Final = 0.5


def run_agent(config: AgentConfig, reread: Callable[[], AgentConfig] | None = None) -> int:
    """Be the agent until SIGTERM or SIGINT; the exit code.

    Args:
        config: its settings.
        reread: gives them as they are when SIGHUP arrives; None: they stay.

    Raises:
        ConfigError: a setting or key is wrong, or another agent uses the directory.
        StoreError: the journal cannot be read or written.
    """
    config.check()
    log = Log("agent", config.log_level)
    own = read_keypair(config.key_file)
    os.umask(0o077)
    config.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    spool = Spool(config.data_dir / "spool", clock.boot_id(), clock.new_ulid, log)
    hub = Hub()
    manager = ServiceManager(os.environ, os.getpid())
    service = Service(config, own, hub, spool, log, reread)
    manager.ready(service.summary())
    try:
        code = service.run(manager)
    finally:
        manager.stopping()
        service.close()
        hub.close()
        manager.close()
    log.info("agent.ended", exit_code=code)
    log.close()
    return code


def _now() -> Now:
    return Now(clock.now_us(), int(clock.monotonic_s() * SECOND_US))


def _profile(config: AgentConfig, executors: list[str]) -> Profile:
    """What it says of itself."""
    return Profile(
        version=__version__,
        tags=machine_tags() | config.tags,
        slots=config.slots_offered,
        executors=executors,
        drain_s=usual_drain_s() if config.drain_s is None else config.drain_s,
    )


def _executors_of_before(memory: Memory, names: list[str]) -> set[str]:
    """Executors whose hosts may be alive: they have a socket, or attempts that are not over."""
    listening = {name.removesuffix(".sock") for name in names if name.endswith(".sock")}
    under_way = {a.executor for a in memory.attempts.values() if a.outcome is None}
    return (listening | under_way) - {""}


class Service:
    """One agent at work."""

    def __init__(
        self,
        config: AgentConfig,
        own: KeyPair,
        hub: Hub,
        spool: Spool,
        log: Log,
        reread: Callable[[], AgentConfig] | None = None,
    ) -> None:
        self._config = config
        self._reread = reread
        self._own = own
        self._hub = hub
        self._spool = spool
        self._log = log
        self._waiter = Waiter()
        self._waiter.wake_on_signals((signal.SIGTERM, signal.SIGINT, *reload_signals()))
        self._exit_code: int | None = None
        self._events: deque[Event] = deque()
        """What has happened and is not handled yet."""
        self._records: list[Record] = []
        """What is to be written in this turn."""
        out_dir = config.data_dir.absolute() / "output"
        out_dir.mkdir(mode=0o700, exist_ok=True)
        run_dir = str(config.run_dir.absolute())
        self._outputs = Outputs(str(out_dir), log)
        secrets_dir = str(config.secrets_dir.absolute())
        self._prober = Prober(
            lambda: offered(installed_executors(), self._config.executors, self._config.executor),
            self._waiter,
        )
        self._hosts = Hosts(
            run_dir,
            str(out_dir),
            secrets_dir,
            lambda name: self._prober.settings.get(name),  # noqa: PLW0108 - it is replaced
            self._waiter,
            log,
        )
        sought = _executors_of_before(spool.memory, os.listdir(run_dir))  # noqa: PTH208 - names
        executors = list(self._prober.settings)
        profile = _profile(config, executors)
        self._machine = Machine(spool.memory, profile, sought, clock.new_ulid)
        log.info(
            "agent.started",
            endpoint=config.endpoint,
            spool=spool.memory.spool,
            held=len(spool.memory.attempts),
            slots=profile.slots,
            executors=",".join(executors),
        )
        for executor in sorted(sought):
            self._events += self._hosts.seek(executor)
        self._reload_due = False
        self._connected = False
        self._refused = False
        self._dialer = self._dial()

    def run(self, manager: ServiceManager) -> int:
        """Work until told to end; the exit code. It is alive as long as this goes round."""
        gc.collect()
        gc.freeze()
        while self._exit_code is None:
            self.turn(manager.deadline_us())
            if self._reload_due:
                self._reload_due = False
                manager.reloading(_now().steady_us)
                self._reload()
                manager.ready(self.summary())
            manager.beat(_now().steady_us, self.summary)
        return self._exit_code

    def summary(self) -> str:
        """How it is, in one line."""
        return in_one_line(self._machine.standing, self._config.endpoint)

    def close(self) -> None:
        """Let go of everything; what runs goes on in its host."""
        self._hosts.close()
        self._prober.close()
        self._dialer.close(BYE_LINGER_S)
        self._waiter.close()
        self._spool.close(complete=not self._records and not self._machine.has_unwritten)

    # One turn.

    def turn(self, wake_us: int | None = None) -> None:
        """Wait for something to happen, or for an instant of the steady clock; deal with it."""
        tick_us, hosts_us = self._machine.deadline(), self._hosts.deadline_us()
        probe_us = self._prober.deadline_us()
        sources = self._waiter.wait(
            until_steady_us=self._wake_us(tick_us, hosts_us, probe_us, wake_us)
        )
        now = _now()
        self._heed_signals()
        for source in sources:
            if source is self._dialer:
                self._hear_link()
            elif isinstance(source, int) and self._hosts.owns(source):
                self._events += self._hosts.ready(source, now.steady_us)
            elif isinstance(source, int) and self._prober.owns(source):
                self._events += self._prober.ready(now.steady_us)
        if _is_due(hosts_us, now):
            self._events += self._hosts.tick(now.steady_us)
        if _is_due(probe_us, now):
            self._events += self._prober.tick(now.steady_us)
        if _is_due(tick_us, now):
            self._events.append(Tick())
        while self._events:
            self._handle(self._events.popleft(), now)
        self._read_output(now)
        self._handle(Stored(self._write(now)), now)

    def _heed_signals(self) -> None:
        for number in self._waiter.take_signals():
            if number == signal.SIGHUP:
                self._reload_due = True
            else:
                self._events.append(Terminate())

    def _wake_us(self, *instants_us: int | None) -> int | None:
        if self._events or self._records:
            return 0
        if self._outputs.has_ready() and self._machine.output_budget:
            return 0
        others = self._outputs.deadline_us(), self._spool.sync_due_us
        return min((at for at in (*instants_us, *others) if at is not None), default=None)

    def _hear_link(self) -> None:
        dialer = self._dialer
        changed = (self._connected, self._refused) != (dialer.connected, dialer.refused)
        if changed and self._connected:
            self._log.warning("link.down", endpoint=self._config.endpoint)
        for _ in range(MESSAGES_MAX):  # also what came before the link broke
            data = dialer.receive()
            if data is None:
                break
            try:
                message: ToAgent = wire.decode(data, ToAgent)
            except ProtocolError as error:
                self._log.error("message.undecodable", reason=error.message)
                continue
            self._events.append(Told(message))
        if changed:
            self._connected, self._refused = dialer.connected, dialer.refused
            up = dialer.connected
            self._events.append(LinkUp() if up else LinkDown(refused=dialer.refused))

    def _handle(self, event: Event, now: Now) -> None:
        for command in self._machine.handle(event, now):
            self._do(command, now)

    def _read_output(self, now: Now) -> None:
        budget_bytes = min(self._machine.output_budget, OUTPUT_BYTES_MAX)
        if self._outputs.has_ready() or _is_due(self._outputs.deadline_us(), now):
            chunks, over = self._outputs.read(budget_bytes, now)
            if chunks or over:
                self._handle(OutputRead(chunks, over), now)

    def _write(self, now: Now) -> str:
        """Write the turn's records; why that failed, or an empty text."""
        spool = self._spool
        records, self._records = self._records, []
        failure = ""
        if records:
            try:
                spool.append(records, now.steady_us)
            except StoreError as error:
                failure = error.message
            else:
                if spool.is_bulky:
                    spool.compact(self._machine.snapshot())
        if _is_due(spool.sync_due_us, now):
            spool.sync(now.steady_us, ends_held=self._machine.holds_ends)
        return failure

    def _reload(self) -> None:
        """Read the settings again; where they are wrong, all stays as it is."""
        if self._reread is None:
            return
        try:
            fresh = self._reread()
            fresh.check()
            offered(installed_executors(), fresh.executors, fresh.executor)
        except ConfigError as error:
            self._log.error("reload.refused", error=error.message, hint=error.hint)
            return
        before, self._config = self._config, fresh
        self._log.set_level(fresh.log_level)
        if (fresh.executors, fresh.executor) != (before.executors, before.executor):
            self._prober.at_once()
        profile = _profile(fresh, list(self._prober.settings))
        self._events.append(ProfileChanged(profile))
        late = [key for key in NEED_A_RESTART if getattr(fresh, key) != getattr(before, key)]
        if late:
            self._log.warning("reload.needs_restart", keys=",".join(late))
        self._log.info("reload.done", log_level=fresh.log_level, slots=profile.slots)

    # Commands.

    def _do(self, command: Command, now: Now) -> None:  # noqa: C901, PLR0912 - one case a command
        match command:
            case Journal(record):
                self._records.append(record)
            case Send(message):
                self._send(message)
            case ToHost(executor, order):
                self._hosts.send(executor, order)
            case FinishOutput(ended):
                self._outputs.finish(ended)
            case LeaveOutput(keys):
                self._outputs.leave(keys)
            case DropOutput(keys):
                self._outputs.drop(keys)
            case FollowOutput(key, keep_bytes):
                self._outputs.follow(key, keep_bytes, now)
            case ResumeOutput(positions):
                self._outputs.resume(positions, now)
            case WatchOutput(keys, until_us):
                self._outputs.watch(keys, until_us, now)
            case SweepOutput(keep):
                self._outputs.sweep(keep)
            case StartHost(executor):
                self._log.info("host.start", executor=executor)
                self._events += self._hosts.start(executor, now.steady_us)
            case ProbeExecutors():
                self._prober.again(now.steady_us)
            case Redial():
                self._waiter.remove(self._dialer)
                self._dialer.close()
                self._dialer = self._dial()
            case Note(event, facts, warns):
                (self._log.warning if warns else self._log.info)(event, **facts)
            case Exit(code):
                self._exit_code = code
            case _:
                assert_never(command)

    def _send(self, message: FromAgent) -> None:
        # What does not leave is missed on the other side, or never answered: then comes a hello.
        self._dialer.send(wire.encode(message))

    def _dial(self) -> Dialer:
        config = self._config
        self._connected = self._refused = False
        dialer = Dialer(
            self._hub,
            config.endpoint,
            self._own,
            config.server_key,
            bytes_max=wire.FRAME_BYTES_MAX,
        )
        self._waiter.add(dialer)
        return dialer


def _is_due(at_us: int | None, now: Now) -> bool:
    return at_us is not None and at_us <= now.steady_us
