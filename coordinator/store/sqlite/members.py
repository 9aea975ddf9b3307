"""Agents, what they offer, and the keys of all who may connect."""

from __future__ import annotations

import msgspec

from tocsin.coordinator.store.port import PeerRow, PendingRow, TokenRow
from tocsin.coordinator.store.rows import agent_of
from tocsin.model import Agent, Role

from .tables import Tables


class MemberTables(Tables):
    """See `tocsin.coordinator.store.port.Members`."""

    def agents(self) -> list[Agent]:
        return [agent_of(row) for row in self._read("agents")]

    def descriptions(self) -> dict[str, bytes]:
        return {row["digest"]: row["body"] for row in self._read("descriptions")}

    def peers(self) -> list[PeerRow]:
        return [
            PeerRow(r["key"], Role(r["role"]), r["name"], r["agent_id"])
            for r in self._read("peers")
        ]

    def token(self, token_id: str) -> TokenRow | None:
        for row in self._read("token", token_id):
            head = (row["id"], row["digest"], row["expires_us"], row["uses_left"], row["name_glob"])
            return TokenRow(*head, msgspec.json.decode(row["tags"]), Role(row["role"]))
        return None

    def pendings(self) -> list[PendingRow]:
        return [PendingRow(*row) for row in self._read("pendings")]
