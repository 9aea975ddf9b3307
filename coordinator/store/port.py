"""The store port: what the coordinator asks of a database.

Writes are *staged*, in order, and become durable together in `commit`; reads see what was staged
before them. When `commit` fails, everything staged is kept and the next `commit` tries it again,
so the caller never has to know what was in a batch. One thread uses a store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from tocsin.coordinator.machine.commands import Command
from tocsin.coordinator.machine.events import PastRun
from tocsin.coordinator.machine.machine import Stored
from tocsin.messages.client_answers import OutputPiece
from tocsin.model import Agent, AuditEntry, Incident, JobRow, JobVersion, Role, Run, RunState


class PeerRow(msgspec.Struct, frozen=True):
    """Who a key belongs to, and what it may do."""

    key: str
    role: Role
    name: str
    agent_id: str = ""


class TokenRow(msgspec.Struct, frozen=True):
    """A token that lets hosts in. `digest` is the SHA-256 of its secret."""

    id: str
    digest: bytes
    expires_us: int
    uses_left: int
    name_glob: str
    tags: dict[str, str]
    role: Role


class PendingRow(msgspec.Struct, frozen=True):
    """A host that asked to be let in without a token."""

    key: str
    name: str
    client_key: str
    asked_us: int


class Writing(Protocol):
    """What is kept: staged now, durable with the next `commit`."""

    def stage(self, commands: Iterable[Command]) -> None:
        """Stage the saves among the commands; the last save of one thing counts."""
        ...

    def stage_peer(self, peer: PeerRow) -> None:
        """Stage who a key belongs to."""
        ...

    def stage_struck_off(self, key: str) -> None:
        """Stage that a key belongs to nobody any more."""
        ...

    def stage_token(self, token: TokenRow) -> None:
        """Stage a token, or what is left of it."""
        ...

    def stage_pending(self, pending: PendingRow) -> None:
        """Stage a host that asks to be let in."""
        ...

    def stage_settled(self, key: str) -> None:
        """Stage that a host does not wait to be let in any more."""
        ...

    def stage_setting(self, name: str, value: str | int) -> None:
        """Stage something that the coordinator remembers about itself."""
        ...

    def stage_description(self, digest: str, body: bytes) -> None:
        """Stage the description of an executor."""
        ...

    def stage_undescribed(self, digest: str) -> None:
        """Stage that a description is of no use any more."""
        ...

    def commit(self) -> None:
        """Make everything staged durable, output first."""
        ...

    @property
    def dirty(self) -> bool:
        """Whether something is staged."""
        ...


class Jobs(Protocol):
    """Jobs, as they are and as they were."""

    def jobs_by_id(self, ids: Sequence[int]) -> dict[int, JobRow]:
        """The jobs of these ids that exist."""
        ...

    def jobs_by_name(self, names: Sequence[str]) -> dict[str, JobRow]:
        """The jobs of these names that exist, with what is known of their last runs."""
        ...

    def list_jobs(self, after: str, limit: int) -> list[JobRow]:
        """Jobs by name, from behind `after`, with the state of their last run."""
        ...

    def job_versions(self, name: str) -> list[JobVersion]:
        """All that the jobs of this name ever were, removals included, oldest first."""
        ...

    def last_versions(self, names: Sequence[str]) -> dict[str, int]:
        """The last version of each of these names that a job ever had."""
        ...

    def jobs_with(self, kind: str, name: str) -> list[str]:
        """The names of the jobs that use a `calendar` or a `pool`."""
        ...

    def count_jobs(self) -> int:
        """How many jobs there are."""
        ...


class Runs(Protocol):
    """Runs, their attempts and their output."""

    def runs(self, ids: Sequence[str]) -> dict[str, Run]:
        """The runs of these ids that exist."""
        ...

    def fires(self, groups: Sequence[str]) -> dict[str, list[Run]]:
        """All runs of these groups, by group; each group in the order of its numbers."""
        ...

    def list_runs(self, job: str, states: Sequence[RunState], before: str, limit: int) -> list[Run]:
        """Runs, newest first, older than the run id `before`; empty filters let all pass."""
        ...

    def runs_due(self, job_ids: Sequence[int], due_us: int) -> list[Run]:
        """The records of a due time, by slot; a skip of several due times is that of each."""
        ...

    def past_runs(self, ids: Sequence[str]) -> dict[str, PastRun]:
        """Runs with their jobs and how much of their output is stored."""
        ...

    def attempts(self, run_id: str) -> list[Run]:
        """The attempts of a run that were followed by another, oldest first."""
        ...

    def read_output(
        self, run_id: str, attempt: int, after: int, bytes_max: int
    ) -> tuple[list[OutputPiece], bool]:
        """Output behind a position, at most about `bytes_max`; whether there is more."""
        ...

    def not_kept(self, ids: Sequence[str]) -> dict[str, int]:
        """How many bytes of their output are not kept, of those runs of which some are not."""
        ...

    def read_output_back(
        self, run_id: str, before: int, bytes_max: int
    ) -> tuple[list[OutputPiece], bool]:
        """The last output before a position (0: the last of all); whether there is earlier.

        It is at most about `bytes_max`, and in order of arrival.
        """
        ...


class Members(Protocol):
    """Agents, what they offer, and the keys of all who may connect."""

    def agents(self) -> list[Agent]:
        """All agents."""
        ...

    def descriptions(self) -> dict[str, bytes]:
        """The descriptions of executors, by digest."""
        ...

    def peers(self) -> list[PeerRow]:
        """All keys that may connect."""
        ...

    def token(self, token_id: str) -> TokenRow | None:
        """The token of this id."""
        ...

    def pendings(self) -> list[PendingRow]:
        """The hosts that wait to be let in."""
        ...


class Records(Protocol):
    """What was done by whom, what befell the coordinator, and what it remembers of itself."""

    def setting(self, name: str) -> str | int | None:
        """What the coordinator remembers about itself; None: nothing."""
        ...

    def incidents(self, from_us: int, until_us: int) -> list[Incident]:
        """What befell the coordinator's time in a span, oldest first."""
        ...

    def audit(self, subject: str, since_us: int, before: int, limit: int) -> list[AuditEntry]:
        """Who did what, newest first, below the number `before`; '' means every subject."""
        ...

    def audit_after(self, number: int, limit: int) -> list[AuditEntry]:
        """Who did what, oldest first, above a number."""
        ...


class Store(Writing, Jobs, Runs, Members, Records, Protocol):
    """The coordinator's memory.

    Every method may raise `StoreError` when the database cannot be read or written now; a later
    call may succeed. A store that was opened belongs to one process alone.
    """

    def next_epoch(self) -> int:
        """Begin a new epoch, durably: higher than every one before."""
        ...

    def stored(self) -> Stored:
        """All that a machine begins with: due times sorted, runs that are not over oldest first."""
        ...

    def close(self) -> None:
        """Let go of the database; what is staged and not committed is gone."""
        ...
