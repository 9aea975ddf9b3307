"""What agents say, and what their silence means."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from tocsin.execution import Offer, split_key
from tocsin.instants import SECOND_US, Now
from tocsin.messages import PROTOCOL_VERSION
from tocsin.messages.agent_link import (
    Ack,
    AttemptReport,
    Cancel,
    Chunk,
    Hello,
    Phase,
    Pulse,
    Rejected,
    Resume,
    Resync,
    Welcome,
)
from tocsin.model import Agent, AgentState, RunState
from tocsin.targeting import demand_of

from . import holds, keeping, restored, retries, runs, turns
from .commands import CutOutput, SaveOutput, SaveRun
from .events import AgentBeat, AgentBye, AgentHello, AgentJoined, AgentReport, PastRun
from .placement import order_again
from .state import Active, Session, State, key_of


def restore(state: State, agents: Iterable[Agent], now: Now) -> None:
    """Take up what the store holds; agents that were there a moment ago are expected back."""
    rejoin_us = round(state.policy.rejoin_s * SECOND_US)
    for agent in agents:
        state.fleet.known[agent.id] = agent
        holds.restore(state, agent, now)
        gone_us = 0
        if agent.state is AgentState.DOWN:
            if agent.down_since_us is None:
                continue  # it never connected
            gone_us = max(now.wall_us - agent.down_since_us, 0)
        if agent.state is not AgentState.REVOKED and gone_us < rejoin_us:
            state.fleet.away[agent.id] = now.steady_us + rejoin_us - gone_us


def on_joined(state: State, event: AgentJoined) -> None:
    """A host was let in."""
    state.fleet.known[event.agent.id] = event.agent


def on_hello(state: State, event: AgentHello, now: Now) -> None:
    """Open a session, and settle what the agent holds against what is recorded."""
    hello, agent_id = event.hello, event.agent.id
    if hello.protocol != PROTOCOL_VERSION:
        reason = f"protocol {hello.protocol} is not spoken here, {PROTOCOL_VERSION} is"
        state.say(agent_id, Rejected(reason))
        return
    if hello.epoch_seen > state.epoch:
        state.say(agent_id, Rejected(f"epoch {state.epoch} is over: {hello.epoch_seen} was seen"))
        return
    known = state.fleet.known.get(agent_id, event.agent)
    if known.state is AgentState.REVOKED:
        state.say(agent_id, Rejected("this agent was revoked"))
        return
    if _is_old(state, agent_id, hello):
        return  # what it says of attempts is not so any more
    state.fleet.hellos.setdefault(agent_id, {})[hello.spool] = hello.number
    agent = replace(
        known,
        state=known.held or AgentState.UP,
        tags={**hello.tags, **known.given_tags},
        slots=max(hello.slots, 1),
        executors=hello.executors,
        offers=_named_in(hello, known),
        version=hello.version,
        spool=hello.spool,
        last_seen_us=now.wall_us,
        down_since_us=None,
    )
    session = Session(agent, hello.session, hello.spool, now.steady_us, outbox=[])
    session.busy = len(state.by_agent.get(agent_id, ()))
    state.sessions[agent_id] = session
    state.outgoing.pop(agent_id, None)
    state.fleet.lost_at.pop(agent_id, None)
    state.fleet.away.pop(agent_id, None)
    state.candidates.clear()
    state.waiting.stirred[agent_id] = None
    if state.fleet.silence_check_us is None:
        state.fleet.silence_check_us = now.steady_us + SECOND_US
    _settle(state, session, event, now)
    state.keep_agent(replace(agent, busy=session.busy))


def _named_in(hello: Hello, known: Agent) -> list[Offer]:
    """What was known of the executors that a hello names; how they are now, it says afterwards."""
    names = set(hello.executors)
    said = (offer for offer in known.offers if offer.name in names)
    return [replace(offer, available=True, message="", facts={}) for offer in said]


def _is_old(state: State, agent_id: str, hello: Hello) -> bool:
    """Whether a hello comes late or twice: a later one opened the session that stands.

    Without a session it is taken whatever its number: a machine may have been put back to an
    earlier day.
    """
    session = state.sessions.get(agent_id)
    number = state.fleet.hellos.get(agent_id, {}).get(hello.spool)
    if session is None or number is None:
        return False
    return hello.spool != session.spool or hello.number <= number


def _settle(state: State, session: Session, event: AgentHello, now: Now) -> None:
    hello, agent_id = event.hello, session.agent.id
    resume, stop, alone = [], [], []
    for said in event.hello.attempts:
        run_id, _ = split_key(said.key)
        past = event.past.get(run_id)
        active = state.active.get(run_id) or _reopened(state, past, said, agent_id)
        if active is None or not _is_its(active, said, agent_id):
            known = active is not None or past is not None
            active = restored.adopted(state, active, past, said, session)
            if active is None:
                resume.append(Resume(said.key, 0, 0, forget=said.phase is Phase.ENDED))
                if not known and restored.is_left_alone(state, said.key):
                    alone.append(said.key)
                elif said.phase is not Phase.ENDED:
                    # Not its business any more: it is ended, then forgotten.
                    stop.append(said.key)
                continue
        # Its output may not be here yet, so its end is taken from the report that follows it.
        if said.phase is not Phase.ENDED:
            runs.report(state, active, said, now)
        resume.append(Resume(said.key, active.offsets[0], active.offsets[1], forget=False))
        if active.run.cancel_requested:
            stop.append(said.key)
    welcome = Welcome(
        hello.session,
        state.epoch,
        agent_id,
        session.agent.name,
        state.policy.heartbeat_s,
        resume,
    )
    state.say(agent_id, welcome)
    restored.leave(state, session, alone)
    if stop:
        state.say(agent_id, Cancel(hello.session, stop))
    _settle_absent(state, session, hello, now)


def _is_its(active: Active, said: AttemptReport, agent_id: str) -> bool:
    """Whether an attempt is the current one of a run, and this agent was given it."""
    return key_of(active.run) == said.key and active.run.agent_id == agent_id


def _reopened(
    state: State, past: PastRun | None, said: AttemptReport, agent_id: str
) -> Active | None:
    """A run that was given up, taken up again: its agent still has the attempt."""
    if past is None or past.job is None or past.run.state is not RunState.LOST:
        return None
    if key_of(past.run) != said.key or past.run.agent_id != agent_id:
        return None
    run = replace(
        past.run,
        state=RunState.DISPATCHED,
        reason="",
        facts={},
        finished_us=None,
        reopened=restored.has_counted(state, past.run),
    )
    active = Active(run, past.job, demand_of(past.job, run.pin), list(past.offsets), past.pieces)
    active.avoid = retries.avoided(past.job, past.failed_on)
    active.tails = past.tails
    state.add(active)
    turns.reopen(state, run)
    state.commands.append(SaveRun(run))
    return active


def _settle_absent(state: State, session: Session, hello: Hello, now: Now) -> None:
    """Runs that this agent was given and does not list."""
    listed = {said.key for said in hello.attempts}
    for active in state.runs_on(session.agent.id):
        run = active.run
        if key_of(run) in listed:
            continue
        if run.spool != hello.spool:
            runs.lose(state, active, "the agent has lost its memory of it", now)
        elif restored.is_doubtful(state, run):
            runs.lose(state, active, "its agent does not have it any more", now)
        elif run.state is not RunState.DISPATCHED:
            runs.lose(state, active, "the agent knows nothing of it any more", now)
        elif run.cancel_requested:
            runs.abandon(state, active, now)
        else:
            order_again(state, active, session)


def on_beat(state: State, event: AgentBeat, now: Now) -> None:
    """An agent is alive; if it missed orders, have it say hello again."""
    session = session_of(state, event.agent_id, event.session, now)
    if session is None:
        return
    if event.orders_seen < session.orders_at_last_beat:
        _resync(state, event.agent_id, "orders were lost on the way")
        return
    session.orders_at_last_beat = session.orders_sent
    state.say(event.agent_id, Pulse(session.id, now.wall_us))


def on_report(state: State, event: AgentReport, now: Now) -> None:
    """Take over attempts and output. A report is applied once, and in order."""
    said = event.report
    session = session_of(state, event.agent_id, said.session, now)
    if session is None:
        return
    if said.number > session.reports_seen + 1:
        _resync(state, event.agent_id, "a report was lost on the way")
        return
    if said.number == session.reports_seen + 1:
        session.reports_seen = said.number
        for chunk in said.output:
            _take_output(state, event.agent_id, chunk)
        for attempt in said.attempts:
            _take_attempt(state, event.agent_id, attempt, now)
    state.say(event.agent_id, Ack(said.session, session.reports_seen))


def _take_attempt(state: State, agent_id: str, said: AttemptReport, now: Now) -> None:
    run_id, number = split_key(said.key)
    active = state.active.get(run_id)
    if active is None or active.run.attempt != number or active.run.agent_id != agent_id:
        return
    if said.phase is Phase.ENDED:
        for stream in active.tails:
            _cut(state, active, stream, ended=True)
    runs.report(state, active, said, now)


def _take_output(state: State, agent_id: str, chunk: Chunk) -> None:
    run_id, number = split_key(chunk.key)
    active = state.active.get(run_id)
    if active is None or active.run.attempt != number or active.run.agent_id != agent_id:
        return
    stream = chunk.stream - 1
    if stream not in {0, 1} or chunk.offset != active.offsets[stream]:
        return
    active.offsets[stream] = chunk.end
    active.run = replace(active.run, output_bytes=active.run.output_bytes + len(chunk.data))
    active.pieces += 1
    state.commands.append(SaveOutput(active.pieces, chunk))
    span = keeping.Span(chunk.offset + chunk.gap_bytes, chunk.end)
    keeping.add(active.tails, chunk.stream, span, active.job.output.keep_bytes)
    if chunk.stream in active.tails:
        _cut(state, active, chunk.stream, ended=False)
    state.commands.append(SaveRun(active.run))


def _cut(state: State, active: Active, stream: int, *, ended: bool) -> None:
    """Let go of what is not the tail of a stream any more."""
    gone = keeping.cut(active.tails[stream], active.job.output.keep_bytes, ended=ended)
    if gone is None:
        return
    run = active.run
    active.run = replace(run, output_bytes=max(run.output_bytes - gone.bytes, 0))
    state.commands.append(CutOutput(key_of(run), stream, gone.start, gone.end))


def on_bye(state: State, event: AgentBye, now: Now) -> None:
    """An agent takes no more runs; a final bye closes its session."""
    session = session_of(state, event.agent_id, event.session, now)
    if session is None:
        return
    session.draining = True
    state.keep_agent(replace(session.agent, state=AgentState.DRAINING))
    if event.final:
        _close(state, session, now)


def close_silent(state: State, now: Now) -> None:
    """Agents that were not heard for too long are down; later their runs are lost."""
    if state.fleet.silence_check_us is None or state.fleet.silence_check_us <= now.steady_us:
        _close_unheard(state, now)
        state.fleet.silence_check_us = now.steady_us + SECOND_US if state.sessions else None
    for agent_id in [i for i, at_us in state.fleet.away.items() if at_us <= now.steady_us]:
        del state.fleet.away[agent_id]
        _note_absence(state, agent_id, now)
    for agent_id in [i for i, at_us in state.fleet.lost_at.items() if at_us <= now.steady_us]:
        del state.fleet.lost_at[agent_id]
        for active in state.runs_on(agent_id):
            runs.lose(state, active, "its agent has not been heard of since", now)


def _close_unheard(state: State, now: Now) -> None:
    limit_us = now.steady_us - round(state.policy.agent_silence_s * SECOND_US)
    for session in [s for s in state.sessions.values() if s.heard_us <= limit_us]:
        _close(state, session, now)


def _close(state: State, session: Session, now: Now) -> None:
    agent_id = session.agent.id
    del state.sessions[agent_id]
    state.outgoing.pop(agent_id, None)
    state.candidates.clear()
    if state.by_agent.get(agent_id):
        state.fleet.lost_at[agent_id] = now.steady_us + round(state.policy.lost_after_s * SECOND_US)
    state.fleet.away[agent_id] = session.heard_us + round(state.policy.rejoin_s * SECOND_US)
    heard_us = now.wall_us - (now.steady_us - session.heard_us)
    gone = replace(session.agent, state=AgentState.DOWN, busy=session.busy, down_since_us=heard_us)
    state.keep_agent(gone)


def _note_absence(state: State, agent_id: str, now: Now) -> None:
    """An agent that the last coordinator knew as connected has not come back."""
    agent = state.fleet.known[agent_id]
    if agent.state is not AgentState.DOWN:
        since_us = now.wall_us - round(state.policy.rejoin_s * SECOND_US)
        state.keep_agent(replace(agent, state=AgentState.DOWN, down_since_us=since_us))


def session_of(state: State, agent_id: str, session_id: str, now: Now) -> Session | None:
    """The session that a message belongs to; without one, its sender is asked for a hello."""
    session = state.sessions.get(agent_id)
    if session is None or session.id != session_id:
        _resync(state, agent_id, "the session is not known")
        return None
    session.heard_us = now.steady_us
    return session


def _resync(state: State, agent_id: str, reason: str) -> None:
    state.say(agent_id, Resync(reason))
