"""The machine: `handle` decides; `deadline` says when time alone is next an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, assert_never

from tocsin.execution import Status
from tocsin.hosting import Retire
from tocsin.instants import SECOND_US, Now
from tocsin.messages.agent_link import (
    Ack,
    Bye,
    Cancel,
    Describe,
    Dispatch,
    Pulse,
    Rejected,
    Resync,
    ToAgent,
    Watch,
    Welcome,
)

from . import hosts, journaling, offers, orders, reports, sessions
from .attempts import end_unheard
from .commands import Command, Exit, Send, SweepOutput, ToHost
from .events import (
    Event,
    ExecutorsProbed,
    HostFailed,
    HostGone,
    HostHealthSaid,
    HostMet,
    HostSaid,
    LinkDown,
    LinkUp,
    OutputRead,
    ProfileChanged,
    Stored,
    Terminate,
    Tick,
    Told,
)
from .memory import Memory, snapshot
from .profile import Profile
from .records import Record
from .state import Phase, Standing, State

SEEK_US: Final = 10 * SECOND_US
"""Hosts of before are given so long to answer before hello is said without them."""
EXIT_DRAINED: Final = 0
EXIT_AT_ONCE: Final = 1


class Machine:
    """Decides everything the agent does. It is changed through `handle` alone.

    Args:
        memory: what the journal holds.
        profile: what the agent says of itself.
        sought: executors whose hosts may be alive; of each, `HostMet` or `HostGone` tells.
        new_id: makes session ids.
    """

    def __init__(
        self,
        memory: Memory,
        profile: Profile,
        sought: Iterable[str],
        new_id: Callable[[], str],
    ) -> None:
        self._state = State(memory, profile, set(sought), new_id)
        self._seeks = True
        """Hosts of before have not all told what they hold."""

    def handle(self, event: Event, now: Now) -> list[Command]:
        """Decide what follows from an event."""
        state = self._state
        self._decide(event, now)
        if self._seeks and not state.sought:
            self._found_all(now)
        if state.sweep_due and not state.sought and not state.unseen:
            state.sweep_due = False
            state.commands.append(SweepOutput(frozenset(state.attempts)))
        if state.found:
            sessions.on_found(state, now)
        sessions.greet_when_ready(state, now)
        return state.settle()

    def _decide(self, event: Event, now: Now) -> None:  # noqa: C901, PLR0912 - one case an event
        state = self._state
        match event:
            case Stored(failure):
                journaling.on_stored(state, failure, now)
                sessions.say_hello(state, now)
                reports.flush(state, now)
                self._exit_when_drained(now)
            case Told(message):
                state.link.heard_us = now.steady_us
                self._hear(message, now)
            case HostSaid(executor, report):
                hosts.on_report(state, executor, report, now)
            case OutputRead():
                reports.on_output(state, event, now)
            case ProfileChanged(profile):
                sessions.on_profile(state, profile, now)
            case Tick():
                self._tick(now)
            case LinkUp():
                state.link.reachable = True
            case LinkDown(refused):
                sessions.on_link_down(state, now, refused=refused)
            case HostMet(executor, identity, hello):
                hosts.on_met(state, executor, identity, hello, now)
            case HostGone():
                hosts.on_gone(state, event, now)
            case HostFailed(executor, reason):
                hosts.on_failed(state, executor, reason, now)
            case HostHealthSaid(executor, health):
                offers.on_health(state, executor, health)
            case ExecutorsProbed():
                offers.on_probed(state, event)
            case Terminate():
                self._terminate(now)
            case _:
                assert_never(event)

    def _hear(self, message: ToAgent, now: Now) -> None:
        state = self._state
        match message:
            case Welcome():
                sessions.on_welcome(state, message, now)
            case Resync(reason):
                sessions.on_resync(state, reason, now)
            case Rejected(reason):
                sessions.on_rejected(state, reason, now)
            case Pulse() | Dispatch() | Cancel() | Watch() | Ack() | Describe():
                if state.link.phase is Phase.UP and message.session == state.link.session:
                    self._hear_in_session(message, now)
            case _:
                assert_never(message)

    def _hear_in_session(
        self, message: Pulse | Dispatch | Cancel | Watch | Ack | Describe, now: Now
    ) -> None:
        state = self._state
        match message:
            case Dispatch():
                orders.on_dispatch(state, message, now)
            case Ack():
                reports.on_ack(state, message.number)
            case Describe(digests=digests):
                offers.describe(state, digests)
            case Cancel():
                orders.on_cancel(state, message.keys, now)
            case Watch(keys=keys, span_s=span_s):
                reports.watch(state, keys, span_s, now)
            case Pulse():
                # What it cancels came before this answer to a heartbeat of the same session.
                if state.kept and not state.draining:
                    hosts.place_kept(state)
            case _:
                assert_never(message)

    def _tick(self, now: Now) -> None:
        state = self._state
        if state.sought:
            if state.seek_until_us is None:
                state.seek_until_us = now.steady_us + SEEK_US
            elif now.steady_us >= state.seek_until_us:
                state.note("hosts.silent", executors=", ".join(sorted(state.sought)))
                state.unseen.update(state.sought)
                state.sought.clear()
                self._seeks = False
        journaling.rewrite(state, now)
        sessions.keep_up(state, now)

    def _found_all(self, now: Now) -> None:
        """Every host of before has told what it holds, or is no more."""
        self._seeks = False
        state = self._state
        for attempt in state.attempts.values():
            if attempt.outcome is None and not attempt.executor:
                end_unheard(state, attempt, Status.LOST, "the agent's journal was damaged", now)

    # The end.

    def _terminate(self, now: Now) -> None:
        state = self._state
        if state.draining:
            self._exit(EXIT_AT_ONCE)
            return
        state.draining = True
        state.drain_until_us = now.steady_us + round(state.profile.drain_s * SECOND_US)
        if state.link.phase is Phase.UP:
            state.commands.append(Send(Bye(state.link.session, final=False)))

    def _exit_when_drained(self, now: Now) -> None:
        """End when nothing is left to wait for: what is not reported is safe in the journal."""
        state = self._state
        if state.drain_until_us is None or state.exited:
            return
        busy = state.running > len(state.kept)
        if state.link.phase is Phase.UP:
            busy = busy or len(state.attempts) > len(state.kept)
        if not busy or now.steady_us >= state.drain_until_us:
            if state.link.phase is Phase.UP:
                state.commands.append(Send(Bye(state.link.session, final=True)))
            self._exit(EXIT_DRAINED)

    def _exit(self, code: int) -> None:
        state = self._state
        state.exited = True
        for executor, side in state.hosts.items():
            if side.identity:
                state.commands.append(ToHost(executor, Retire()))
        state.commands.append(Exit(code))

    # What others may look at.

    def deadline(self) -> int | None:
        """When a `Tick` is wanted, in microseconds of the steady clock."""
        state = self._state
        seek_us = (state.seek_until_us or 0) if state.sought else None
        instants = (
            sessions.deadline_us(state),
            reports.due_us(state),
            state.rewrite_us,
            seek_us,
            None if state.exited else state.drain_until_us,
        )
        return min((at_us for at_us in instants if at_us is not None), default=None)

    @property
    def standing(self) -> Standing:
        """How it is."""
        state = self._state
        broken = [offer.name for offer in state.offers.values() if not offer.available]
        return Standing(state.link.phase, state.running, broken, state.draining)

    @property
    def output_budget(self) -> int:
        """How many bytes of output may be read now."""
        return reports.output_budget(self._state)

    @property
    def has_unwritten(self) -> bool:
        """Whether records wait that could not be written."""
        return bool(self._state.unwritten)

    @property
    def holds_ends(self) -> bool:
        """Whether there are ends that the coordinator has not taken."""
        return any(attempt.outcome is not None for attempt in self._state.attempts.values())

    def snapshot(self) -> list[Record]:
        """The records that bring this machine's memory back."""
        return snapshot(self._state.memory)
