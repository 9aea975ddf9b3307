"""How rows and nouns become each other; the only place that knows both."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

import msgspec

from tocsin.execution import Offer
from tocsin.model import (
    Agent,
    AgentState,
    AuditEntry,
    Calendar,
    Condition,
    Dependency,
    DependencyOn,
    Incident,
    IncidentKind,
    Job,
    JobRow,
    JobVersion,
    Pause,
    Restore,
    Run,
    RunState,
    Scope,
    Trigger,
)

_encode: Final = msgspec.json.Encoder().encode
_decode_job: Final = msgspec.json.Decoder(Job).decode
_decode_calendar: Final = msgspec.json.Decoder(Calendar).decode
_decode_offers: Final = msgspec.json.Decoder(list[Offer]).decode
_decode_restore: Final = msgspec.json.Decoder(Restore).decode
_decode_run: Final = msgspec.json.Decoder(Run).decode
# sqlite3 asks around for an adapter of whatever is not exactly a str or an int: 1 µs a value.
_STATE_TEXTS: Final = {state: str(state.value) for state in RunState}
_TRIGGER_TEXTS: Final = {trigger: str(trigger.value) for trigger in Trigger}
_STATES: Final = {str(state): state for state in RunState}
_TRIGGERS: Final = {str(trigger): trigger for trigger in Trigger}


def to_json(value: Any) -> str:  # noqa: ANN401 - whatever JSON can say
    """A value as JSON text."""
    return _encode(value).decode()


def job_values(row: JobRow) -> tuple[Any, ...]:
    """The values of `save_job`."""
    return (
        row.id,
        row.job.name,
        row.version,
        to_json(row.job),
        int(row.paused),
        row.pause_reason,
        row.paused_by,
        row.pause_until_us,
        row.next_due_us,
        row.changed_us,
        row.changed_by,
    )


def job_row(row: sqlite3.Row) -> JobRow:
    """The job of a row of the table `job`."""
    given = row.keys()
    last = row["last_state"] if "last_state" in given else None
    return JobRow(
        id=row["id"],
        job=_decode_job(row["spec"]),
        version=row["version"],
        paused=bool(row["paused"]),
        pause_reason=row["pause_reason"],
        paused_by=row["paused_by"],
        pause_until_us=row["pause_until_us"],
        next_due_us=row["next_due_us"],
        changed_us=row["changed_us"],
        changed_by=row["changed_by"],
        last_state=None if last is None else _STATES[last],
        last_due_us=row["last_due_us"] if "last_due_us" in given else None,
    )


def job_spec(text: str) -> Job:
    """The job of a stored definition."""
    return _decode_job(text)


def run_values(run: Run) -> tuple[Any, ...]:
    """The values of `save_run`."""
    return (
        run.id,
        run.group,
        run.slot,
        run.pin,
        run.job_id,
        run.job,
        run.job_version,
        _TRIGGER_TEXTS[run.trigger],
        _STATE_TEXTS[run.state],
        run.reason,
        run.attempt,
        run.created_us,
        run.due_us,
        run.not_before_us,
        run.agent_id,
        run.agent,
        run.spool,
        run.dispatched_us,
        run.accepted_us,
        run.started_us,
        run.finished_us,
        int(run.cancel_requested),
        run.exit_code,
        to_json(run.facts) if run.facts else None,
        run.peak_memory_bytes,
        run.cpu_us,
        run.output_bytes,
        run.requested_by,
        run.dues,
        run.due_last_us,
        run.cause,
        to_json(run.params) if run.params else None,
        run.placed,
        run.launch_failures,
        int(run.reopened),
    )


def job_version(row: sqlite3.Row) -> JobVersion:
    """The version of a row of the table `job_version`."""
    values = dict(row)
    spec = values.pop("spec")
    return JobVersion(**values, job=None if spec is None else _decode_job(spec))


def run_of(row: sqlite3.Row) -> Run:
    """The run of a row of the table `run`."""
    values = dict(row)
    values["group"] = values.pop("group_id")
    values["trigger"] = _TRIGGERS[values.pop("trigger_kind")]
    values["state"] = _STATES[values["state"]]
    values["cancel_requested"] = bool(values["cancel_requested"])
    values["reopened"] = bool(values["reopened"])
    for key in ("facts", "params"):
        text = values[key]
        values[key] = {} if text is None else msgspec.json.decode(text)
    return Run(**values)


def attempt_of(text: str) -> Run:
    """The run of a row of the table `attempt`."""
    return _decode_run(text)


def agent_values(agent: Agent) -> tuple[Any, ...]:
    """The values of `save_agent`."""
    return (
        agent.id,
        agent.key,
        agent.name,
        agent.state.value,
        to_json(agent.tags),
        to_json(agent.given_tags),
        agent.slots,
        agent.busy,
        to_json(agent.executors),
        agent.version,
        agent.spool,
        agent.last_seen_us,
        agent.down_since_us,
        "" if agent.held is None else agent.held.value,
        agent.reason,
        agent.held_by,
        agent.drain_until_us,
        to_json(agent.offers),
    )


def agent_of(row: sqlite3.Row) -> Agent:
    """The agent of a row of the table `agent`."""
    values = dict(row)
    values["state"] = AgentState(values["state"])
    values["held"] = AgentState(values["held"]) if values["held"] else None
    values["tags"] = msgspec.json.decode(values["tags"])
    values["given_tags"] = msgspec.json.decode(values["given_tags"])
    values["executors"] = msgspec.json.decode(values["executors"])
    values["offers"] = _decode_offers(values["offers"])
    return Agent(**values)


def condition_values(it: Condition) -> tuple[Any, ...]:
    """The values of `save_dependency`."""
    succeeded = None if it.succeeded is None else int(it.succeeded)
    head = (it.job_id, it.dependency.job, it.dependency.on.value, it.held_by)
    return (*head, succeeded, it.ended_us, it.matched_us)


def condition_of(row: sqlite3.Row) -> Condition:
    """The condition of a row of the table `dependency`, with its job's name."""
    values = dict(row)
    on = DependencyOn(values.pop("on_end"))
    values["dependency"] = Dependency(job=values.pop("after_job"), on=on)
    if values["succeeded"] is not None:
        values["succeeded"] = bool(values["succeeded"])
    return Condition(**values)


def pause_of(row: sqlite3.Row) -> Pause:
    """The pause of a row of the table `pause`."""
    return Pause(**{**dict(row), "scope": Scope(row["scope"])})


def incident_of(row: sqlite3.Row) -> Incident:
    """The incident of a row of the table `incident`."""
    return Incident(**{**dict(row), "kind": IncidentKind(row["kind"])})


def restore_of(text: str) -> Restore:
    """The restore of a stored setting."""
    return _decode_restore(text)


def calendar_of(text: str) -> Calendar:
    """The calendar of a stored definition."""
    return _decode_calendar(text)


def audit_of(row: sqlite3.Row) -> AuditEntry:
    """The entry of a row of the table `audit`."""
    return AuditEntry(**{**dict(row), "detail": msgspec.json.decode(row["detail"])})


def audit_values(entry: AuditEntry) -> tuple[Any, ...]:
    """The values of `save_audit`."""
    who = (entry.number, entry.at_us, entry.by, entry.act, entry.subject)
    return (*who, to_json(entry.detail), entry.digest)
