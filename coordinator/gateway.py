"""The door: every message is decoded here, and its sender looked up, before anything else sees it.

The CURVE key is the identity, and it is looked up in the registry for every message, so a key
that is struck off is not heard from the next message on. What may be said is a closed table: an
agent's key speaks `FromAgent`, a human's key asks what `NEEDED_ROLE` allows its role, any key may
ask to be let in on the other socket. Everything else is dropped, counted, and logged once per
sender and minute.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from tocsin import wire
from tocsin.errors import ProtocolError
from tocsin.keys import KeyPair
from tocsin.link import Hub, Listener, Peer
from tocsin.log import Log, Throttle
from tocsin.messages.agent_link import FromAgent, ToAgent
from tocsin.messages.client_answers import Answer, Declined
from tocsin.messages.client_link import NEEDED_ROLE, Ask, Reply, Request, Update
from tocsin.messages.enrolment import Enrol, ToStranger
from tocsin.model import HUMAN_RANK, Role

from .machine.events import Asker
from .registry import Registry
from .store.port import PeerRow

ENROLMENTS_A_MINUTE: Final = 600
"""Questions to be let in that are answered in a minute; others are dropped, and put again."""


class AgentSaid(msgspec.Struct, frozen=True):
    """An agent's message."""

    agent_id: str
    message: FromAgent


class ClientAsked(msgspec.Struct, frozen=True):
    """A client's request that its role allows."""

    asker: Asker
    by: str
    ask: Ask
    role: Role
    """What the client may do."""


class StrangerAsked(msgspec.Struct, frozen=True):
    """A request to be let in."""

    route: bytes
    key: str
    enrol: Enrol


Incoming = AgentSaid | ClientAsked | StrangerAsked


class Gateway:
    """The coordinator's two sockets: `members` for known keys, `strangers` for any."""

    def __init__(
        self, hub: Hub, own: KeyPair, *, bind: str, ports: tuple[int, int], log: Log
    ) -> None:
        self.dropped: Counter[str] = Counter()
        self._log = log
        self._throttle = Throttle(60)
        self._minute = 0
        self._enrolments = 0
        self._routes: dict[str, bytes] = {}
        self._registry: Registry | None = None
        host = f"[{bind}]" if ":" in bind else bind
        self.members = Listener(
            hub,
            f"tcp://{host}:{ports[0]}",
            own,
            domain="members",
            allow=self._may_connect,
            bytes_max=wire.FRAME_BYTES_MAX,
        )
        self.strangers = Listener(
            hub,
            f"tcp://{host}:{ports[1]}",
            own,
            domain="strangers",
            allow=lambda _key: True,
            bytes_max=wire.STRANGER_BYTES_MAX,
        )

    def serve(self, registry: Registry) -> None:
        """From now on, let in whom this registry knows; before, nobody is."""
        self._registry = registry

    def _may_connect(self, key: str) -> bool:
        return self._registry is not None and self._registry.knows(key)

    # Inward.

    def receive(self, now_s: float) -> Incoming | None:
        """The next message that may be heard; None when there is no more for now."""
        while (got := self.members.receive()) is not None:
            peer, data = got
            incoming = self._member(peer, data, now_s)
            if incoming is not None:
                return incoming
        while (got := self.strangers.receive()) is not None:
            peer, data = got
            incoming = self._stranger(peer, data, now_s)
            if incoming is not None:
                return incoming
        return None

    def _member(self, peer: Peer, data: bytes, now_s: float) -> Incoming | None:
        row = self._registry and self._registry.peer(peer.key)
        if not row:
            self._drop("unknown key", peer.key, "", now_s)
            return None
        try:
            if row.role is Role.AGENT:
                message = wire.decode(data, FromAgent)
                self._routes[row.agent_id] = peer.route
                return AgentSaid(row.agent_id, message)
            if row.role in HUMAN_RANK:
                return self._client(peer, row, wire.decode(data, Request), now_s)
        except ProtocolError as error:
            self._drop("undecodable", peer.key, error.message, now_s)
            return None
        self._drop("wrong role", peer.key, row.role, now_s)
        return None

    def _client(
        self, peer: Peer, row: PeerRow, request: Request, now_s: float
    ) -> ClientAsked | None:
        needed = NEEDED_ROLE.get(type(request.ask))
        asker = (peer.route, request.id)
        if needed is None or HUMAN_RANK[row.role] < HUMAN_RANK[needed]:
            what = type(request.ask).__name__
            self._drop("wrong role", peer.key, f"{row.role} asked {what}", now_s)
            self.reply(
                asker,
                Declined(
                    f"your role here is {row.role}, and this needs {needed or 'more'}",
                    "ask an administrator for a join string with that role",
                ),
            )
            return None
        return ClientAsked(asker, row.name, request.ask, row.role)

    def _stranger(self, peer: Peer, data: bytes, now_s: float) -> StrangerAsked | None:
        if int(now_s // 60) != self._minute:
            self._minute, self._enrolments = int(now_s // 60), 0
        self._enrolments += 1
        if self._enrolments > ENROLMENTS_A_MINUTE:
            self._drop("too many enrolments", "", "", now_s)
            return None
        try:
            enrol = wire.decode(data, Enrol, bytes_max=wire.STRANGER_BYTES_MAX)
        except ProtocolError as error:
            self._drop("undecodable", peer.key, error.message, now_s)
            return None
        return StrangerAsked(peer.route, peer.key, enrol)

    def _drop(self, reason: str, key: str, detail: str, now_s: float) -> None:
        self.dropped[reason] += 1
        loud, silenced = self._throttle.allow(f"{reason} {key}", now_s)
        if loud:
            self._log.warning(
                "message.dropped", reason=reason, key=key[:16], detail=detail, silenced=silenced
            )

    # Outward.

    def tell(self, agent_id: str, message: ToAgent) -> bool:
        """Send to an agent, over the connection on which it was last heard."""
        route = self._routes.get(agent_id)
        return route is not None and self.members.send(route, wire.encode(message))

    def reply(self, asker: Asker, answer: Answer) -> bool:
        """Answer a client's request."""
        route, request_id = asker
        return self.members.send(route, wire.encode(Reply(request_id, answer)))

    def update(self, route: bytes, update: Update) -> bool:
        """Send a client what changed."""
        return self.members.send(route, wire.encode(update))

    def answer_stranger(self, route: bytes, answer: ToStranger) -> bool:
        """Answer a host that asked to be let in."""
        return self.strangers.send(route, wire.encode(answer))

    def close(self) -> None:
        """Close both sockets."""
        self.members.close()
        self.strangers.close()
