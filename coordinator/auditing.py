"""Who did what, for the audit: the one place where events and requests become entries.

`of_event` and `of_answer` decide for every kind of event and of request whether it leaves an
entry; a kind without a decision does not pass the type checker, and a test walks all requests.
Entries say what changed, never the values: these may be secret, and are in the job's versions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, assert_never

import msgspec

from tocsin.messages.client_answers import Done, Token
from tocsin.messages.client_link import (
    AcceptAgent,
    Ask,
    CordonAgents,
    CreateToken,
    DrainAgents,
    EndPause,
    Explain,
    FindOutput,
    GetAttempts,
    GetGroup,
    GetJobs,
    GetJobVersions,
    GetRuns,
    GetShared,
    GetStatus,
    KillRuns,
    ListAgents,
    ListAudit,
    ListExecutors,
    ListJobs,
    ListPauses,
    ListRuns,
    PauseJobs,
    PutJobs,
    ReadOutput,
    ReadOutputBack,
    RemoveJobs,
    RerunRuns,
    ResumeJobs,
    RevokeAgents,
    RunJobs,
    StartPause,
    Subscribe,
    UncordonAgents,
    UndrainAgents,
    Unsubscribe,
    WalkAudit,
)
from tocsin.messages.enrolment import Enrol, Enrolled, ToStranger
from tocsin.model import Agent, AgentState, AuditEntry, Job, JobRow, Pause, Restore, Run, RunState

from .machine.commands import (
    Command,
    DropJob,
    LeaveAttempts,
    Reply,
    SaveAgent,
    SaveAudit,
    SaveJob,
    SavePause,
    SaveRun,
)
from .machine.events import (
    AgentBeat,
    AgentBye,
    AgentHello,
    AgentJoined,
    AgentOffers,
    AgentReport,
    AgentsHeld,
    AgentsRevoked,
    BackupRestored,
    CancelRequested,
    Event,
    FiresEnded,
    IncidentsNoticed,
    JobsDue,
    JobsPaused,
    JobsPut,
    JobsRemoved,
    OutputFollowed,
    PausesEnded,
    PausesStarted,
    RerunRequested,
    RunsRequested,
    Tick,
    ZonesChanged,
)
from .machine.jobs import preview

Act = tuple[str, str, dict[str, Any]]
"""What was done, to what, and particulars."""
SYSTEM: Final = "tocsin"
"""Who acts when nobody asked."""
RUNS_NAMED_MAX: Final = 20
"""So many ids of the runs of one request are in its entry."""
_HOLDS: Final = {
    AgentState.CORDONED: "cordon",
    AgentState.DRAINING: "drain",
    None: "uncordon",
}
_DONE: Final = frozenset({"create", "change", "remove"})


def of_event(  # noqa: C901 - one case an event
    event: Event, commands: Iterable[Command], at_us: int
) -> list[Command]:
    """The entries for what an event made the machine do."""
    match event:
        case JobsPut():
            return _entries(_of_put(event), event.by, at_us)
        case JobsRemoved():
            acts = [_removed(command.row) for command in commands if isinstance(command, DropJob)]
            return _entries(acts, event.by, at_us)
        case JobsPaused():
            saved = [_paused(c.row) for c in commands if isinstance(c, SaveJob)]
            return _entries(saved, event.by, at_us)
        case PausesStarted() | PausesEnded():
            act = "start pause" if isinstance(event, PausesStarted) else "end pause"
            pauses = [c.pause for c in commands if isinstance(c, SavePause)]
            return _entries([_of_pause(act, pause) for pause in pauses], event.by, at_us)
        case RunsRequested():
            return _entries(_of_runs("run job", commands), event.by, at_us)
        case RerunRequested():
            return _entries(_of_runs("rerun job", commands), event.by, at_us)
        case CancelRequested():
            return _entries(_of_runs("kill run", commands), event.by, at_us)
        case AgentsHeld() | AgentsRevoked():
            saved_agents = [_of_agent(event, c.agent) for c in commands if isinstance(c, SaveAgent)]
            return _entries(saved_agents, event.by, at_us)
        case BackupRestored(restore):
            return _entries([_of_restore(restore, commands)], restore.by, at_us)
        case (
            Tick() | JobsDue() | FiresEnded() | AgentJoined() | AgentHello() | AgentBeat()
            | AgentReport() | AgentOffers() | AgentBye() | IncidentsNoticed() | ZonesChanged()
            | OutputFollowed()
        ):  # fmt: skip
            return list(_of_itself(commands, at_us))
        case _:
            assert_never(event)


def of_answer(ask: Ask, answer: object, by: str, at_us: int) -> list[Command]:
    """The entries for a request that was answered without the machine.

    What became an event has its entries with that, and what only reads has none.
    """
    match ask:
        case CreateToken():
            return _entries(_of_token(ask, answer), by, at_us)
        case AcceptAgent():
            names = answer.names if isinstance(answer, Done) else []
            return _entries([("accept agent", name, {}) for name in names], by, at_us)
        case (
            PutJobs() | RemoveJobs() | PauseJobs() | ResumeJobs() | StartPause() | EndPause()
            | RunJobs() | RerunRuns() | KillRuns() | CordonAgents() | UncordonAgents()
            | DrainAgents() | UndrainAgents() | RevokeAgents()
        ):  # fmt: skip
            return []
        case (
            GetStatus() | ListJobs() | GetJobs() | GetJobVersions() | GetShared() | ListAudit()
            | WalkAudit() | ListRuns() | GetRuns() | GetAttempts() | GetGroup() | ReadOutput()
            | ReadOutputBack() | FindOutput() | ListAgents() | ListExecutors() | ListPauses()
            | Explain() | Subscribe() | Unsubscribe()
        ):  # fmt: skip
            return []
        case _:
            assert_never(ask)


def of_enrolment(ask: Enrol, answer: ToStranger, *, known: bool, at_us: int) -> list[Command]:
    """The entry for a host that let itself in with a token."""
    if known or not isinstance(answer, Enrolled):
        return []
    detail = {"id": answer.agent_id, "token": ask.token_id}
    return _entries([("enrol agent", answer.name, detail)], f"token {ask.token_id}", at_us)


def _entries(acts: Iterable[Act], by: str, at_us: int) -> list[Command]:
    return [
        SaveAudit(AuditEntry(at_us=at_us, by=by or SYSTEM, act=act, subject=subject, detail=detail))
        for act, subject, detail in acts
    ]


def _of_put(event: JobsPut) -> Iterator[Act]:
    answer = preview(event)
    old = {row.job.name: row.job for _, row in event.puts if row is not None}
    new = {job.name: job for job, _ in event.puts}
    for change in answer.changes:
        if change.action in _DONE:
            detail: dict[str, Any] = {"version": change.version}
            if change.action == "change":
                detail["keys"] = _changed_keys(old[change.name], new[change.name])
            yield f"{change.action} job", change.name, detail
    for shared in answer.shared:
        if shared.action in _DONE:
            yield f"{shared.action} {shared.kind}", shared.name, {}


def _changed_keys(old: Job, new: Job) -> list[str]:
    before, after = msgspec.to_builtins(old), msgspec.to_builtins(new)
    return sorted(key for key in before | after if before.get(key) != after.get(key))


def _removed(row: JobRow) -> Act:
    return "remove job", row.job.name, {"version": row.version + 1}


def _paused(row: JobRow) -> Act:
    act = "pause job" if row.paused else "resume job"
    detail = {"reason": row.pause_reason, "until_us": row.pause_until_us}
    return act, row.job.name, {key: value for key, value in detail.items() if value}


def _of_restore(restore: Restore, commands: Iterable[Command]) -> Act:
    detail = msgspec.to_builtins(restore)
    del detail["by"], detail["settled"]
    lost = sum(1 for c in commands if isinstance(c, SaveRun) and c.run.state is RunState.LOST)
    return "restore backup", restore.file, {**detail, "lost_runs": lost}


def _of_pause(act: str, pause: Pause) -> Act:
    detail = {"pause": pause.id, "reason": pause.reason, "until_us": pause.until_us}
    subject = f"{pause.scope} {pause.value}".rstrip()
    return act, subject, {key: value for key, value in detail.items() if value}


def _of_agent(event: AgentsHeld | AgentsRevoked, agent: Agent) -> Act:
    detail = {"reason": agent.reason, "until_us": agent.drain_until_us}
    if isinstance(event, AgentsRevoked):
        act = "revoke agent"
        detail["lost_now"] = event.lost_now
    else:
        act = f"{_HOLDS[event.held]} agent"
    return act, agent.name, {key: value for key, value in detail.items() if value}


def _of_runs(act: str, commands: Iterable[Command]) -> list[Act]:
    """One entry for each job, with the ids of its runs among those that the answer names."""
    runs: dict[str, Run] = {}
    named: list[str] = []
    for command in commands:
        match command:
            case SaveRun(run):
                runs[run.id] = run
            case Reply(_, Done(ids)):
                named += ids
            case _:
                pass
    ids_of: dict[str, list[str]] = defaultdict(list)
    for run_id in named:
        if run_id in runs:  # else it was asked to end before
            ids_of[runs[run_id].job].append(run_id)
    return [
        (act, job, {"runs": ids[:RUNS_NAMED_MAX], "count": len(ids)}) for job, ids in ids_of.items()
    ]


def _of_token(ask: CreateToken, answer: object) -> list[Act]:
    if not isinstance(answer, Token):
        return []
    terms = {"role": ask.role.value, "uses": ask.uses, "names": ask.name_glob, "tags": ask.tags}
    return [("create token", answer.id, {**terms, "expires_us": answer.expires_us})]


def _of_itself(commands: Iterable[Command], at_us: int) -> Iterator[Command]:
    """What the coordinator did though nobody asked: jobs that end their pause or go away."""
    for command in commands:
        match command:
            case SaveJob(row):
                yield from _entries([_paused(row)], row.changed_by, at_us)
            case DropJob(row, by):
                yield from _entries([_removed(row)], by, at_us)
            case LeaveAttempts(agent, keys):
                detail = {"attempts": keys[:RUNS_NAMED_MAX], "count": len(keys)}
                yield from _entries([("leave attempts", agent.name, detail)], SYSTEM, at_us)
            case _:
                pass  # a run's life is in the run's own record
