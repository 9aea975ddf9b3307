"""Who is who: keys and their roles, agents by id, and how a host is let in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Final

from msgspec.structs import replace

from tocsin.errors import RequestError
from tocsin.instants import SECOND_US
from tocsin.messages import PROTOCOL_VERSION
from tocsin.messages.client_answers import Token
from tocsin.messages.client_link import CreateToken
from tocsin.messages.enrolment import (
    Denied,
    Enrol,
    Enrolled,
    Pending,
    ToStranger,
    fingerprint,
    token_mac,
)
from tocsin.model import HUMAN_RANK, Agent, AgentState, Role

from .machine.commands import SaveAgent
from .store.port import PeerRow, PendingRow, Store, TokenRow

PENDING_MAX: Final = 1000
NAME_LENGTH_MAX: Final = 128
WRONG_TOKEN: Final = "the token is unknown, used up or expired: ask for a new join string"  # noqa: S105 - a sentence


class Registry:
    """The keys that the store holds, at hand for every message. Changes go through the store."""

    def __init__(
        self, store: Store, *, server_key: str, port: int, new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._server_key = server_key
        self._port = port
        self._new_id = new_id
        self._peers = {peer.key: peer for peer in store.peers()}
        self.agents: dict[str, Agent] = {agent.id: agent for agent in store.agents()}
        self._pending = {pending.key: pending for pending in store.pendings()}
        self._let_in_lately: list[Agent] = []

    # Looking up.

    def knows(self, key: str) -> bool:
        """Whether a key may connect."""
        return key in self._peers

    def peer(self, key: str) -> PeerRow | None:
        """Who a key belongs to, now."""
        return self._peers.get(key)

    def everyone(self) -> list[Agent]:
        """All agents, and after them the hosts that wait to be let in."""
        waiting = [
            Agent(
                id="",
                key=pending.key,
                name=pending.name,
                state=AgentState.PENDING,
                last_seen_us=pending.asked_us,
            )
            for pending in self._pending.values()
        ]
        return [*sorted(self.agents.values(), key=lambda agent: agent.name), *waiting]

    # Changing.

    def take_let_in(self) -> list[Agent]:
        """The agents that were let in since this was last asked."""
        taken, self._let_in_lately = self._let_in_lately, []
        return taken

    def note(self, agents: Iterable[Agent]) -> None:
        """Take over what the machine saved of agents."""
        for agent in agents:
            self.agents[agent.id] = agent

    def admit(self, keys: Iterable[str]) -> None:
        """Let these clients do everything."""
        for key in keys:
            if key not in self._peers:
                self._keep(PeerRow(key, Role.ADMIN, "admin"))

    def _keep(self, peer: PeerRow) -> None:
        self._peers[peer.key] = peer
        self._store.stage_peer(peer)

    def create_token(self, ask: CreateToken, port: int, now_us: int) -> Token:
        """A token, with the only copy of its secret.

        Raises:
            RequestError: its terms make no sense.
        """
        if ask.uses < 1 or not 0 < ask.ttl_s <= 366 * 86_400:
            raise RequestError("a token has at least one use, and lives for at most a year")
        if ask.role not in HUMAN_RANK:
            raise RequestError(f"a token cannot give the role {ask.role}")
        secret = secrets.token_hex(16)
        token = TokenRow(
            id=secrets.token_hex(4),
            digest=hashlib.sha256(secret.encode()).digest(),
            expires_us=now_us + round(ask.ttl_s * SECOND_US),
            uses_left=ask.uses,
            name_glob=ask.name_glob,
            tags=ask.tags,
            role=ask.role,
        )
        self._store.stage_token(token)
        return Token(token.id, secret, port, token.expires_us)

    def enrol(self, key: str, ask: Enrol, now_us: int) -> ToStranger:
        """Answer a host that asks to be let in. `key` is proven by the handshake."""
        if ask.protocol != PROTOCOL_VERSION:
            return Denied(f"protocol {ask.protocol} is not spoken here: install the same version")
        if not ask.name or len(ask.name) > NAME_LENGTH_MAX or not ask.name.isprintable():
            return Denied("an agent's name is 1 to 128 printable characters")
        known = self._peers.get(key)
        if known is not None:
            if known.role is not Role.AGENT:
                return Denied("this key belongs to a client")
            agent = self.agents[known.agent_id]
            return Enrolled(agent.id, agent.name, self._port)
        if not ask.token_id:
            return self._wait(key, ask, now_us)
        token = self._store.token(ask.token_id)
        if token is None or not self._good(token, key, ask, now_us):
            return Denied(WRONG_TOKEN)
        if not fnmatchcase(ask.name, token.name_glob):
            return Denied(f"the token is for hosts named {token.name_glob}")
        if self._taken(ask.name):
            return Denied(f"an agent named {ask.name} exists: choose another with --name")
        self._store.stage_token(replace(token, uses_left=token.uses_left - 1))
        agent = self._let_in(key, ask.name, token.tags)
        if ask.client_key:
            self._keep(PeerRow(ask.client_key, token.role, _user_at(ask.name)))
        return Enrolled(agent.id, agent.name, self._port)

    def _good(self, token: TokenRow, key: str, ask: Enrol, now_us: int) -> bool:
        mac = token_mac(token.digest, key, self._server_key, ask.client_key)
        fits = hmac.compare_digest(mac, ask.mac)
        return fits and token.uses_left > 0 and now_us < token.expires_us

    def _taken(self, name: str) -> bool:
        named = self._named(name)
        return named is not None and named.state is not AgentState.REVOKED

    def _named(self, name: str) -> Agent | None:
        return next((agent for agent in self.agents.values() if agent.name == name), None)

    def strike_off(self, agent: Agent) -> None:
        """Hear nothing more of an agent, nor of the command line that was let in with it."""
        user = _user_at(agent.name)
        for peer in list(self._peers.values()):
            if peer.agent_id == agent.id or (peer.name == user and not peer.agent_id):
                del self._peers[peer.key]
                self._store.stage_struck_off(peer.key)

    def _let_in(self, key: str, name: str, tags: dict[str, str]) -> Agent:
        revoked = self._named(name)
        agent_id = revoked.id if revoked is not None else self._new_id()
        agent = Agent(id=agent_id, key=key, name=name, tags=tags, given_tags=tags)
        self.agents[agent.id] = agent
        self._let_in_lately.append(agent)
        self._store.stage([SaveAgent(agent)])
        self._keep(PeerRow(key, Role.AGENT, name, agent.id))
        return agent

    def _wait(self, key: str, ask: Enrol, now_us: int) -> ToStranger:
        if key not in self._pending:
            if len(self._pending) >= PENDING_MAX:
                return Denied("too many hosts wait to be accepted: use a join string")
            self._pending[key] = pending = PendingRow(key, ask.name, ask.client_key, now_us)
            self._store.stage_pending(pending)
        return Pending(fingerprint(key))

    def accept(self, asked_fingerprint: str) -> Agent:
        """Let in the waiting host with this fingerprint.

        Raises:
            RequestError: nobody waits with it, or its name is taken.
        """
        waiting = {fingerprint(key): pending for key, pending in self._pending.items()}
        pending = waiting.get(asked_fingerprint)
        if pending is None:
            raise RequestError(
                f"no host waits with the fingerprint {asked_fingerprint}",
                "see who waits: tocsin agent list",
            )
        if self._taken(pending.name):
            raise RequestError(
                f"an agent named {pending.name} exists",
                "start the new one with another --name",
            )
        del self._pending[pending.key]
        self._store.stage_settled(pending.key)
        return self._let_in(pending.key, pending.name, {})


def _user_at(name: str) -> str:
    """What the command line of a host is called."""
    return f"user@{name}"
