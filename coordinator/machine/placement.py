"""Which agent gets a run, and the orders that follow."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from tocsin import wire
from tocsin.execution import Order
from tocsin.instants import Now, to_rfc3339
from tocsin.messages.agent_link import Dispatch
from tocsin.model import Choose, Job, Pause, RunState
from tocsin.targeting import Demand, demand_of, matches

from . import pauses, transitions
from .commands import SaveRun
from .fanout import rank_at_home
from .state import Active, Session, State, key_of

WINDOW: Final = 64
"""Among more candidates than this, a rotating window is compared: a choice has a bounded cost."""
ASIDE_MAX: Final = 64
"""So many runs that must wait for one busy agent are looked past in one turn."""
ORDERS_MAX: Final = 500
"""The most orders in one message."""
ORDERS_BYTES_MAX: Final = 512 << 10
"""The most bytes of orders in one message, but for an order that alone is larger."""


def candidates(state: State, demand: Demand) -> list[str]:
    """The connected agents that may take a run, whether or not they have a free slot."""
    found = state.candidates.get(demand)
    if found is None:
        found = [
            s.agent.id
            for s in state.sessions.values()
            if s.agent.held is None
            and matches(s.agent, demand)
            and not pauses.holds(state, s.agent)
        ]
        state.candidates[demand] = found
    return found


def all_paused(state: State, job: Job, now_us: int) -> Pause | None:
    """A pause, when there are agents for a job and each one of them is paused."""
    if not pauses.of_some_agents(state):
        return None
    demand, pause = demand_of(job), None
    for session in state.sessions.values():
        if matches(session.agent, demand):
            pause = pauses.of_agent(state, session.agent, now_us)
            if pause is None:
                return None
    return pause


def place_waiting(state: State, now: Now) -> None:
    """Give waiting runs to agents with free slots, by priority, then age."""
    for demand in sorted(state.waiting, key=lambda d: state.waiting[d][0]):
        _place(state, demand, now)
        if not state.waiting[demand]:
            del state.waiting[demand]
    _send_orders(state)


def _place(state: State, demand: Demand, now: Now) -> None:
    heap = state.waiting[demand]
    aside: list[tuple[int, int, str]] = []
    agents = candidates(state, demand)
    while heap and len(aside) < ASIDE_MAX:
        active = state.active.get(heap[0][2])
        if active is None or active.blocked or active.run.state is not RunState.QUEUED:
            heapq.heappop(heap)
            continue
        session = choose(state, active, agents)
        if session is not None:
            heapq.heappop(heap)
            dispatch(state, active, session, now)
        elif active.job.target.choose is Choose.STICKY:
            aside.append(heapq.heappop(heap))
        else:
            break
    for entry in aside:
        heapq.heappush(heap, entry)


def choose(state: State, active: Active, agents: list[str]) -> Session | None:
    """The agent for a run, by its job's rule; None when none has a free slot."""
    rule = active.job.target.choose
    if rule is Choose.STICKY and agents:
        name = active.job.name
        home = max(agents, key=lambda agent_id: (rank_at_home(name, agent_id), agent_id))
        session = state.sessions[home]
        return session if session.free > 0 else None
    state.turn += 1
    free = [s for s in _window(state, agents) if s.free > 0]
    avoid = active.avoid
    others = ([s for s in free if s.agent.id != avoid] or free) if avoid else free
    if not others:
        return None
    if rule is Choose.RANDOM:
        return others[state.chance.randrange(len(others))]
    return min(others, key=_load)


def _load(session: Session) -> float:
    return session.busy / session.agent.slots


def _window(state: State, agents: list[str]) -> list[Session]:
    if len(agents) <= WINDOW:
        return [state.sessions[agent_id] for agent_id in agents]
    first = state.turn * WINDOW % len(agents)
    some = (agents + agents[:WINDOW])[first : first + WINDOW]
    window = [state.sessions[agent_id] for agent_id in some]
    if any(session.free > 0 for session in window):
        return window
    return [state.sessions[agent_id] for agent_id in agents]


def dispatch(state: State, active: Active, session: Session, now: Now) -> None:
    """Give a queued run to an agent. The order leaves after this state is durable."""
    transitions.after(active.run.state, transitions.Cause.DISPATCH, active.run.id)
    run = active.run = replace(
        active.run,
        state=RunState.DISPATCHED,
        reason="",
        not_before_us=None,
        agent_id=session.agent.id,
        agent=session.agent.name,
        spool=session.spool,
        dispatched_us=now.wall_us,
    )
    state.assign(run)
    state.commands.append(SaveRun(run))
    order_again(state, active, session)


def order_again(state: State, active: Active, session: Session) -> None:
    """Put the order of a dispatched run into the agent's outbox."""
    session.outbox.append(order_of(active))
    state.outgoing[session.agent.id] = None


def order_of(active: Active) -> Order:
    """What an agent needs to know to run the current attempt."""
    run, job = active.run, active.job
    env = dict(job.env)
    for name, value in run.params.items():
        env[f"TOCSIN_PARAM_{name.upper()}"] = value
    env["TOCSIN_RUN_ID"] = run.id
    env["TOCSIN_ATTEMPT"] = str(run.attempt)
    env["TOCSIN_JOB"] = run.job
    env["TOCSIN_TRIGGER"] = run.trigger
    key = run.id
    if run.due_us is not None:
        env["TOCSIN_DUE"] = due = to_rfc3339(run.due_us)
        key = f"{run.job}/{due}" if run.slot == 0 else f"{run.job}/{due}/{run.slot}"
    env["TOCSIN_IDEMPOTENCY_KEY"] = key
    return Order(
        key_of(run),
        run.job,
        job.executor,
        job.config,
        env,
        run.due_us,
        job.timeout_s,
        job.kill_after_s,
        job.output.keep_bytes,
    )


def _send_orders(state: State) -> None:
    for agent_id in state.outgoing:
        session = state.sessions[agent_id]
        orders, session.outbox = session.outbox, []
        for part in _parts(orders):
            state.say(agent_id, Dispatch(session.id, state.epoch, session.orders_sent + 1, part))
            session.orders_sent += len(part)
    state.outgoing.clear()


def _parts(orders: list[Order]) -> Iterator[list[Order]]:
    """Orders in lists that fit into a message."""
    part: list[Order] = []
    size = 0
    for order in orders:
        order_bytes = len(wire.encode(order))
        if part and (len(part) == ORDERS_MAX or size + order_bytes > ORDERS_BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(order)
        size += order_bytes
    if part:
        yield part
