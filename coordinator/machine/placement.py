"""Which agent gets a run, and the orders that follow."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from tocsin import wire
from tocsin.execution import Limits, Order
from tocsin.instants import Now, to_rfc3339
from tocsin.messages.agent_link import Dispatch
from tocsin.model import Choose, RunState
from tocsin.targeting import Demand, matches, pin_of

from . import pauses, pools, transitions
from .choosing import Choice, choose
from .commands import SaveRun
from .state import Active, Place, Queue, Session, State, key_of

_UNLIMITED: Final = Limits()
ASIDE_MAX: Final = 64
"""So many runs that must wait for one busy agent are looked past in one turn."""
ORDERS_MAX: Final = 500
"""The most orders in one message."""
ORDERS_BYTES_MAX: Final = 512 << 10
"""The most bytes of orders in one message, but for an order that alone is larger."""


def candidates(state: State, demand: Demand) -> list[str]:
    """The connected agents that may take a run, whether or not they have a free slot."""
    pin = pin_of(demand)
    if pin:
        session = state.sessions.get(pin)
        return [pin] if session is not None and _may_take(state, session, demand) else []
    found = state.candidates.get(demand)
    if found is None:
        sessions = state.sessions.values()
        found = [s.agent.id for s in sessions if _may_take(state, s, demand)]
        state.candidates[demand] = found
    return found


def _may_take(state: State, session: Session, demand: Demand) -> bool:
    agent = session.agent
    return agent.held is None and matches(agent, demand) and not pauses.holds(state, agent)


def place_waiting(state: State, now: Now) -> None:
    """Give waiting runs to agents with free slots: by priority, then by age, over all queues.

    A queue whose first run has no agent, or whose pool is full, is left alone for this turn.
    """
    queues = state.waiting.take_stirred()
    heads = [(heap[0], queue) for queue, heap in queues.items()]
    heapq.heapify(heads)
    aside: dict[Queue, list[Place]] = {}
    while heads:
        _, queue = heads[0]
        heap = queues[queue]
        if not _place_first(state, heap, aside.setdefault(queue, []), now):
            heapq.heappop(heads)
        elif heap:
            heapq.heapreplace(heads, (heap[0], queue))
        else:
            heapq.heappop(heads)
    for queue, places in aside.items():
        heap = queues[queue]
        for place in places:
            heapq.heappush(heap, place)
        if not heap:
            state.waiting.drop(queue)
    _send_orders(state)


def _place_first(
    state: State,
    heap: list[Place],
    aside: list[Place],
    now: Now,
) -> bool:
    """Deal with the first run of a queue; False when nothing can be done for the queue."""
    active = state.active.get(heap[0][2])
    if active is None or active.run.state is not RunState.QUEUED or not active.may_go:
        heapq.heappop(heap)
        return True
    if pools.is_full(state, active.job.pool):
        return False
    choice = choose(state, active, candidates(state, active.demand))
    if choice is not None:
        heapq.heappop(heap)
        dispatch(state, active, choice, now)
        return True
    if active.job.target.choose is not Choose.STICKY or len(aside) >= ASIDE_MAX:
        return False
    aside.append(heapq.heappop(heap))
    return True


def dispatch(state: State, active: Active, choice: Choice, now: Now) -> None:
    """Give a queued run to an agent. The order leaves after this state is durable."""
    session = choice.session
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
        placed=choice.why,
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
    env["TOCSIN_AGENT"] = run.agent
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
        job.secrets,
        job.expect,
        None if job.limits == _UNLIMITED else job.limits,
        job.run_as,
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
