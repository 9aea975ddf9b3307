"""What the machine wants done. All saves of a batch are durable before any send or reply."""

from __future__ import annotations

import msgspec

from tocsin.execution import AttemptKey
from tocsin.messages.agent_link import Chunk, ToAgent
from tocsin.messages.client_answers import Answer
from tocsin.model import (
    Agent,
    AuditEntry,
    Calendar,
    Condition,
    Incident,
    JobRow,
    Pause,
    Pool,
    Restore,
    Run,
)

from .events import Asker


class SaveJob(msgspec.Struct, frozen=True):
    """Keep this version of a job, and its cursor."""

    row: JobRow


class MoveCursor(msgspec.Struct, frozen=True):
    """The job's next due time without a record is now this one."""

    row: JobRow


class DropJob(msgspec.Struct, frozen=True):
    """Forget a job; its runs stay."""

    row: JobRow
    by: str


class SaveRun(msgspec.Struct, frozen=True):
    """Keep this state of a run; the last one of a batch counts."""

    run: Run


class SaveAttempt(msgspec.Struct, frozen=True):
    """Keep an attempt that is followed by another; the last attempt is the run's own columns."""

    run: Run


class SaveOutput(msgspec.Struct, frozen=True):
    """Keep a piece of output that continues what is stored, as the run's piece `position`."""

    position: int
    chunk: Chunk


class CutOutput(msgspec.Struct, frozen=True):
    """Of a stream of an attempt, let what is stored from offset `start` up to `end` be a gap.

    Both are behind what is stored of the stream's head, and before its end.
    """

    key: AttemptKey
    stream: int
    start: int
    end: int


class SaveAgent(msgspec.Struct, frozen=True):
    """Keep what is known of an agent."""

    agent: Agent


class SaveDependency(msgspec.Struct, frozen=True):
    """Keep one of the ends that a job waits for, as it stands."""

    condition: Condition


class DropDependencies(msgspec.Struct, frozen=True):
    """Forget all that a job comes after."""

    job_id: int


class SavePause(msgspec.Struct, frozen=True):
    """Keep a pause."""

    pause: Pause


class DropPause(msgspec.Struct, frozen=True):
    """Forget a pause that concerns no due time any more."""

    pause_id: str


class SaveCalendar(msgspec.Struct, frozen=True):
    """Keep a calendar."""

    calendar: Calendar


class DropCalendar(msgspec.Struct, frozen=True):
    """Forget a calendar."""

    name: str


class SavePool(msgspec.Struct, frozen=True):
    """Keep a pool."""

    pool: Pool


class DropPool(msgspec.Struct, frozen=True):
    """Forget a pool."""

    name: str


class SaveIncident(msgspec.Struct, frozen=True):
    """Keep what befell the coordinator's time."""

    incident: Incident


class SaveAudit(msgspec.Struct, frozen=True):
    """Keep who did what. The store numbers the entry and chains its digest."""

    entry: AuditEntry


class SaveRestore(msgspec.Struct, frozen=True):
    """Keep that the store is a backup that was restored."""

    restore: Restore


class LeaveAttempts(msgspec.Struct, frozen=True):
    """Tell that an agent goes on with attempts whose runs are not known here."""

    agent: Agent
    keys: list[AttemptKey]


class FetchDue(msgspec.Struct, frozen=True):
    """Answer with `JobsDue`: the rows of these (due, job id)."""

    due: list[tuple[int, int]]


class FetchFires(msgspec.Struct, frozen=True):
    """Answer with `FiresEnded`: the runs of these groups, and the rows of these jobs."""

    groups: list[str]
    job_ids: list[int]


class Send(msgspec.Struct, frozen=True):
    """Say this to an agent."""

    agent_id: str
    message: ToAgent


class Reply(msgspec.Struct, frozen=True):
    """Answer a client."""

    asker: Asker
    answer: Answer


Command = (
    SaveJob
    | MoveCursor
    | DropJob
    | SaveRun
    | SaveAttempt
    | SaveOutput
    | CutOutput
    | SaveAgent
    | SaveDependency
    | DropDependencies
    | SavePause
    | DropPause
    | SaveCalendar
    | DropCalendar
    | SavePool
    | DropPool
    | SaveIncident
    | SaveAudit
    | SaveRestore
    | LeaveAttempts
    | FetchDue
    | FetchFires
    | Send
    | Reply
)
