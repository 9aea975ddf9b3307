"""What a client and the coordinator say to each other.

A client asks with `Request`s, each answered by one `Reply` with the same id. After `Subscribe`
it is also sent `Update`s: first a snapshot in parts, then changes, numbered without a gap. A
client that sees a gap subscribes again. All of it travels on one connection in order, so a
snapshot and the changes that follow it cannot overtake each other.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tocsin.model import (
    Agent,
    Calendar,
    Job,
    JobRow,
    Pool,
    Role,
    Run,
    RunState,
    Scope,
)

from .client_answers import Answer

PAGE_ROWS_MAX: Final = 500
"""The most rows in one answer; a longer list is asked for page by page."""
OUTPUT_BYTES_MAX: Final = 256 << 10
"""The most output bytes in one answer."""
FIND_CHARS_MAX: Final = 256
"""The longest text that can be looked for in output."""
FIND_BYTES_MAX: Final = 1 << 20
"""The most output bytes that are looked through for one answer: some milliseconds' work."""
WAIT_S_MAX: Final = 25.0
"""The longest that an answer is held back for something to happen."""


class GetStatus(msgspec.Struct, frozen=True, array_like=True, tag="get_status"):
    """How the coordinator is."""


class ListJobs(msgspec.Struct, frozen=True, array_like=True, tag="list_jobs"):
    """Jobs by name, after the name `after`."""

    after: str = ""
    limit: int = PAGE_ROWS_MAX


class GetJobs(msgspec.Struct, frozen=True, array_like=True, tag="get_jobs"):
    """The jobs of these names; those that do not exist are left out."""

    names: list[str]


class PutJobs(msgspec.Struct, frozen=True, array_like=True, tag="put_jobs"):
    """Create, change and remove jobs, calendars and pools: all of it or nothing.

    What is unchanged keeps its version. What does not fit into one message comes in parts on one
    connection, numbered from 0, each but the last with `more`; it is all done with the last.
    """

    jobs: list[Job]
    expected: dict[str, int] = {}
    """The version each job must still have (0: it must not exist); others may have any."""
    dry_run: bool = False
    remove: list[str] = []
    calendars: list[Calendar] = []
    pools: list[Pool] = []
    remove_calendars: list[str] = []
    remove_pools: list[str] = []
    expected_shared: dict[str, str] = {}
    """`calendar NAME` or `pool NAME` with the digest it must still have ("": must not exist)."""
    part: int = 0
    more: bool = False


class RemoveJobs(msgspec.Struct, frozen=True, array_like=True, tag="remove_jobs"):
    """Delete jobs; their runs stay on record, those under way go on."""

    names: list[str]


class GetJobVersions(msgspec.Struct, frozen=True, array_like=True, tag="get_job_versions"):
    """All that the jobs of this name ever were, newest first, below the version `before`."""

    name: str
    before: int = 0
    """0: from the newest on."""
    limit: int = 100


class GetShared(msgspec.Struct, frozen=True, array_like=True, tag="get_shared"):
    """All calendars and pools."""


class ListAudit(msgspec.Struct, frozen=True, array_like=True, tag="list_audit"):
    """Who did what, newest first, below the number `before` (0: from the newest on).

    An empty `subject` and a `since_us` of 0 let all pass.
    """

    subject: str = ""
    since_us: int = 0
    before: int = 0
    limit: int = 100


class WalkAudit(msgspec.Struct, frozen=True, array_like=True, tag="walk_audit"):
    """Who did what, oldest first, above the number `after`: to follow the chain of digests."""

    after: int = 0
    limit: int = PAGE_ROWS_MAX


class PauseJobs(msgspec.Struct, frozen=True, array_like=True, tag="pause_jobs"):
    """Let due times pass as skips until the jobs are resumed, or until the pause ends by itself."""

    names: list[str]
    reason: str = ""
    for_s: float | None = None
    until_us: int | None = None
    """One of these two at most; without both somebody has to resume them."""


class ResumeJobs(msgspec.Struct, frozen=True, array_like=True, tag="resume_jobs"):
    """Fire again from the next due time on."""

    names: list[str]


class PauseScope(msgspec.Struct, frozen=True, array_like=True):
    """What is to be paused: see `Scope` for the meaning of `value`."""

    scope: Scope
    value: str = ""


class StartPause(msgspec.Struct, frozen=True, array_like=True, tag="start_pause"):
    """Begin maintenance at once, one pause for each scope; answered by their ids."""

    scopes: list[PauseScope]
    reason: str = ""
    for_s: float | None = None
    until_us: int | None = None
    """One of these two at most; without both somebody has to end them."""


class EndPause(msgspec.Struct, frozen=True, array_like=True, tag="end_pause"):
    """End maintenance at once."""

    ids: list[str]


class ListPauses(msgspec.Struct, frozen=True, array_like=True, tag="list_pauses"):
    """The maintenance that is going on."""


class RunJobs(msgspec.Struct, frozen=True, array_like=True, tag="run_jobs"):
    """Run jobs now, once for each time that a name is listed."""

    names: list[str]
    params: dict[str, dict[str, str]] = {}
    """By job: the parameters that its runs are given."""


class RerunRuns(msgspec.Struct, frozen=True, array_like=True, tag="rerun_runs"):
    """Repeat the fires of these runs, on the same hosts: all of them, or those that failed."""

    ids: list[str]
    failed_only: bool = False


class ListRuns(msgspec.Struct, frozen=True, array_like=True, tag="list_runs"):
    """Runs, newest first, older than the run id `before`; empty filters let all pass."""

    job: str = ""
    states: list[RunState] = []
    before: str = ""
    limit: int = 100


class GetRuns(msgspec.Struct, frozen=True, array_like=True, tag="get_runs"):
    """Runs by id; held up to `wait_s` until all of them are over."""

    ids: list[str]
    wait_s: float = 0.0


class GetAttempts(msgspec.Struct, frozen=True, array_like=True, tag="get_attempts"):
    """The attempts of a run that were followed by another, oldest first."""

    run: str


class GetGroup(msgspec.Struct, frozen=True, array_like=True, tag="get_group"):
    """All runs of the fire or request that a run is of, by their numbers."""

    run: str


class KillRuns(msgspec.Struct, frozen=True, array_like=True, tag="kill_runs"):
    """End runs: TERM, then KILL after the job's `kill_after`."""

    ids: list[str]


class ReadOutput(msgspec.Struct, frozen=True, array_like=True, tag="read_output"):
    """Output of a run behind the position `after`; held up to `wait_s` until there is some.

    `attempt` 0 means all attempts.
    """

    run: str
    after: int = 0
    attempt: int = 0
    wait_s: float = 0.0


class ReadOutputBack(msgspec.Struct, frozen=True, array_like=True, tag="read_output_back"):
    """The last output of a run before the position `before` (0: the last of all), in its order.

    Of the page that answers, `more` says that there is earlier output, and `ended` nothing.
    """

    run: str
    before: int = 0
    bytes_max: int = OUTPUT_BYTES_MAX


class FindOutput(msgspec.Struct, frozen=True, array_like=True, tag="find_output"):
    """Look for a text in the output of a run behind `position`, or `backward` before it.

    Backward, the position 0 is the end. Not `exact`: capitals and small letters are the same.
    """

    run: str
    text: str
    position: int = 0
    backward: bool = False
    exact: bool = False


class ListAgents(msgspec.Struct, frozen=True, array_like=True, tag="list_agents"):
    """All agents, those that ask to be let in included."""


class ListExecutors(msgspec.Struct, frozen=True, array_like=True, tag="list_executors"):
    """All executors that agents offer, with their schemas."""


class CreateToken(msgspec.Struct, frozen=True, array_like=True, tag="create_token"):
    """Make a token that lets hosts in. The secret is in the answer, and nowhere else."""

    ttl_s: float = 3600.0
    uses: int = 1
    name_glob: str = "*"
    tags: dict[str, str] = {}
    role: Role = Role.VIEWER
    """What a command-line user on such a host may do."""


class AcceptAgent(msgspec.Struct, frozen=True, array_like=True, tag="accept_agent"):
    """Let in the host that asked with this fingerprint."""

    fingerprint: str


class Explain(msgspec.Struct, frozen=True, array_like=True, tag="explain"):
    """Why a job did, or did not, what it did: for one due time, or for one of its runs.

    Without either, for its last due time, or the next one while there was none.
    """

    job: str
    at_us: int | None = None
    """A due time, or an instant near one."""
    run: str = ""


class CordonAgents(msgspec.Struct, frozen=True, array_like=True, tag="cordon_agents"):
    """Give these agents no more runs; what they have goes on."""

    names: list[str]
    reason: str = ""


class UncordonAgents(msgspec.Struct, frozen=True, array_like=True, tag="uncordon_agents"):
    """Give these agents runs again, whichever order kept them from it."""

    names: list[str]


class DrainAgents(msgspec.Struct, frozen=True, array_like=True, tag="drain_agents"):
    """Give these agents no more runs; what they still run after `deadline_s` is cancelled."""

    names: list[str]
    reason: str = ""
    deadline_s: float | None = None


class UndrainAgents(msgspec.Struct, frozen=True, array_like=True, tag="undrain_agents"):
    """Give these agents runs again, whichever order kept them from it."""

    names: list[str]


class RevokeAgents(msgspec.Struct, frozen=True, array_like=True, tag="revoke_agents"):
    """Hear these agents no more. What they run is lost at once (`lost_now`), or in its time."""

    names: list[str]
    reason: str = ""
    lost_now: bool = False


class Subscribe(msgspec.Struct, frozen=True, array_like=True, tag="subscribe"):
    """Send me a snapshot, with the `runs` newest runs, and then every change."""

    runs: int = 200


class Unsubscribe(msgspec.Struct, frozen=True, array_like=True, tag="unsubscribe"):
    """Send me no more updates."""


Ask = (
    GetStatus
    | ListJobs
    | GetJobs
    | PutJobs
    | RemoveJobs
    | GetJobVersions
    | GetShared
    | ListAudit
    | WalkAudit
    | PauseJobs
    | ResumeJobs
    | StartPause
    | EndPause
    | ListPauses
    | RunJobs
    | RerunRuns
    | ListRuns
    | GetRuns
    | GetAttempts
    | GetGroup
    | KillRuns
    | ReadOutput
    | ReadOutputBack
    | FindOutput
    | ListAgents
    | ListExecutors
    | Explain
    | CreateToken
    | AcceptAgent
    | CordonAgents
    | UncordonAgents
    | DrainAgents
    | UndrainAgents
    | RevokeAgents
    | Subscribe
    | Unsubscribe
)

NEEDED_ROLE: Final[dict[type[Any], Role]] = {
    GetStatus: Role.VIEWER,
    ListJobs: Role.VIEWER,
    GetJobs: Role.VIEWER,
    GetJobVersions: Role.VIEWER,
    GetShared: Role.VIEWER,
    ListAudit: Role.VIEWER,
    WalkAudit: Role.VIEWER,
    ListRuns: Role.VIEWER,
    GetRuns: Role.VIEWER,
    GetAttempts: Role.VIEWER,
    GetGroup: Role.VIEWER,
    ReadOutput: Role.VIEWER,
    ReadOutputBack: Role.VIEWER,
    FindOutput: Role.VIEWER,
    ListAgents: Role.VIEWER,
    ListExecutors: Role.VIEWER,
    ListPauses: Role.VIEWER,
    Explain: Role.VIEWER,
    Subscribe: Role.VIEWER,
    Unsubscribe: Role.VIEWER,
    RunJobs: Role.OPERATOR,
    RerunRuns: Role.OPERATOR,
    KillRuns: Role.OPERATOR,
    PauseJobs: Role.OPERATOR,
    ResumeJobs: Role.OPERATOR,
    StartPause: Role.OPERATOR,
    EndPause: Role.OPERATOR,
    PutJobs: Role.AUTHOR,
    RemoveJobs: Role.AUTHOR,
    CreateToken: Role.ADMIN,
    AcceptAgent: Role.ADMIN,
    CordonAgents: Role.OPERATOR,
    UncordonAgents: Role.OPERATOR,
    DrainAgents: Role.OPERATOR,
    UndrainAgents: Role.OPERATOR,
    RevokeAgents: Role.ADMIN,
}
"""The least that one must be to ask; a question without a row here is refused."""


class Update(msgspec.Struct, frozen=True, array_like=True, tag="update"):
    """Part of a snapshot (`snapshot`), or what has changed since the update before."""

    number: int
    snapshot: bool = False
    more: bool = False
    """More parts of this snapshot follow."""
    jobs: list[JobRow] = []
    jobs_gone: list[str] = []
    runs: list[Run] = []
    agents: list[Agent] = []


class Request(msgspec.Struct, frozen=True, array_like=True, tag="request"):
    """Client: a question, with a number of the client's choice."""

    id: int
    ask: Ask


class Reply(msgspec.Struct, frozen=True, array_like=True, tag="reply"):
    """Coordinator: the answer to the request with this number."""

    id: int
    answer: Answer


FromClient = Request
ToClient = Reply | Update
