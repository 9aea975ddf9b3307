"""Evidence by name: at least one for each way in which a due time can come out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from tocsin.coordinator.machine.eligibility import Verdict
from tocsin.coordinator.machine.fires import Barred
from tocsin.coordinator.machine.outlook import Silence, Waiting
from tocsin.coordinator.story import Evidence, Moment
from tocsin.instants import SECOND_US, to_rfc3339, to_us
from tocsin.model import (
    Dependency,
    Incident,
    IncidentKind,
    Job,
    JobRow,
    JobVersion,
    Missed,
    MissedPolicy,
    OnLost,
    Overlap,
    Retry,
    Run,
    RunState,
    SkipReason,
    Target,
    Trigger,
)

BERLIN: Final = ZoneInfo("Europe/Berlin")
MINUTE_US: Final = 60 * SECOND_US
EVENT: Final = "01M85QBJZBRTX7YFQ7TW72VQ9M"
EARLIER: Final = "01M83JV000A4W2M6Z1V0Q2F3XY"


def at(text: str) -> int:
    """An instant on the clock of Berlin; a time alone is of 2026-11-24."""
    full = text if " " in text else f"2026-11-24 {text}"
    return to_us(datetime.fromisoformat(full).replace(tzinfo=BERLIN))


DUE_US: Final = at("02:30")
NOW_US: Final = at("09:00")
JOB: Final = Job(
    name="nightly-backup",
    executor="shell",
    config={"command": "backup"},
    schedule=["30 2 * * *"],
    timezone="Europe/Berlin",
    retry=Retry(limit=2),
)
DB_HOSTS: Final = [
    Verdict("db1", fits=True, why="free: 1 of 4 slots are taken"),
    Verdict("db2", fits=False, why="busy: all 4 slots are taken"),
    Verdict("web1", fits=False, why='tagged role="web", not "db"'),
]


def version(
    number: int, job: Job | None, when: str, by: str = "ann", job_id: int = 7
) -> JobVersion:
    """What a job was from an instant on."""
    return JobVersion(
        job_id=job_id,
        version=number,
        name=JOB.name,
        job=job,
        changed_us=at(when),
        changed_by=by,
    )


def run(state: RunState, **fields: Any) -> Run:
    """The run of the due time, as far as its state says that it got."""
    due_us = fields.get("due_us") or DUE_US
    got = {
        "id": EVENT,
        "group": EVENT,
        "job_id": 7,
        "job": JOB.name,
        "job_version": 1,
        "trigger": Trigger.SCHEDULE,
        "created_us": due_us + 4_000,
        "due_us": due_us,
    }
    if state not in {RunState.QUEUED, RunState.SKIPPED, RunState.REFUSED}:
        got |= {"agent": "db1", "agent_id": "A", "dispatched_us": due_us + 6_000}
        got |= {"placed": "least busy of 2: 1 of 4 slots taken"}
    if state in {RunState.SUCCEEDED, RunState.FAILED, RunState.TIMED_OUT, RunState.RUNNING}:
        got |= {"accepted_us": due_us + 9_000, "started_us": due_us + 12_000}
    if state in {RunState.SUCCEEDED, RunState.FAILED, RunState.TIMED_OUT}:
        got |= {"finished_us": due_us + 3 * MINUTE_US, "output_bytes": 4300}
    if state is RunState.SKIPPED:
        got |= {"finished_us": due_us + 4_000, "due_last_us": due_us}
    return Run(**{**got, "state": state, **fields})


def skip(reason: SkipReason, **fields: Any) -> Run:
    """The record of a due time that got no run."""
    return run(RunState.SKIPPED, reason=reason, **fields)


def told(*runs: Run, job: Job = JOB, **fields: Any) -> Evidence:
    """The evidence of the due time, with its records."""
    day_us = 86_400 * SECOND_US
    given: dict[str, Any] = {
        "moment": Moment(None, DUE_US, DUE_US - day_us, DUE_US + day_us),
        "versions": [version(1, job, "2026-10-12 09:12")],
        "row": JobRow(id=7, job=job, version=1, next_due_us=DUE_US + day_us),
        "hosts": DB_HOSTS,
    }
    return Evidence(job=JOB.name, now_us=NOW_US, runs=list(runs), **{**given, **fields})


def ahead(job: Job = JOB, **fields: Any) -> Evidence:
    """The evidence of the due time on the morning after, before anything is decided."""
    day_us = 86_400 * SECOND_US
    return told(
        job=job, moment=Moment(None, DUE_US + day_us, DUE_US, DUE_US + 2 * day_us), **fields
    )


def _late(reason: SkipReason, **fields: Any) -> Run:
    looked_us = at("04:10:03")
    return skip(reason, created_us=looked_us, finished_us=looked_us, **fields)


def _attempt(number: int, state: RunState, **fields: Any) -> Run:
    begun_us = DUE_US + number * 5 * MINUTE_US
    times = {"dispatched_us": begun_us, "started_us": begun_us + 9_000}
    return run(state, attempt=number, finished_us=begun_us + MINUTE_US, **{**times, **fields})


def _members() -> list[Run]:
    good = [run(RunState.SUCCEEDED, id=f"{EVENT[:-1]}{n}", slot=n, agent=f"db{n}") for n in (0, 1)]
    bad = run(
        RunState.FAILED, id=f"{EVENT[:-1]}2", slot=2, agent="db2", exit_code=3, reason="exit code 3"
    )
    left_out = skip(
        SkipReason.NO_AGENT,
        id=f"{EVENT[:-1]}3",
        slot=3,
        pin="D",
        facts={"because": "host db3 is cordoned: new disk"},
    )
    return [*good, bad, left_out]


def _removed() -> Evidence:
    gone = version(2, None, "2026-11-20 16:00", by="bob")
    made = version(1, JOB, "2026-10-12 09:12")
    moment = Moment(DUE_US, None, at("2026-11-20 02:30"), None)
    return told(moment=moment, versions=[made, gone], row=None, hosts=[])


def _not_yet() -> Evidence:
    made = [version(1, JOB, "08:00")]
    return told(moment=Moment(DUE_US, None, None, at("2026-11-25 02:30")), versions=made)


def _between_versions() -> Evidence:
    """Somebody asks for 03:00, to which the job was changed only at 08:00."""
    later = replace(JOB, schedule=["0 3 * * *"])
    versions = [version(1, JOB, "2026-10-12 09:12"), version(2, later, "08:00", by="bob")]
    moment = Moment(at("03:00"), DUE_US, DUE_US, at("2026-11-25 03:00"))
    return told(
        run(RunState.SUCCEEDED),
        moment=moment,
        versions=versions,
        row=JobRow(id=7, job=later, version=2),
    )


def _of_two_versions() -> Evidence:
    later = replace(JOB, schedule=["0 3 * * *"])
    versions = [version(1, JOB, "2026-10-12 09:12"), version(2, later, "08:00", by="bob")]
    row = JobRow(id=7, job=later, version=2)
    return told(run(RunState.SUCCEEDED), versions=versions, row=row)


def _catch_up() -> Evidence:
    cause = "the coordinator was down 01:55:00-04:10:00 UTC"
    later = {"created_us": at("04:10:03"), "dispatched_us": at("04:10:04")}
    times = {**later, "started_us": at("04:10:04"), "finished_us": at("04:12")}
    return told(run(RunState.SUCCEEDED, trigger=Trigger.CATCHUP, cause=cause, **times))


_DOWN = Incident(kind=IncidentKind.DOWN, from_us=at("01:55"), until_us=at("04:10"))
_MANUAL: dict[str, Any] = {"trigger": Trigger.MANUAL, "due_us": None, "requested_by": "ann"}
_NO_DUE = Moment(None, None, None, None)
_LEAP_US = to_us(datetime(2027, 3, 28, 3, tzinfo=BERLIN))
_TWICE_US = to_us(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN))

SCENES: Final[dict[str, Callable[[], Evidence]]] = {
    # One for each state of a run.
    "queued": lambda: told(
        run(RunState.QUEUED, created_us=DUE_US),
        waiting={EVENT: Waiting(gives_up_us=NOW_US + 25 * MINUTE_US, hosts=DB_HOSTS[1:])},
    ),
    "queued-behind": lambda: told(
        run(RunState.QUEUED),
        job=replace(JOB, overlap=Overlap.QUEUE),
        waiting={EVENT: Waiting(behind=EARLIER)},
    ),
    "queued-retry": lambda: told(
        run(
            RunState.QUEUED,
            attempt=2,
            not_before_us=NOW_US + 40 * SECOND_US,
            reason="retry after: exit code 3",
        ),
        attempts={EVENT: [_attempt(1, RunState.FAILED, exit_code=3, reason="exit code 3")]},
        waiting={EVENT: Waiting(until_us=NOW_US + 40 * SECOND_US)},
    ),
    "dispatched": lambda: told(run(RunState.DISPATCHED)),
    "accepted": lambda: told(run(RunState.ACCEPTED, accepted_us=DUE_US + 9_000)),
    "running": lambda: told(run(RunState.RUNNING)),
    "running-unheard": lambda: told(
        run(RunState.RUNNING),
        silent={
            "A": Silence(
                since_us=DUE_US + MINUTE_US, lost_us=DUE_US + 11 * MINUTE_US, is_revoked=False
            )
        },
    ),
    "running-revoked": lambda: told(
        run(RunState.RUNNING),
        silent={
            "A": Silence(
                since_us=DUE_US + MINUTE_US, lost_us=DUE_US + 11 * MINUTE_US, is_revoked=True
            )
        },
    ),
    "running-asked-to-end": lambda: told(
        run(RunState.RUNNING, cancel_requested=True, reason="killed by ann")
    ),
    "succeeded": lambda: told(run(RunState.SUCCEEDED, exit_code=0)),
    "succeeded-much-output": lambda: told(
        run(RunState.SUCCEEDED, exit_code=0, output_bytes=1 << 20), not_kept={EVENT: 240_333}
    ),
    "succeeded-late": lambda: told(
        run(
            RunState.SUCCEEDED,
            dispatched_us=DUE_US + 20 * MINUTE_US,
            started_us=DUE_US + 20 * MINUTE_US,
            finished_us=DUE_US + 23 * MINUTE_US,
        )
    ),
    "failed": lambda: told(
        run(RunState.FAILED, exit_code=3, reason="exit code 3"), job=replace(JOB, retry=Retry())
    ),
    "failed-after-retries": lambda: told(
        _attempt(3, RunState.FAILED, exit_code=3, reason="exit code 3"),
        attempts={
            EVENT: [
                _attempt(1, RunState.FAILED, exit_code=3, reason="exit code 3"),
                _attempt(2, RunState.TIMED_OUT, reason="no end after 1m"),
            ]
        },
    ),
    "timed-out": lambda: told(
        run(RunState.TIMED_OUT, reason="no end after 3m"), job=replace(JOB, retry=Retry())
    ),
    "cancelled": lambda: told(
        run(
            RunState.CANCELLED,
            started_us=DUE_US + 12_000,
            finished_us=DUE_US + MINUTE_US,
            reason="killed by ann",
        )
    ),
    "cancelled-before": lambda: told(
        run(
            RunState.CANCELLED,
            agent="",
            dispatched_us=None,
            finished_us=DUE_US + MINUTE_US,
            reason="its job was removed by bob",
        )
    ),
    "lost": lambda: told(
        run(
            RunState.LOST,
            finished_us=DUE_US + 10 * MINUTE_US,
            reason="its agent has not been heard of since",
        )
    ),
    "lost-and-retried": lambda: told(
        _attempt(2, RunState.SUCCEEDED),
        job=replace(JOB, on_lost=OnLost.RETRY),
        attempts={
            EVENT: [_attempt(1, RunState.LOST, reason="its agent has not been heard of since")]
        },
    ),
    "refused": lambda: told(
        run(
            RunState.REFUSED,
            agent="db1",
            dispatched_us=DUE_US + 6_000,
            finished_us=DUE_US + MINUTE_US,
            reason="policy.toml does not let it run as root",
        )
    ),
    # One for each reason of a skip.
    "overlap": lambda: told(
        skip(SkipReason.OVERLAP, facts={"run": EARLIER}),
        named={
            EARLIER: run(
                RunState.RUNNING, id=EARLIER, started_us=at("2026-11-23 02:30"), agent="db2"
            )
        },
    ),
    "missed-too-old": lambda: told(_late(SkipReason.MISSED), incidents=[_DOWN]),
    "missed-passed-over": lambda: told(
        _late(SkipReason.MISSED),
        job=replace(JOB, schedule=["*/30 * * * *"], missed=Missed(within_s=86_400.0)),
        incidents=[_DOWN],
    ),
    "missed-skip": lambda: told(
        _late(
            SkipReason.MISSED,
            facts={
                "because": "the coordinator was down 00:55:00-03:10:00 UTC",
                "incident": "down",
                "from": to_rfc3339(at("01:55")),
                "until": to_rfc3339(at("04:10")),
            },
        ),
        job=replace(JOB, missed=Missed(policy=MissedPolicy.SKIP)),
    ),
    "missed-many": lambda: told(
        _late(
            SkipReason.MISSED,
            due_us=at("01:56"),
            due_last_us=at("03:40"),
            dues=105,
        ),
        job=replace(JOB, schedule=["* * * * *"]),
        incidents=[_DOWN],
    ),
    "paused": lambda: told(
        skip(
            SkipReason.PAUSED,
            facts={
                "because": "the job is paused",
                "reason": "new disk",
                "by": "bob",
                "until": to_rfc3339(at("12:00")),
            },
        )
    ),
    "catchup-limit": lambda: told(
        _late(SkipReason.CATCHUP_LIMIT),
        job=replace(
            JOB,
            schedule=["*/5 * * * *"],
            missed=Missed(policy=MissedPolicy.ALL, within_s=86_400.0, limit=3),
        ),
        incidents=[_DOWN],
    ),
    "no-agent": lambda: told(
        skip(
            SkipReason.NO_AGENT,
            finished_us=DUE_US + 60 * MINUTE_US,
            facts={
                "because": "no agent could take it for an hour",
                "hosts": {
                    "db1": "down since 2026-11-24T00:12:07.000000Z",
                    "web1": 'tagged role="web", not "db"',
                },
                "more_hosts": 3,
            },
        )
    ),
    "blackout": lambda: told(
        skip(
            SkipReason.BLACKOUT,
            facts={
                "because": "from Fri 18:00 to Mon 06:00 is a blackout",
                "until": to_rfc3339(at("06:00")),
            },
        )
    ),
    "dependency": lambda: told(
        skip(
            SkipReason.DEPENDENCY,
            facts={"because": "quiesce has not succeeded since 2026-11-23; its last run failed"},
        ),
        job=replace(JOB, after=[Dependency(job="quiesce")]),
    ),
    "stopped": lambda: told(
        skip(SkipReason.STOPPED, facts={"because": "the canary db1 failed: exit code 3"})
    ),
    "restored": lambda: told(
        skip(
            SkipReason.RESTORED,
            created_us=at("04:10:03"),
            facts={
                "because": "a backup was restored: what was done 00:55:00-03:10:00 UTC "
                "is not known",
                "incident": "restore",
                "from": to_rfc3339(at("01:55")),
                "until": to_rfc3339(at("04:10")),
            },
        )
    ),
    "lost-in-a-restore": lambda: told(
        run(
            RunState.LOST,
            finished_us=at("04:10:03"),
            reason="restored from a backup of 2026-11-24T01:32:00.000000Z: how it ended is not "
            "known",
            facts={"restored": to_rfc3339(at("04:10"))},
        ),
        job=replace(JOB, on_lost=OnLost.RETRY),
    ),
    # Other jobs, and jitter.
    "queued-for-others": lambda: told(
        run(RunState.QUEUED, reason=SkipReason.DEPENDENCY),
        job=replace(JOB, after=[Dependency(job="quiesce")]),
        waiting={
            EVENT: Waiting(
                gives_up_us=at("2026-11-25 02:30"),
                lacking="quiesce has not succeeded since 2026-11-23T01:12:00.000000Z; its last run "
                "failed at 2026-11-24T01:12:00.000000Z",
            )
        },
    ),
    "followed": lambda: told(
        run(RunState.SUCCEEDED, cause=EARLIER),
        job=replace(JOB, after=[Dependency(job="quiesce")]),
    ),
    "jitter": lambda: told(
        run(
            RunState.SUCCEEDED,
            dispatched_us=DUE_US + 4 * MINUTE_US,
            started_us=DUE_US + 4 * MINUTE_US,
            finished_us=DUE_US + 5 * MINUTE_US,
        ),
        job=replace(JOB, jitter_s=600.0),
    ),
    "waits-for-others": lambda: told(
        job=replace(JOB, schedule=[], after=[Dependency(job="quiesce")]),
        moment=_NO_DUE,
        lacking="quiesce has not ended",
    ),
    "ahead-after": lambda: ahead(
        job=replace(JOB, after=[Dependency(job="quiesce")]), lacking="quiesce has not ended"
    ),
    "queued-for-pool": lambda: told(
        run(RunState.QUEUED),
        job=replace(JOB, pool="db-heavy"),
        waiting={
            EVENT: Waiting(pool="pool db-heavy is full: 4 of 4 slots are taken", hosts=DB_HOSTS)
        },
    ),
    "queued-for-turn": lambda: told(
        run(RunState.QUEUED, pin="A", agent="db1"),
        job=replace(JOB, target=Target(agents="all", canary=1)),
        waiting={EVENT: Waiting(turn="the canaries must succeed before (canary: 1)")},
    ),
    "queued-for-jitter": lambda: told(
        run(RunState.QUEUED, not_before_us=NOW_US + MINUTE_US),
        job=replace(JOB, jitter_s=3600.0),
        waiting={EVENT: Waiting(until_us=NOW_US + MINUTE_US)},
    ),
    "refused-thrice": lambda: told(
        _attempt(
            2,
            RunState.REFUSED,
            agent="db2",
            started_us=None,
            launch_failures=4,
            reason="no such user",
        ),
        attempts={
            EVENT: [
                _attempt(
                    1,
                    RunState.REFUSED,
                    agent="db1",
                    started_us=None,
                    launch_failures=1,
                    reason="no such user",
                )
            ]
        },
    ),
    "lost-for-good": lambda: told(
        _attempt(2, RunState.LOST, reason="its agent has not been heard of since"),
        job=replace(JOB, on_lost=OnLost.RETRY, retry=Retry()),
        attempts={
            EVENT: [_attempt(1, RunState.LOST, reason="its agent has not been heard of since")]
        },
    ),
    "ahead-pool": lambda: ahead(full_pool="pool db-heavy is full: 4 of 4 slots are taken"),
    # Several hosts.
    "fan-out": lambda: told(
        *_members(), job=replace(JOB, target=Target(agents="all")), names={"D": "db3"}
    ),
    "member": lambda: told(
        *_members(), job=replace(JOB, target=Target(agents="all")), only=f"{EVENT[:-1]}2"
    ),
    # Not by a schedule.
    "manual": lambda: told(
        run(RunState.SUCCEEDED, **_MANUAL, params={"days": "3"}), moment=_NO_DUE
    ),
    "repeated": lambda: told(
        run(RunState.SUCCEEDED, **{**_MANUAL, "trigger": Trigger.RETRY}, cause=EARLIER),
        moment=_NO_DUE,
    ),
    "after": lambda: told(
        run(RunState.SUCCEEDED, trigger=Trigger.AFTER, due_us=None, cause=EARLIER),
        job=replace(JOB, schedule=[], after=[Dependency(job="quiesce")]),
        moment=_NO_DUE,
    ),
    "catch-up": _catch_up,
    # Nothing due, nothing there, nothing recorded.
    "near": lambda: told(
        run(RunState.SUCCEEDED),
        moment=Moment(at("02:31"), DUE_US, DUE_US, DUE_US + 86_400 * SECOND_US),
    ),
    "near-failed": lambda: told(
        run(
            RunState.FAILED,
            attempt=2,
            agent="db2",
            placed="the only one with a free slot of 2; it failed on db1",
            dispatched_us=at("02:31:10"),
            started_us=at("02:31:10") + 9_000,
            finished_us=at("02:32:10"),
            exit_code=3,
            reason="exit code 3",
        ),
        moment=Moment(at("02:31"), DUE_US, DUE_US, DUE_US + 86_400 * SECOND_US),
        job=replace(JOB, retry=Retry(limit=1)),
        attempts={
            EVENT: [
                run(
                    RunState.FAILED,
                    finished_us=at("02:31:00"),
                    exit_code=3,
                    reason="exit code 3",
                )
            ]
        },
    ),
    "nothing-due": lambda: told(
        moment=Moment(at("05:00"), None, DUE_US, DUE_US + 86_400 * SECOND_US)
    ),
    "other-version": _between_versions,
    "earlier-version": _of_two_versions,
    "disabled": lambda: told(
        job=replace(JOB, enabled=False), moment=Moment(DUE_US, None, None, None)
    ),
    "expired": lambda: told(
        job=replace(JOB, expires_at_us=at("2026-11-01 00:00")),
        moment=Moment(DUE_US, None, at("2026-10-31 02:30"), None),
    ),
    "manual-job": lambda: told(
        job=replace(JOB, schedule=[]), moment=Moment(DUE_US, None, None, None)
    ),
    "never-run": lambda: told(job=replace(JOB, schedule=[]), moment=_NO_DUE),
    "not-yet-created": _not_yet,
    "removed": _removed,
    "no-record": lambda: told(
        incidents=[
            Incident(
                kind=IncidentKind.STEP,
                from_us=at("02:00"),
                until_us=at("03:30"),
                amount_us=90 * MINUTE_US,
            )
        ]
    ),
    "being-decided": lambda: told(row=JobRow(id=7, job=JOB, version=1, next_due_us=DUE_US)),
    # Ahead.
    "ahead": ahead,
    "ahead-paused": lambda: ahead(
        barred={
            DUE_US + 86_400 * SECOND_US: Barred(
                SkipReason.PAUSED,
                {
                    "because": "jobs labelled team=data are paused",
                    "by": "bob",
                    "reason": "new disk",
                    "until": to_rfc3339(at("2026-11-26 12:00")),
                },
            )
        }
    ),
    "ahead-no-host": lambda: ahead(hosts=DB_HOSTS[1:]),
    "ahead-overlap": lambda: ahead(going=[run(RunState.RUNNING)]),
    # Nights in which the clock is changed.
    "leapt": lambda: told(moment=Moment(None, _LEAP_US, None, None), row=None),
    "twice": lambda: told(
        run(RunState.FAILED, due_us=_TWICE_US, reason="exit code 3"),
        moment=Moment(None, _TWICE_US, None, None),
        row=None,
    ),
    "second-pass": lambda: told(
        run(RunState.CANCELLED, due_us=_TWICE_US, reason="killed by ann"),
        moment=Moment(_TWICE_US + 60 * MINUTE_US, _TWICE_US, _TWICE_US, None),
        row=None,
    ),
    "leapt-over": lambda: told(
        job=replace(JOB, dst="skip"), moment=Moment(_LEAP_US, None, None, None), row=None
    ),
}
