"""What the fleet's executors are: their descriptions, as agents publish them.

Agents name a description by its digest; one that is not known yet is asked for, once for all of
the many agents that have the same. A block is checked against what the agents say, also while
none of them is connected.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from tocsin import wire
from tocsin.errors import ExecutorError, ProtocolError
from tocsin.execution import (
    DESCRIPTION_BYTES_MAX,
    Executor,
    beyond,
    capabilities_of,
    check_config,
    load_executor,
)
from tocsin.model import Agent, AgentState, Description, Job, OfferedExecutor
from tocsin.published import known_capabilities, published_executor

from .store.port import Store

DESCRIPTIONS_MAX: Final = 2_000
ASKED_MAX: Final = 64
"""The most descriptions that one agent is asked for at once."""
NAMED_MAX: Final = 20
_GONE: Final = frozenset({AgentState.REVOKED, AgentState.PENDING})


class Catalogue:
    """The descriptions that are known, and which agents go by them."""

    def __init__(self, store: Store, agents: Callable[[], Iterable[Agent]]) -> None:
        self._store = store
        self._agents = agents
        self._known: dict[str, Description] = {}
        self._checks: dict[str, type[Executor] | None] = {}
        self._installed: dict[str, type[Executor] | ExecutorError] = {}
        wanted = {offer.digest for agent in agents() for offer in agent.offers}
        for digest, body in store.descriptions().items():
            described = _read(digest, body)
            if described is None or digest not in wanted:
                store.stage_undescribed(digest)
            else:
                self._known[digest] = described

    def missing(self, digests: Iterable[str]) -> list[str]:
        """Those that have to be asked for."""
        room = max(DESCRIPTIONS_MAX - len(self._known), 0)
        wanted = [digest for digest in digests if digest and digest not in self._known]
        return wanted[: min(ASKED_MAX, room)]

    def take(self, bodies: Iterable[bytes]) -> None:
        """Keep what an agent published; what is none is left out."""
        for body in bodies:
            digest = hashlib.sha256(body).hexdigest()[:32]
            described = _read(digest, body)
            if described is not None and digest not in self._known:
                self._known[digest] = described
                self._store.stage_description(digest, body)

    def offered(self) -> list[OfferedExecutor]:
        """All that agents offer, by name, those that most of them have first."""
        by_digest: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for agent in sorted(self._agents(), key=lambda it: it.name):
            if agent.state not in _GONE:
                for offer in agent.offers:
                    why = "" if offer.available else offer.message or "it does not work there"
                    by_digest[self._digest_of(offer.name, offer.digest)].append((agent.name, why))
        rows = [self._row(digest, agents) for digest, agents in by_digest.items() if digest in self]
        return sorted(rows, key=lambda row: (row.description.name, -row.agents))

    def __contains__(self, digest: str) -> bool:
        return digest in self._known

    def _digest_of(self, name: str, digest: str) -> str:
        """Of an executor that does not import there: how it is described elsewhere."""
        if digest:
            return digest
        return next((d for d, known in self._known.items() if known.name == name), "")

    def _row(self, digest: str, agents: list[tuple[str, str]]) -> OfferedExecutor:
        able = [name for name, why in agents if not why]
        unable = {name: why for name, why in agents if why}
        return OfferedExecutor(
            description=self._known[digest],
            agents=len(able),
            some=able[:NAMED_MAX],
            unavailable=dict(list(unable.items())[:NAMED_MAX]),
            unavailable_agents=len(unable),
        )

    # Checking.

    def check(self, name: str, block: Mapping[str, Any]) -> None:
        """Check the block of a job: one kind of agent that takes it is enough.

        Raises:
            ExecutorError: nobody offers such an executor.
            msgspec.ValidationError: with the path of the fault below the block.
        """
        digests = self._digests(name)
        if not digests:
            self._check_unpublished(name, block)
            return
        fault: msgspec.ValidationError | None = None
        for digest in digests:
            try:
                self._check(digest, block)
            except msgspec.ValidationError as error:
                fault = fault or error
            else:
                return
        assert fault is not None
        raise fault

    def check_capabilities(self, job: Job) -> None:
        """Check that one kind of agent can do what a job asks for besides its block.

        Raises:
            ExecutorError: none can; names the key.
        """
        known = [
            known_capabilities(self._known[it].capabilities) for it in self._digests(job.executor)
        ]
        if not known and not isinstance(installed := self._load(job.executor), ExecutorError):
            known.append(capabilities_of(installed))
        faults = [list(beyond(job.executor, it, job.limits, job.run_as)) for it in known]
        if faults and all(faults):
            key, wrong = faults[0][0]
            raise ExecutorError(f"{key}: {wrong}")

    def _digests(self, name: str) -> list[str]:
        offers = (o for agent in self._agents() for o in agent.offers if o.name == name)
        return list(dict.fromkeys(o.digest for o in offers if o.digest in self._known))

    def _check_unpublished(self, name: str, block: Mapping[str, Any]) -> None:
        installed = self._load(name)
        if isinstance(installed, ExecutorError):
            if not any(_has(agent, name) for agent in self._agents()):
                raise installed
        else:
            check_config(installed, dict(block))

    def _check(self, digest: str, block: Mapping[str, Any]) -> None:
        described = self._known[digest]
        installed = self._load(described.use)
        if not isinstance(installed, ExecutorError):
            check_config(installed, {**described.defaults, **block})
            return
        if digest not in self._checks:
            try:
                self._checks[digest] = published_executor(described, patterns=False)
            except ValueError:
                self._checks[digest] = None  # its agents will say themselves what is wrong
        executor = self._checks[digest]
        if executor is not None:
            check_config(executor, {**described.defaults, **block})

    def _load(self, use: str) -> type[Executor] | ExecutorError:
        """The executor, where it is installed here: it knows more than its schema."""
        if use not in self._installed:
            try:
                self._installed[use] = load_executor(use)
            except ExecutorError as error:
                self._installed[use] = error
        return self._installed[use]


def _has(agent: Agent, name: str) -> bool:
    return name in agent.executors or any(offer.name == name for offer in agent.offers)


def _read(digest: str, body: bytes) -> Description | None:
    if len(body) > DESCRIPTION_BYTES_MAX or hashlib.sha256(body).hexdigest()[:32] != digest:
        return None
    try:
        described: Description = wire.decode(body, Description)
    except ProtocolError:
        return None
    return described
