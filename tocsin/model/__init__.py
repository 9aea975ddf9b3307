"""The nouns: jobs, runs, agents, and what holds for many of them.

Each is one frozen type, used in memory, on wires and in rows.

Instants are integers in microseconds (`…_us`, see `tocsin.instants`), spans are seconds (`…_s`),
sizes are bytes. A field that a job file spells differently carries that spelling as its name.
"""

from __future__ import annotations

from .agent import HUMAN_RANK, Agent, AgentState, Role
from .job import (
    DAY_S,
    NAME_LENGTH_MAX,
    Blackout,
    Choose,
    Condition,
    Dependency,
    DependencyOn,
    Job,
    JobRow,
    JobVersion,
    Missed,
    MissedPolicy,
    OnLost,
    OutputRule,
    Overlap,
    Retry,
    Target,
)
from .offer import (
    MASKED,
    Description,
    OfferedExecutor,
)
from .run import END_STATE, TERMINAL, Run, RunState, SkipReason, Trigger
from .upkeep import AuditEntry, Calendar, Incident, IncidentKind, Pause, Pool, Restore, Scope

__all__ = [
    "DAY_S",
    "END_STATE",
    "HUMAN_RANK",
    "MASKED",
    "NAME_LENGTH_MAX",
    "TERMINAL",
    "Agent",
    "AgentState",
    "AuditEntry",
    "Blackout",
    "Calendar",
    "Choose",
    "Condition",
    "Dependency",
    "DependencyOn",
    "Description",
    "Incident",
    "IncidentKind",
    "Job",
    "JobRow",
    "JobVersion",
    "Missed",
    "MissedPolicy",
    "OfferedExecutor",
    "OnLost",
    "OutputRule",
    "Overlap",
    "Pause",
    "Pool",
    "Restore",
    "Retry",
    "Role",
    "Run",
    "RunState",
    "Scope",
    "SkipReason",
    "Target",
    "Trigger",
]
