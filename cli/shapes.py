"""The JSON that `-o json` prints, one function for each noun. Keys stay; new ones go to the end.

Times are RFC 3339 in UTC with microseconds; what is not there is null.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import msgspec

from tocsin.incidents import in_words
from tocsin.instants import SECOND_US, to_rfc3339
from tocsin.messages.client_answers import Status, Step, Story
from tocsin.messages.enrolment import fingerprint
from tocsin.model import Agent, AuditEntry, Incident, JobRow, JobVersion, Pause, Run
from tocsin.pausing import pauses_agent, pauses_job


def print_json(value: object) -> None:
    """Print plain data as JSON, indented."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(text + "\n")


def run_shape(run: Run) -> dict[str, Any]:
    """A run, or the record of due times that got none."""
    return {
        "id": run.id,
        "job": run.job,
        "due": _time(run.due_us),
        "trigger": run.trigger,
        "state": run.state,
        "reason": run.reason or None,
        "agent": run.agent or None,
        "attempt": run.attempt,
        "exit_code": run.exit_code,
        "created_at": _time(run.created_us),
        "dispatched_at": _time(run.dispatched_us),
        "started_at": _time(run.started_us),
        "finished_at": _time(run.finished_us),
        "output_bytes": run.output_bytes,
        "dues": run.dues,
        "due_last": _time(run.due_last_us),
        "accepted_at": _time(run.accepted_us),
        "not_before": _time(run.not_before_us),
        "job_version": run.job_version,
        "group": run.group or None,
        "slot": run.slot,
        "requested_by": run.requested_by or None,
        "cancel_requested": run.cancel_requested,
        "peak_memory_bytes": run.peak_memory_bytes,
        "cpu_s": None if run.cpu_us is None else run.cpu_us / SECOND_US,
        "facts": run.facts,
        "cause": run.cause or None,
        "params": run.params,
        "placed": run.placed or None,
        "launch_failures": run.launch_failures,
    }


def job_shape(row: JobRow, pauses: Iterable[Pause] = ()) -> dict[str, Any]:
    """A job as the coordinator keeps it."""
    job = row.job
    return {
        "name": job.name,
        "schedule": job.schedule,
        "timezone": job.timezone,
        "next": _time(row.next_due_us),
        "enabled": job.enabled and not row.paused,
        "paused": row.paused,
        "last_state": row.last_state,
        "version": row.version,
        "executor": job.executor,
        "description": job.description or None,
        "pause_reason": row.pause_reason or None,
        "labels": job.labels,
        "changed_at": _time(row.changed_us or None),
        "changed_by": row.changed_by or None,
        "paused_by": row.paused_by or None,
        "pause_until": _time(row.pause_until_us),
        "maintenance": [pause.id for pause in pauses if pauses_job(pause, row.job)],
        "after": [{"job": it.job, "on": it.on} for it in job.after],
    }


def pause_shape(pause: Pause) -> dict[str, Any]:
    """Maintenance that is going on."""
    return {
        "id": pause.id,
        "scope": pause.scope,
        "value": pause.value or None,
        "reason": pause.reason or None,
        "by": pause.by or None,
        "since": _time(pause.since_us),
        "until": _time(pause.until_us),
    }


def agent_shape(agent: Agent, pauses: Iterable[Pause] = ()) -> dict[str, Any]:
    """An agent, or a host that waits to be let in (its id is null)."""
    return {
        "id": agent.id or None,
        "name": agent.name,
        "state": agent.state,
        "tags": agent.tags,
        "slots": agent.slots,
        "busy": agent.busy,
        "executors": agent.executors,
        "executor_health": [
            {
                "name": offer.name,
                "available": offer.available,
                "message": offer.message or None,
                "facts": offer.facts,
            }
            for offer in agent.offers
        ],
        "version": agent.version or None,
        "last_seen": _time(agent.last_seen_us),
        "fingerprint": fingerprint(agent.key),
        "maintenance": [pause.id for pause in pauses if pauses_agent(pause, agent)],
        "down_since": _time(agent.down_since_us),
        "held": agent.held,
        "reason": agent.reason or None,
        "held_by": agent.held_by or None,
        "drain_until": _time(agent.drain_until_us),
    }


def story_shape(story: Story) -> dict[str, Any]:
    """Why a job did, or did not, run."""
    return {
        "job": story.job,
        "at": _time(story.at_us),
        "timezone": story.timezone,
        "verdict": story.verdict,
        "steps": [step_shape(step) for step in story.steps],
        "runs": [run_shape(run) for run in story.runs],
    }


def step_shape(step: Step) -> dict[str, Any]:
    """One step of a story."""
    return {
        "kind": step.kind,
        "verdict": step.verdict,
        "text": step.text,
        "at": _time(step.at_us),
        "facts": step.facts,
    }


def version_shape(
    row: JobVersion, action: str, changed: dict[str, tuple[object, object]]
) -> dict[str, Any]:
    """What a job was from one change on."""
    return {
        "version": row.version,
        "action": action,
        "at": _time(row.changed_us),
        "by": row.changed_by or None,
        "changed": {key: {"old": old, "new": new} for key, (old, new) in changed.items()},
    }


def audit_shape(entry: AuditEntry) -> dict[str, Any]:
    """One act that changed something."""
    return {
        "number": entry.number,
        "at": _time(entry.at_us),
        "by": entry.by,
        "act": entry.act,
        "subject": entry.subject,
        "detail": entry.detail,
        "digest": entry.digest,
    }


def status_shape(status: Status) -> dict[str, Any]:
    """How the coordinator is."""
    return {
        "version": status.version,
        "epoch": status.epoch,
        "pid": status.pid,
        "started_at": _time(status.started_us),
        "now": _time(status.now_us),
        "store": status.store,
        "jobs": status.jobs if status.jobs >= 0 else None,
        "runs_active": status.runs_active,
        "runs_queued": status.runs_queued,
        "agents_up": status.agents_up,
        "agents": status.agents,
        "next_due": _time(status.next_due_us),
        "dropped": status.dropped,
        "maintenance": [pause_shape(pause) for pause in status.pauses],
        "incidents": [_incident(incident) for incident in status.incidents],
        "you": status.you,
        "role": status.role,
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "kind": incident.kind,
        "from": _time(incident.from_us),
        "until": _time(incident.until_us),
        "amount_s": incident.amount_us / SECOND_US,
        "what": in_words(incident),
    }


def action_shape(action: str, names: list[str], undo: list[str]) -> dict[str, Any]:
    """What was done to what, and the commands that undo it."""
    return {"action": action, "names": names, "undo": undo}


def _time(instant_us: int | None) -> str | None:
    return None if instant_us is None else to_rfc3339(instant_us)
