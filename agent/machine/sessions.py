"""The session with the coordinator: hello, welcome, heartbeats, and what silence means."""

from __future__ import annotations

from typing import Final

from tocsin.instants import SECOND_US, Now
from tocsin.messages import PROTOCOL_VERSION
from tocsin.messages.agent_link import AttemptReport, Bye, Heartbeat, Hello, Phase, Resume, Welcome

from .attempts import forget, touch
from .commands import Note, Position, Redial, ResumeOutput, Send
from .hosts import cancel
from .memory import Attempt
from .offers import tell
from .profile import Profile
from .records import EpochSeen
from .state import Link, Outbox, State
from .state import Phase as LinkPhase

SILENT_BEATS: Final = 5
"""After so many heartbeats without a word the socket is suspect."""
PATIENCE_US: Final = 5 * SECOND_US
"""A first hello is given so long to be answered, the next ones more and more."""
PATIENCE_US_MAX: Final = 30 * SECOND_US
REJECTED_US: Final = 30 * SECOND_US
ACK_US_MAX: Final = 10 * SECOND_US
"""A report that is not acknowledged for so long was lost."""


def greet(state: State, now: Now) -> None:
    """Begin a session; the hello leaves when what it tells is safe."""
    link = state.link
    state.outbox = Outbox()
    for attempt in state.attempts.values():
        attempt.chunks_waiting, attempt.output_over = 0, False
    link.phase = LinkPhase.GREETING
    link.session = state.new_id()
    link.hello_due = True
    link.orders_seen = 0
    link.patience_us = min(link.patience_us * 2 or PATIENCE_US, PATIENCE_US_MAX)
    link.until_us = now.steady_us + link.patience_us


def on_profile(state: State, profile: Profile, now: Now) -> None:
    """The agent has other things to say of itself: a hello says them."""
    changed = profile != state.profile
    state.profile = profile
    if changed and state.link.phase is LinkPhase.UP:
        greet(state, now)


def on_found(state: State, now: Now) -> None:
    """A host spoke of attempts that were given up: a hello has the coordinator say what is next."""
    state.found = False
    if state.link.phase is LinkPhase.UP:
        greet(state, now)


def say_hello(state: State, now: Now) -> None:
    """Tell everything that is held: all of it is in the journal by now, or is not said to run."""
    link, profile = state.link, state.profile
    if not link.hello_due or link.phase is not LinkPhase.GREETING:
        return
    link.hello_due = False
    link.hellos += 1
    hello = Hello(
        PROTOCOL_VERSION,
        link.session,
        state.memory.spool,
        state.memory.epoch,
        profile.version,
        profile.tags,
        profile.slots,
        list(state.offers),
        [_held(attempt) for attempt in state.attempts.values()],
        now.wall_us,
        (state.memory.times_opened << 32) + link.hellos,
    )
    state.commands.append(Send(hello))


def _held(attempt: Attempt) -> AttemptReport:
    """An attempt in a hello: how far it got. Its outcome follows its output, in a report."""
    return AttemptReport(
        attempt.key, attempt.phase, attempt.accepted_us, attempt.started_us, attempt.ended_us
    )


def greet_when_ready(state: State, now: Now) -> None:
    """Say hello as soon as the coordinator can be reached and the hosts have been asked."""
    if state.link.reachable and state.link.phase is LinkPhase.DOWN and not state.sought:
        greet(state, now)


def on_link_down(state: State, now: Now, *, refused: bool) -> None:
    """The coordinator cannot be reached; the link comes back by itself, unless we are refused."""
    state.link.reachable = False
    if refused:
        _reject(state, "the coordinator does not admit this agent's key", now)
    elif state.link.phase is not LinkPhase.REJECTED:
        state.link.phase = LinkPhase.DOWN


def on_rejected(state: State, reason: str, now: Now) -> None:
    """The coordinator does not serve us."""
    _reject(state, reason, now)


def _reject(state: State, reason: str, now: Now) -> None:
    state.link.phase = LinkPhase.REJECTED
    state.link.until_us = now.steady_us + REJECTED_US
    state.note("session.rejected", reason=reason, again_in_s=REJECTED_US // SECOND_US)


def on_resync(state: State, reason: str, now: Now) -> None:
    """The session is over. While a hello is on its way, that is old news."""
    if state.link.phase is LinkPhase.UP:
        state.note("session.resync", reason=reason)
        greet(state, now)


def on_welcome(state: State, welcome: Welcome, now: Now) -> None:
    """The session stands: go on with everything where the coordinator's knowledge ends."""
    link = state.link
    if link.phase is not LinkPhase.GREETING or welcome.session != link.session:
        return
    if welcome.epoch < state.memory.epoch:
        _reject(state, f"epoch {welcome.epoch} is over: {state.memory.epoch} was seen", now)
        return
    see_epoch(state, welcome.epoch)
    link.phase = LinkPhase.UP
    link.patience_us = 0
    link.heartbeat_us = max(round(welcome.heartbeat_s * SECOND_US), 1)
    link.beat_us = now.steady_us
    facts: dict[str, str | int] = {"name": welcome.name, "agent": welcome.agent_id}
    state.commands.append(Note("session.open", facts, warns=False))
    if any(offer.digest or not offer.available for offer in state.offers.values()):
        tell(state)
    _resume(state, welcome.resume, now)
    if state.draining:
        state.commands.append(Send(Bye(link.session, final=False)))


def see_epoch(state: State, epoch: int) -> None:
    """From now on nothing of a lower epoch is taken."""
    if epoch > state.memory.epoch:
        state.memory.epoch = epoch
        state.journal(EpochSeen(epoch))


def _resume(state: State, resume: list[Resume], now: Now) -> None:
    over = []
    positions = []
    for entry in resume:
        attempt = state.attempts.get(entry.key)
        if attempt is None:
            continue
        ended = attempt.phase is Phase.ENDED
        if not entry.forget:
            offsets = entry.stdout_offset, entry.stderr_offset
            positions.append(Position(entry.key, attempt.keep_bytes, offsets, ended))
            if not ended:
                touch(state, attempt, now)
        elif ended:
            over.append(entry.key)
        else:
            cancel(state, attempt, now)
    forget(state, over)
    if positions:
        state.commands.append(ResumeOutput(positions))


def keep_up(state: State, now: Now) -> None:
    """Do what time alone asks for: heartbeats, and another try when nothing is heard."""
    link = state.link
    at_us = now.steady_us
    match link.phase:
        case LinkPhase.GREETING if at_us >= link.until_us:
            _redial(state, "hello is not answered")
        case LinkPhase.REJECTED if at_us >= link.until_us:
            _redial(state, "trying again")
        case LinkPhase.UP:
            if at_us >= _silent_us(link):
                _redial(state, "the coordinator is silent")
            elif (window := state.outbox.window) and at_us >= window[0].at_us + ACK_US_MAX:
                state.note("report.unacknowledged", number=window[0].number)
                greet(state, now)
            elif at_us >= link.beat_us:
                link.beat_us = at_us + link.heartbeat_us
                beat = Heartbeat(link.session, link.orders_seen, now.wall_us)
                state.commands.append(Send(beat))


def _silent_us(link: Link) -> int:
    return link.heard_us + SILENT_BEATS * link.heartbeat_us


def _redial(state: State, reason: str) -> None:
    state.link.phase = LinkPhase.DOWN
    state.link.reachable = False
    state.note("link.redial", reason=reason)
    state.commands.append(Redial())


def deadline_us(state: State) -> int | None:
    """When `keep_up` is next needed, on the steady clock."""
    link = state.link
    match link.phase:
        case LinkPhase.DOWN:
            return None
        case LinkPhase.GREETING | LinkPhase.REJECTED:
            return link.until_us
        case LinkPhase.UP:
            due_us = min(link.beat_us, _silent_us(link))
            if state.outbox.window:
                due_us = min(due_us, state.outbox.window[0].at_us + ACK_US_MAX)
            return due_us
