"""The loop: drain what is ready, decide, commit once, and only then send.

::

    gateway.receive ─► machine.handle ─► store.stage …   (up to `MESSAGES_MAX` times)
                                             │
                                       store.commit      one transaction for all of it
                                             │
                       sends, replies, acknowledgements, updates

While the store cannot be written, nothing is decided and nothing that depends on a decision
leaves: agents go on running what they have and keep their results, clients are told. When it can
be written again, the kept batch is committed and every agent is asked to say hello again.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, assert_never

from tocsin import clock
from tocsin.errors import InvalidTransition, StoreError
from tocsin.execution import split_key
from tocsin.incidents import in_words
from tocsin.instants import SECOND_US, Now, to_rfc3339
from tocsin.keys import load_or_make_keypair
from tocsin.link import Waiter, new_keypair
from tocsin.log import Log
from tocsin.messages.agent_link import (
    Bye,
    Describe,
    Descriptions,
    Dispatch,
    FromAgent,
    Heartbeat,
    Hello,
    Offers,
    Pulse,
    Report,
    Resync,
)
from tocsin.messages.client_answers import Answer, Declined
from tocsin.messages.client_link import PAGE_ROWS_MAX, GetStatus, ReadOutput
from tocsin.messages.enrolment import ToStranger
from tocsin.model import AgentState, Restore
from tocsin.schedule import reload_zones

from . import auditing
from .config import CoordinatorConfig
from .gateway import AgentSaid, ClientAsked, Gateway, Incoming, StrangerAsked
from .machine.commands import (
    Command,
    FetchDue,
    FetchFires,
    LeaveAttempts,
    Reply,
    SaveAgent,
    Send,
)
from .machine.events import (
    AgentBeat,
    AgentBye,
    AgentHello,
    AgentJoined,
    AgentOffers,
    AgentReport,
    Asker,
    BackupRestored,
    Event,
    FiresEnded,
    IncidentsNoticed,
    JobsDue,
    OutputFollowed,
    Tick,
    ZonesChanged,
)
from .machine.machine import Machine
from .registry import Registry
from .requests import Requests
from .store.port import Store
from .summary import in_one_line
from .timekeeping import Timekeeper
from .updates import Updates

MESSAGES_MAX: Final = 200
"""The most messages that share a transaction."""
OUTAGE_RETRY_US: Final = SECOND_US // 4


def now() -> Now:
    """Both clocks, read together."""
    return Now(clock.now_us(), round(clock.monotonic_s() * SECOND_US))


def _facts_of(restore: Restore) -> dict[str, str]:
    return {
        "file": restore.file,
        "backup": to_rfc3339(restore.backup_us),
        "restored": to_rfc3339(restore.restored_us),
        "by": restore.by,
    }


class Service:
    """One coordinator at work."""

    def __init__(
        self, store: Store, machine: Machine, gateway: Gateway, config: CoordinatorConfig, log: Log
    ) -> None:
        self._store = store
        self._machine = machine
        self._gateway = gateway
        self._log = log
        self._started_us = clock.now_us()
        self._commands: list[Command] = []
        self._answers: list[tuple[Asker, Answer]] = []
        self._strangers: list[tuple[bytes, ToStranger]] = []
        self._unfetched: list[FetchDue | FetchFires] = []
        self._hellos: dict[str, AgentSaid] = {}
        """The last hello of each agent that was said while the store was away."""
        self._outage = ""
        self._is_over = False
        """An agent has heard of a later coordinator."""
        self._time = Timekeeper(store)
        own_key = load_or_make_keypair(config.key_file, new_keypair).public
        self._registry = Registry(
            store, server_key=own_key, port=gateway.members.port, new_id=clock.new_ulid
        )
        self._registry.admit(config.admin_keys)
        self._updates = Updates(gateway.update, store.list_jobs)
        self._requests = Requests(
            store,
            machine,
            self._registry,
            self._updates,
            enrol_port=gateway.strangers.port,
            dropped=self._dropped,
            started_us=self._started_us,
        )

    def restore(self) -> None:
        """Take up what the store holds, and begin to let peers in."""
        at = now()
        stored = self._store.stored()
        self._machine.restore(stored, at)
        if stored.restore is not None and not stored.restore.settled:
            self._log.warning("backup.restored", **_facts_of(stored.restore))
            self._decide(BackupRestored(stored.restore), at)
        self._time.begin(at)
        self._check_zones(at)
        self._heed(at)
        self._store.commit()
        self._gateway.serve(self._registry)

    def turn(self, waiter: Waiter, wake_us: int | None = None) -> None:
        """Wait for something to happen, or for an instant of the steady clock; deal with it."""
        self._wait(waiter, wake_us)
        self._time.look()
        at = now()
        if self._outage:
            self._turn_in_outage(at)
            return
        try:
            self._check_zones(at)
            self._heed(at)
            for _ in range(MESSAGES_MAX):
                incoming = self._gateway.receive(at.steady_us / SECOND_US)
                if incoming is None:
                    break
                self._take(incoming, at)
            at = now()
            if self._is_time(at):
                self._decide(Tick(), at)
            self._commit(at)
            self._updates.flush(at.steady_us)
        except StoreError as error:
            self._fail(error)

    def _wait(self, waiter: Waiter, wake_us: int | None) -> None:
        if self._outage:
            waiter.wait(until_steady_us=now().steady_us + OUTAGE_RETRY_US)
            return
        deadline = self._machine.deadline()
        steady = [deadline.steady_us, self._updates.deadline_us(), wake_us]
        steady += [parked.until_us for parked in self._requests.parked]
        soonest = min((at_us for at_us in steady if at_us is not None), default=None)
        latest = self._time.before_sleep(soonest, deadline, now())
        waiter.wait(until_steady_us=latest, until_wall_us=deadline.wall_us)

    def _is_time(self, at: Now) -> bool:
        wall_us, steady_us = self._machine.deadline()
        return (wall_us is not None and wall_us <= at.wall_us) or (
            steady_us is not None and steady_us <= at.steady_us
        )

    def _heed(self, at: Now) -> None:
        """Have the machine know what befell the time, before it decides anything."""
        noticed = self._time.take()
        for incident in noticed:
            self._log.warning("time." + incident.kind, what=in_words(incident))
        if noticed:
            self._decide(IncidentsNoticed(noticed), at)

    def _check_zones(self, at: Now) -> None:
        """Have due times worked out anew when the time zone data was replaced."""
        change = self._time.zones_changed(at)
        if not change:
            return
        reload_zones()
        after, moved = "", 0
        while page := self._store.list_jobs(after, PAGE_ROWS_MAX):
            rows = self._store.jobs_by_name([row.job.name for row in page])
            before = len(self._commands)
            self._decide(ZonesChanged(list(rows.values())), at)
            moved += len(self._commands) - before
            after = page[-1].job.name
        self._log.warning("zones.changed", what=change, jobs_moved=moved)

    # In.

    def _take(self, incoming: Incoming, at: Now) -> None:
        match incoming:
            case AgentSaid(agent_id, message):
                event = self._event(agent_id, message)
                if event is not None:
                    self._decide(event, at)
            case ClientAsked(asker):
                result = self._requests.take(incoming, at)
                if isinstance(incoming.ask, ReadOutput) and incoming.ask.wait_s > 0:
                    self._decide(OutputFollowed(incoming.ask.run), at)
                if isinstance(result, Event):
                    self._decide(result, at)
                elif result is not None:
                    self._answers.append((asker, result))
                    self._introduce(at)
            case StrangerAsked(route, key, enrol):
                known = self._registry.knows(key)
                answer = self._registry.enrol(key, enrol, at.wall_us)
                entries = auditing.of_enrolment(enrol, answer, known=known, at_us=at.wall_us)
                self._store.stage(entries)
                self._log.info("enrolment", name=enrol.name, answer=type(answer).__name__)
                self._strangers.append((route, answer))
                self._introduce(at)
            case _:
                assert_never(incoming)

    def _introduce(self, at: Now) -> None:
        for agent in self._registry.take_let_in():
            self._decide(AgentJoined(agent), at)

    def _event(self, agent_id: str, message: FromAgent) -> Event | None:
        match message:
            case Report():
                return AgentReport(agent_id, message)
            case Heartbeat(session, orders_seen, _):
                return AgentBeat(agent_id, session, orders_seen)
            case Hello():
                if message.epoch_seen > self._machine.epoch and not self._is_over:
                    self._is_over = True
                    self._log.error(
                        "epoch.over", ours=self._machine.epoch, seen=message.epoch_seen,
                        what="a backup of this coordinator was restored elsewhere: end this one",
                    )  # fmt: skip
                agent = self._registry.agents.get(agent_id)
                if agent is None:
                    return None
                ids = {split_key(said.key)[0] for said in message.attempts}
                over = [run_id for run_id in ids if not self._machine.is_active(run_id)]
                past = self._store.past_runs(over) if over else {}
                self._log.info("agent.hello", agent=agent.name, attempts=len(message.attempts))
                return AgentHello(agent, message, past)
            case Bye(session, final):
                return AgentBye(agent_id, session, final)
            case Offers(session, offers):
                if missing := self._requests.catalogue.missing(it.digest for it in offers):
                    self._gateway.tell(agent_id, Describe(session, missing))
                return AgentOffers(agent_id, session, offers)
            case Descriptions(_, bodies):
                self._requests.catalogue.take(bodies)
                return None
            case _:
                assert_never(message)

    def _decide(self, event: Event, at: Now) -> None:
        """Let the machine decide, and answer at once what it asks for."""
        self._step(event, at)
        self._fetch(at)

    def _step(self, event: Event, at: Now) -> None:
        try:
            commands = self._machine.handle(event, at)
        except (InvalidTransition, ValueError) as error:
            # A peer that says what cannot be must not end the service for the others.
            self._log.error("event.refused", kind=type(event).__name__, error=str(error))
            return
        commands += auditing.of_event(event, commands, at.wall_us)
        self._store.stage(commands)
        self._commands += commands
        self._unfetched += [c for c in commands if isinstance(c, FetchDue | FetchFires)]

    def _fetch(self, at: Now) -> None:
        """Answer what the machine asked for; a batch without the answers is never committed."""
        while self._unfetched:
            answer = self._fetched(self._unfetched[0])
            self._unfetched.pop(0)
            self._step(answer, at)

    def _fetched(self, wanted: FetchDue | FetchFires) -> Event:
        match wanted:
            case FetchDue(due):
                rows = self._store.jobs_by_id([job_id for _, job_id in due])
                return JobsDue([(due_us, rows.get(job_id)) for due_us, job_id in due])
            case FetchFires(groups, job_ids):
                fires = self._store.fires(groups)
                found = [fires[group] for group in groups if group in fires]
                return FiresEnded(found, self._store.jobs_by_id(job_ids))
            case _:
                assert_never(wanted)

    # Out.

    def _commit(self, at: Now) -> None:
        self._time.stamp(at)
        if self._store.dirty:
            self._store.commit()
        commands, self._commands = self._commands, []
        self._registry.note([c.agent for c in commands if isinstance(c, SaveAgent)])
        for command in commands:
            if isinstance(command, Send):
                self._send(command)
            elif isinstance(command, Reply):
                self._gateway.reply(command.asker, command.answer)
            elif isinstance(command, LeaveAttempts):
                self._log.warning(
                    "attempts.left_alone", agent=command.agent.name, attempts=",".join(command.keys)
                )
        for asker, answer in self._answers:
            self._gateway.reply(asker, answer)
        self._answers.clear()
        for route, admitted in self._strangers:
            self._gateway.answer_stranger(route, admitted)
        self._strangers.clear()
        self._updates.gather(commands)
        if self._requests.parked:
            for asker, answer in self._requests.retry_parked(at):
                self._gateway.reply(asker, answer)

    def _send(self, send: Send) -> None:
        """Send what was decided; no order goes to an agent that was struck off right after it."""
        is_order = isinstance(send.message, Dispatch)
        if is_order and self._registry.agents[send.agent_id].state is AgentState.REVOKED:
            return
        self._gateway.tell(send.agent_id, send.message)

    def summary(self) -> str:
        """How it is, in one line."""
        return in_one_line(
            list(self._registry.agents.values()),
            self._machine.active_runs(),
            self._machine.next_due_us(),
            self._outage,
        )

    def admit(self, keys: list[str]) -> None:
        """Let clients with these keys do everything."""
        self._registry.admit(keys)

    def _dropped(self) -> dict[str, int]:
        sockets = (self._gateway.members.dropped, self._gateway.strangers.dropped)
        return dict(sum((Counter(socket) for socket in sockets), Counter(self._gateway.dropped)))

    # When the store cannot be written.

    def _fail(self, error: StoreError) -> None:
        if not self._outage:
            self._log.error("store.failed", error=error.message, hint=error.hint)
        self._outage = error.message
        self._time.store_failed(now(), error.message)

    def _turn_in_outage(self, at: Now) -> None:
        for _ in range(MESSAGES_MAX):
            incoming = self._gateway.receive(at.steady_us / SECOND_US)
            if incoming is None:
                break
            match incoming:
                case AgentSaid(agent_id, Heartbeat(session, _, _)):
                    self._gateway.tell(agent_id, Pulse(session, at.wall_us))
                case ClientAsked(asker, _, GetStatus()):
                    self._gateway.reply(asker, self._requests.status(incoming, at, self._outage))
                case ClientAsked(asker):
                    hint = "jobs go on running; ask again when it is mended"
                    self._gateway.reply(asker, Declined(self._outage, hint))
                case AgentSaid(agent_id, Hello()):
                    self._hellos[agent_id] = incoming
                case _:
                    pass  # agents are asked for everything once this is over
        heard = set(self._hellos)
        try:
            # An end is durable together with what follows from it, so that is decided first.
            self._fetch(at)
            self._commit(at)
            self._time.store_mended(at)
            self._heed(at)
            self._hear_hellos(at)
            self._commit(at)
        except StoreError as error:
            self._fail(error)
            return
        self._outage = ""
        self._log.info("store.mended")
        for connected in self._machine.sessions():
            if connected.agent.id not in heard:
                self._gateway.tell(connected.agent.id, Resync("the store was away"))

    def _hear_hellos(self, at: Now) -> None:
        """Open the sessions that were asked for meanwhile, before anything is sent into old ones.

        An agent whose hello is not answered says the next one later and later.
        """
        while self._hellos:
            agent_id = next(iter(self._hellos))
            self._take(self._hellos[agent_id], at)
            del self._hellos[agent_id]

    def close(self) -> None:
        """Leave a last sign of life."""
        try:
            self._time.stamp(now(), last=True)
            self._store.commit()
        except StoreError as error:
            self._log.error("store.failed", error=error.message, hint=error.hint)
