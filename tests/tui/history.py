"""A job with a past: sixty runs, three versions, and the stories that are told of it."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from tests.unit.coordinator.stories.scenes import SCENES
from tocsin.coordinator.story import tell
from tocsin.messages.client_answers import Answer, JobVersions, Story
from tocsin.messages.client_link import Ask, Explain, GetJobVersions
from tocsin.model import Dependency, DependencyOn, Job, JobRow, JobVersion, Run, RunState

from .coordinator import Coordinator
from .fleet import AGENTS, JOBS, RUNS, at, job, run

QUARTER_S: Final = 900
SECOND_OF_DUE_S: Final = -202
"""The last due time, 14:00:00."""
BILLING: Final[JobRow] = replace(
    job(
        2, "billing-sync", "*/15 * * * *", 698,
        labels={"owner": "payments"}, timeout_s=300.0, jitter_s=60.0, run_as="payments",
        env={"DB_HOST": "db-02"}, secrets={"API_KEY": "billing/key"},
        after=[Dependency(job="ledger-close", on=DependencyOn.ANY)],
        last_state=RunState.FAILED, paused=False,
    ),
    version=3,
    changed_us=at(-9000),
    changed_by="bo",
)  # fmt: skip
INVOICE: Final = job(8, "invoice-mail", after=[Dependency(job="billing-sync")])
OLDER: Final = replace(BILLING.job, timeout_s=120.0)


def _version(number: int, age_s: float, by: str, definition: Job) -> JobVersion:
    return JobVersion(
        job_id=2,
        version=number,
        name="billing-sync",
        job=definition,
        changed_us=at(-age_s),
        changed_by=by,
    )


VERSIONS: Final = [
    _version(3, 9_000, "bo", BILLING.job),
    _version(2, 900_000, "ana", OLDER),
    _version(1, 9_000_000, "ana", replace(OLDER, schedule=["*/20 * * * *"])),
]


def past_runs() -> list[Run]:
    """Sixty runs before those of the fleet, three of them failed."""
    runs = []
    for number in range(60):
        due_s = SECOND_OF_DUE_S - QUARTER_S * (60 - number)
        bad = number in {37, 58, 59}
        made = run(
            number - 2000,
            "billing-sync",
            RunState.FAILED if bad else RunState.SUCCEEDED,
            agent=f"app-0{number % 4 + 1}",
            due_us=at(due_s),
            started_us=at(due_s + 30),
            finished_us=at(due_s + 60 + number * 7 % 20),
            exit_code=1 if bad else 0,
            reason="connection refused db-02:5432" if bad else "",
        )
        runs.append(replace(made, job_version=2 if number < 50 else 3))
    return runs


def story_of(ask: Explain) -> Story:
    """A story of a failed run, told of whatever due time is asked for."""
    told = tell(SCENES["near-failed"]())
    due_us = at(SECOND_OF_DUE_S) if ask.at_us is None else ask.at_us
    return replace(told, job=ask.job, at_us=due_us)


def answer(ask: Ask) -> Answer | None:
    """What is asked about the past."""
    match ask:
        case GetJobVersions():
            return JobVersions(VERSIONS)
        case Explain():
            return story_of(ask)
        case _:
            return None


def storied_fleet() -> Coordinator:
    """The usual fleet, in which `billing-sync` has a past."""
    rows = [BILLING if row.job.name == "billing-sync" else row for row in JOBS]
    agents = [replace(agent, executors=["shell"]) for agent in AGENTS]
    coordinator = Coordinator([*rows, INVOICE], RUNS, agents)
    coordinator.held = past_runs()
    coordinator.answers = answer
    return coordinator
