"""What a checker judges: the ledger, and what the jobs themselves bear witness to.

All instants of witnesses are on one true clock, which no part of the product can see. Instants in
the ledger are whatever the clocks of those who wrote them showed.
"""

from __future__ import annotations

import enum

import msgspec

from tocsin.execution import AttemptKey
from tocsin.messages.client_answers import OutputPiece
from tocsin.model import AuditEntry, Job, Pause, Run

from .acts import Act


class Violation(Exception):  # noqa: N818 - named for the fact
    """A promise was broken. `run_id` names the run it was broken to, if it was one."""

    def __init__(self, invariant: str, message: str, run_id: str = "") -> None:
        super().__init__(f"{invariant}: {message}")
        self.invariant = invariant
        self.message = message
        self.run_id = run_id


class Ending(enum.StrEnum):
    """What ended a process, as it saw it."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    CANCEL = "cancel"
    CRASH = "crash"
    """Its host or machine died and took it along."""


class Start(msgspec.Struct, frozen=True):
    """A job's process says: I began."""

    key: AttemptKey
    agent_id: str
    at_us: int
    epoch: int = 0
    """The highest that the agent had seen."""


class End(msgspec.Struct, frozen=True):
    """A job's process says, or its kernel does: it ended."""

    key: AttemptKey
    at_us: int
    ending: Ending
    exit_code: int | None = None


class Term(msgspec.Struct):
    """A span of due times under one definition of a job: later than `after_us`, to `until_us`."""

    job_id: int
    job: Job
    version: int
    paused: bool
    after_us: int
    until_us: int | None = None
    pause_until_us: int | None = None
    """When `paused` ends by itself."""


class Excuse(msgspec.Struct):
    """A fault that may cost knowledge of runs. `agent_id` empty: of any agent."""

    kind: str
    agent_id: str
    from_us: int
    until_us: int | None = None


class Loss(msgspec.Struct, frozen=True):
    """An attempt that the ledger once gave up, and between which true instants it was under way."""

    key: AttemptKey
    agent_id: str
    reason: str
    from_us: int
    until_us: int


class Wish(msgspec.Struct, frozen=True):
    """What clients may expect of a job: one of these (definition or none, paused)."""

    name: str
    states: list[tuple[Job | None, bool]]


class Evidence(msgspec.Struct):
    """Everything there is to judge at the end."""

    runs: list[Run]
    attempts: list[Run]
    """Attempts that were followed by another, as they ended."""
    starts: list[Start]
    ends: list[End]
    terms: list[Term]
    output: dict[str, list[OutputPiece]] = {}
    cut: frozenset[str] = frozenset()
    """Runs of which output was let go that had been stored."""
    """What is stored of each run, in order."""
    printed: dict[tuple[AttemptKey, int], bytes] = {}
    """What each attempt wrote to each stream."""
    pauses: list[Pause] = []
    """Every version of every maintenance."""
    acts: list[Act] = []
    """What durable decisions did."""
    audit: list[AuditEntry] = []
    losses: list[Loss] = []
    excuses: list[Excuse] = []
    wishes: list[Wish] = []
    jobs: dict[str, tuple[Job, bool]] = {}
    """What the store says of each job."""
    removed_us: dict[int, int] = {}
    """True instant at which the removal of a job was acknowledged."""
    ordered_us: dict[AttemptKey, int] = {}
    """True instant at which an attempt was given to an agent."""
    epochs: list[int] = []
    leftovers: list[str] = []
    """What parts still hold that should be empty by now."""
    patience_us: dict[str, int] = {}
    """How long each kind of excuse must have lasted."""
