"""What the coordinator is told of the agent's executors: which there are, and how they are."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from tocsin.execution import Health, Offer
from tocsin.messages.agent_link import Descriptions, Offers

from .commands import Note, ProbeExecutors, Send
from .events import ExecutorsProbed
from .state import Phase, State

BODIES_MAX: Final = 12
"""Descriptions in one message: so many of the largest fit."""


def on_probed(state: State, event: ExecutorsProbed) -> None:
    """All executors were looked at."""
    for offer in event.offers:
        before = state.offers.get(offer.name)
        if not offer.available and (before is None or before.available):
            state.note("executor.unavailable", executor=offer.name, reason=offer.message)
    state.offers = {offer.name: offer for offer in event.offers}
    state.bodies = event.bodies
    tell(state)


def on_health(state: State, executor: str, health: Health) -> None:
    """An executor that has runs says how it is."""
    offer = state.offers.get(executor, Offer(executor))
    _change(
        state,
        replace(offer, available=health.available, message=health.message, facts=health.facts),
    )


def on_failed(state: State, executor: str, reason: str) -> None:
    """An executor's host cannot be started. It is not offered until it was looked at again."""
    offer = state.offers.get(executor, Offer(executor))
    _change(state, replace(offer, available=False, message=reason))
    state.commands.append(ProbeExecutors())


def _change(state: State, offer: Offer) -> None:
    if offer != state.offers.get(offer.name):
        state.offers = {**state.offers, offer.name: offer}
        event = "executor.available" if offer.available else "executor.unavailable"
        facts: dict[str, str | int] = {"executor": offer.name, "reason": offer.message}
        state.commands.append(Note(event, facts, warns=not offer.available))
        tell(state)


def tell(state: State) -> None:
    """Tell the coordinator, if it hears us; else it is told in the next session."""
    if state.offers and state.link.phase is Phase.UP:
        state.commands.append(Send(Offers(state.link.session, list(state.offers.values()))))


def describe(state: State, digests: list[str]) -> None:
    """Give the descriptions that the coordinator asks for."""
    found = [state.bodies[digest] for digest in digests if digest in state.bodies]
    for first in range(0, len(found), BODIES_MAX):
        some = found[first : first + BODIES_MAX]
        state.commands.append(Send(Descriptions(state.link.session, some)))
