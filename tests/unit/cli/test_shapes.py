"""The JSON of `-o json`: exact keys and values."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from tocsin.cli import shapes
from tocsin.messages.client_answers import Status, Step, StepKind, StepVerdict, Story
from tocsin.messages.enrolment import fingerprint
from tocsin.model import (
    Agent,
    AgentState,
    AuditEntry,
    Incident,
    IncidentKind,
    Job,
    JobRow,
    JobVersion,
    Pause,
    Role,
    Run,
    RunState,
    Scope,
    Trigger,
)

AT_US: Final = 1_767_225_600_000_000
AT: Final = "2026-01-01T00:00:00.000000Z"
RUN: Final = Run(
    id="01J",
    job_id=7,
    job="hello",
    job_version=3,
    trigger=Trigger.SCHEDULE,
    state=RunState.QUEUED,
    created_us=AT_US,
)
JOB: Final = JobRow(
    id=7, job=Job(name="hello", executor="shell", config={}, schedule=["@daily"]), version=3
)
AGENT: Final = Agent(id="01A", key="ab" * 32, name="web1")
PAUSE: Final = Pause(id="01P", scope=Scope.TAG, value="role=db", since_us=AT_US)
VERSION: Final = JobVersion(
    job_id=7, version=3, name="hello", job=JOB.job, changed_us=AT_US, changed_by=""
)
ENTRY: Final = AuditEntry(number=1, at_us=AT_US, by="ann", act="pause job", subject="hello")
STATUS: Final = Status(
    version="1",
    epoch=2,
    pid=3,
    started_us=AT_US,
    now_us=AT_US + 1,
    store="ok",
    jobs=4,
    runs_active=5,
    runs_queued=1,
    agents_up=1,
    agents=2,
    next_due_us=None,
    dropped={"too large": 1},
    you="ana",
    role=Role.OPERATOR,
)


def test_a_run_that_has_not_begun() -> None:
    """What is not there is null."""
    assert shapes.run_shape(RUN) == {
        "id": "01J",
        "job": "hello",
        "due": None,
        "trigger": "schedule",
        "state": "queued",
        "reason": None,
        "agent": None,
        "attempt": 1,
        "exit_code": None,
        "created_at": AT,
        "dispatched_at": None,
        "started_at": None,
        "finished_at": None,
        "output_bytes": 0,
        "dues": 1,
        "due_last": None,
        "accepted_at": None,
        "not_before": None,
        "job_version": 3,
        "group": None,
        "slot": 0,
        "requested_by": None,
        "cancel_requested": False,
        "peak_memory_bytes": None,
        "cpu_s": None,
        "facts": {},
        "cause": None,
        "params": {},
        "placed": None,
        "launch_failures": 0,
    }


def test_the_first_keys_of_a_run_keep_their_order() -> None:
    """Programs that cut the text by position do no worse than they must."""
    assert list(shapes.run_shape(RUN))[:14] == [
        "id", "job", "due", "trigger", "state", "reason", "agent", "attempt", "exit_code",
        "created_at", "dispatched_at", "started_at", "finished_at", "output_bytes",
    ]  # fmt: skip


def test_a_job() -> None:
    """A job's schedules are a list, and a paused job is not enabled."""
    assert shapes.job_shape(JOB) == {
        "name": "hello",
        "schedule": ["@daily"],
        "timezone": "UTC",
        "next": None,
        "enabled": True,
        "paused": False,
        "last_state": None,
        "version": 3,
        "executor": "shell",
        "description": None,
        "pause_reason": None,
        "labels": {},
        "changed_at": None,
        "changed_by": None,
        "paused_by": None,
        "pause_until": None,
        "maintenance": [],
        "after": [],
    }
    paused = JobRow(id=7, job=JOB.job, version=3, paused=True, next_due_us=AT_US)
    shape = shapes.job_shape(paused)
    assert (shape["enabled"], shape["paused"], shape["next"]) == (False, True, AT)


def test_a_disabled_job_is_not_enabled() -> None:
    """Whether by its definition or by a pause."""
    job = Job(name="a", executor="shell", config={}, enabled=False)
    assert not shapes.job_shape(JobRow(id=1, job=job, version=1))["enabled"]


def test_an_agent_and_a_host_that_waits() -> None:
    """Both show the fingerprint; a host that waits has no id yet."""
    assert shapes.agent_shape(AGENT) == {
        "id": "01A",
        "name": "web1",
        "state": "down",
        "tags": {},
        "slots": 0,
        "busy": 0,
        "executors": [],
        "executor_health": [],
        "version": None,
        "last_seen": None,
        "fingerprint": fingerprint("ab" * 32),
        "maintenance": [],
        "down_since": None,
        "held": None,
        "reason": None,
        "held_by": None,
        "drain_until": None,
    }
    waiting = Agent(id="", key="cd" * 32, name="web2", state=AgentState.PENDING, last_seen_us=AT_US)
    shape = shapes.agent_shape(waiting)
    assert (shape["id"], shape["state"], shape["last_seen"]) == (None, "pending", AT)


def test_the_status() -> None:
    """How the coordinator is, in the same style."""
    assert shapes.status_shape(STATUS) == {
        "version": "1",
        "epoch": 2,
        "pid": 3,
        "started_at": AT,
        "now": "2026-01-01T00:00:00.000001Z",
        "store": "ok",
        "jobs": 4,
        "runs_active": 5,
        "runs_queued": 1,
        "agents_up": 1,
        "agents": 2,
        "next_due": None,
        "dropped": {"too large": 1},
        "maintenance": [],
        "incidents": [],
        "you": "ana",
        "role": "operator",
    }
    stepped = Incident(
        kind=IncidentKind.STEP,
        from_us=AT_US,
        until_us=AT_US + 5_400_000_000,
        amount_us=-5_400_000_000,
    )
    (told,) = shapes.status_shape(replace(STATUS, incidents=[stepped]))["incidents"]
    assert told == {
        "kind": "step",
        "from": AT,
        "until": "2026-01-01T01:30:00.000000Z",
        "amount_s": -5400.0,
        "what": "the coordinator's clock was set back by 1h30m at 2026-01-01 01:30:00 UTC",
    }


def test_a_story() -> None:
    """Times are RFC 3339 here; texts are for people."""
    step = Step(StepKind.OVERLAP, StepVerdict.NO, "a run was under way", AT_US, {"run": "01H"})
    assert shapes.story_shape(Story("hello", AT_US, "UTC", "It was skipped.", [step], [RUN])) == {
        "job": "hello",
        "at": AT,
        "timezone": "UTC",
        "verdict": "It was skipped.",
        "steps": [
            {
                "kind": "overlap",
                "verdict": "no",
                "text": "a run was under way",
                "at": AT,
                "facts": {"run": "01H"},
            }
        ],
        "runs": [shapes.run_shape(RUN)],
    }


def _story_keys() -> dict[str, Any]:
    """The keys of a story, then those of its steps."""
    step = Step(StepKind.JOB, StepVerdict.YES, "")
    story = shapes.story_shape(Story("hello", None, "UTC", "", [step], []))
    (only,) = story["steps"]
    # Both have an `at` and a `verdict`: told apart by their place.
    return {**story, **{f"steps.{key}": value for key, value in only.items()}}


_PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
_OF_NOUN: list[tuple[str, Callable[[], dict[str, Any]]]] = [
    ("run", lambda: shapes.run_shape(RUN)),
    ("job", lambda: shapes.job_shape(JOB)),
    ("agent", lambda: shapes.agent_shape(AGENT)),
    ("version", lambda: shapes.version_shape(VERSION, "changed", {})),
    ("audit entry", lambda: shapes.audit_shape(ENTRY)),
    ("maintenance", lambda: shapes.pause_shape(PAUSE)),
    ("story", _story_keys),
    ("status", lambda: {**shapes.status_shape(STATUS), "endpoint": ""}),
]


@pytest.mark.parametrize(("noun", "shape"), _OF_NOUN)
def test_the_documentation_has_the_same_keys(
    noun: str, shape: Callable[[], dict[str, Any]]
) -> None:
    """docs/cli.md lists each key of each noun, in order."""
    section = _PAGE.partition(f"### JSON: {noun}\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", section, re.MULTILINE)
    keys = [key for row in rows for key in re.findall(r"`([a-z_]+)`", row)]
    assert keys == [key.rpartition(".")[2] for key in shape()]


def test_the_documentation_has_every_kind_of_step() -> None:
    """In the order in which they are decided."""
    section = _PAGE.partition("### JSON: story\n")[2].partition("\n#")[0]
    kinds = re.findall(r"`([a-z]+)`", section.partition("| `kind` |")[2].partition("\n")[0])
    assert kinds == [kind.value for kind in StepKind]
