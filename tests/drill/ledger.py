"""Makes the evidence of a drill: what the store says, what the jobs say, and what happened.

The checker of the simulator judges both worlds. Where it expects perfect clocks or witnesses that
always have a last word, this module turns what is not known into what is possible, never into what
the product says:

- Definitions begin and end where the store's own versions do, since due times and versions are on
  one clock; how far they reach is not the cursor's word but the last moment of the drill.
- What a process that was ended by force does not say is in `endings`.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import replace

from tests.sim.checker import RAN
from tests.sim.evidence import Evidence, Loss, Start, Term
from tocsin.coordinator.store.rows import job_spec
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.execution import AttemptKey
from tocsin.instants import SECOND_US, from_rfc3339
from tocsin.model import Incident, Job, Pause, Run, RunState

from .drill import Drill
from .endings import Ends, all_printed
from .faults import excuses_of
from .members import LOST_AFTER_S
from .requester import LINGERS_US, paused_widest
from .wall_clock import WallClock
from .witness import Account, is_alive, read_accounts, true_us, uptime_us

END_SLACK_US: Final = SECOND_US * 3 // 2
"""Due times so shortly before the coordinator was stopped may have no record yet."""
TIMEOUT_SLACK_US: Final = SECOND_US // 2
"""A process says that it began a little later than its host began to count."""
_NEVER_US: Final = 1 << 62


class Change(NamedTuple):
    """One version of a job in the store; no job: it was removed."""

    job_id: int
    version: int
    job: Job | None
    changed_us: int


class Case(NamedTuple):
    """Everything that is known of a drill."""

    evidence: Evidence
    accounts: dict[AttemptKey, Account]
    changes: list[Change]
    attempts: dict[AttemptKey, Run]
    incidents: list[Incident]
    """What the store says befell the coordinator's time."""


def gather(drill: Drill) -> Case:
    """All that the drill left behind; the coordinator and the agents are stopped."""
    fleet = drill.fleet
    behind_us = uptime_us() - true_us()
    accounts = read_accounts(fleet.home / "witness", behind_us if abs(behind_us) > SECOND_US else 0)
    changes = _changes(fleet.store / "tocsin.db")
    store = SqliteStore(fleet.store)
    try:
        runs = store.list_runs("", [], "", 1_000_000)
        attempts = [a for run in runs if run.attempt > 1 for a in store.attempts(run.id)]
        rows = {row.job.name: (row.job, row.paused) for row in store.list_jobs("", 1000)}
        incidents = store.incidents(0, _NEVER_US)
        output = {r.id: store.read_output(r.id, 0, 0, 1 << 40)[0] for r in runs if _ran(r)}
    finally:
        store.close()
    by_key = {_key(run): run for run in [*attempts, *runs]}
    jobs = {(c.job_id, c.version): c.job for c in changes if c.job is not None}
    shapes = {key: jobs.get((run.job_id, run.job_version)) for key, run in by_key.items()}
    ended = Ends(drill, accounts, by_key, shapes)
    evidence = Evidence(
        runs=runs,
        attempts=attempts,
        starts=list(_starts(drill, accounts, by_key)),
        ends=list(ended.all()),
        terms=[*_terms(drill, changes, runs), *_pauses(drill, changes)],
        output=output,
        printed=dict(all_printed(accounts, shapes, output)),
        pauses=list(_maintenance(drill)),
        losses=list(_losses(drill, by_key)),
        excuses=excuses_of(drill.happenings, fleet.ids, BackAgain(drill)),
        wishes=drill.requester.wishes,
        jobs=rows,
        removed_us=_removed(fleet.clock, changes),
        ordered_us=_ordered(fleet.clock, by_key),
        epochs=_epochs(fleet.home / "coordinator.log"),
        leftovers=_leftovers(drill, accounts, by_key),
        patience_us={"absent": round(LOST_AFTER_S * SECOND_US / 2)},
    )
    return Case(evidence, accounts, changes, by_key, incidents)


def _key(run: Run) -> AttemptKey:
    return AttemptKey(f"{run.id}.{run.attempt}")


def _ran(run: Run) -> bool:
    return run.state is not RunState.SKIPPED


# Definitions.


def _changes(database: Path) -> list[Change]:
    query = "SELECT job_id, version, spec, changed_us FROM job_version ORDER BY job_id, version"
    with closing(sqlite3.connect(database)) as connection:
        return [
            Change(job_id, version, None if spec is None else job_spec(spec), changed_us)
            for job_id, version, spec, changed_us in connection.execute(query)
        ]


def _terms(drill: Drill, changes: list[Change], runs: list[Run]) -> Iterator[Term]:
    """The span of due times of each version."""
    last_us: dict[tuple[int, int], int] = defaultdict(int)
    for run in runs:
        if run.due_us is not None:
            version = run.job_id, run.job_version
            last_us[version] = max(last_us[version], run.due_last_us or run.due_us)
    end_us = drill.fleet.clock.shown_us(drill.stopped_us) - END_SLACK_US
    reached_us: dict[int, int] = defaultdict(int)
    for change, following in _with_next(changes):
        reached = reached_us[change.job_id]
        after_us = max(change.changed_us, reached)
        reached = max(reached, last_us[change.job_id, change.version])
        until_us = max(end_us if following is None else following.changed_us, reached)
        reached_us[change.job_id] = max(reached, until_us if following is not None else 0)
        if change.job is not None:
            yield Term(
                change.job_id,
                change.job,
                change.version,
                paused=False,
                after_us=after_us,
                until_us=until_us,
            )


def _with_next(changes: list[Change]) -> Iterator[tuple[Change, Change | None]]:
    for index, change in enumerate(changes):
        following = changes[index + 1] if index + 1 < len(changes) else None
        same = following is not None and following.job_id == change.job_id
        yield change, following if same else None


def _pauses(drill: Drill, changes: list[Change]) -> Iterator[Term]:
    """Spans in which a job may have been paused; they have no due times of their own."""
    clock = drill.fleet.clock
    firsts = {change.job_id: change for change in reversed(changes) if change.job is not None}
    for change in firsts.values():
        assert change.job is not None
        for from_us, until_us in paused_widest(drill.requester.acts, change.job.name):
            job = replace(change.job, schedule=[], enabled=True)
            shown = [clock.shown_us(from_us), clock.shown_us(min(until_us, true_us()))]
            span = {"after_us": min(shown) - SECOND_US, "until_us": max(shown) + SECOND_US}
            yield Term(change.job_id, job, 0, paused=True, **span)


def _maintenance(drill: Drill) -> Iterator[Pause]:
    """Maintenance, as early and as late as it may have been."""
    clock = drill.fleet.clock
    for act in drill.requester.acts:
        if act.what != "maintain" or act.done is False:
            continue
        late_us = act.until_us if act.done else act.until_us + LINGERS_US
        until_us = clock.shown_us(min(late_us, true_us())) + round((act.seconds + 1) * SECOND_US)
        since_us = clock.shown_us(act.from_us) - SECOND_US
        yield Pause(
            id="", scope=act.scope, value=act.name, since_us=since_us, until_us=until_us
        )  # fmt: skip


def _removed(clock: WallClock, changes: list[Change]) -> dict[int, int]:
    # Of several true instants at which a clock showed this, the latest; of orders the earliest.
    return {
        change.job_id: max(clock.true_instants_us(change.changed_us), default=_NEVER_US)
        for change in changes
        if change.job is None
    }


def _ordered(clock: WallClock, attempts: dict[AttemptKey, Run]) -> dict[AttemptKey, int]:
    return {
        key: min(clock.true_instants_us(run.dispatched_us), default=0)
        for key, run in attempts.items()
        if run.dispatched_us is not None
    }


# Witnesses.


def _starts(
    drill: Drill, accounts: dict[AttemptKey, Account], attempts: dict[AttemptKey, Run]
) -> Iterator[Start]:
    epochs = {agent_id: _epochs_seen(drill, name) for name, agent_id in drill.fleet.ids.items()}
    for key, account in accounts.items():
        run = attempts.get(key)
        agent_id = "" if run is None else run.agent_id
        for at_us in account.started_us:
            seen = [epoch for since_us, epoch in epochs.get(agent_id, []) if since_us <= at_us]
            yield Start(key, agent_id, at_us, max(seen, default=0))


# Loss.


class BackAgain:
    """When the coordinator was next told hello by an agent, as the agents' own logs say."""

    def __init__(self, drill: Drill) -> None:
        self._sessions = {who: _sessions_us(drill, who) for who in drill.fleet.ids}

    def __call__(self, who: str, after_us: int) -> int:
        """The first session of an agent, or of the last of all of them, from an instant on."""
        if who in self._sessions:
            return next((at for at in self._sessions[who] if at >= after_us), after_us)
        return max(self(agent, after_us) for agent in self._sessions)


def _sessions_us(drill: Drill, who: str) -> list[int]:
    return [at for at, line in _log(drill, who) if " session.open " in line]


def _log(drill: Drill, who: str) -> Iterator[tuple[int, str]]:
    """The lines of an agent's log, with their true instants: its clock is the machine's."""
    base_us = drill.fleet.clock.shown_us(0)
    text = (drill.fleet.home / f"{who}.log").read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        stamp = line.partition(" ")[0]
        if re.fullmatch(r"[-0-9]{10}T[:0-9]{8}\.\d{3}Z", stamp):
            yield from_rfc3339(stamp) - base_us, line


def _epochs_seen(drill: Drill, who: str) -> list[tuple[int, int]]:
    """Since when an agent knows of which epoch: it is that of the rule in which a session began."""
    ready = drill.reigns_us()
    return [
        (at_us, max((epoch for since_us, epoch in ready if since_us <= at_us), default=0))
        for at_us in _sessions_us(drill, who)
    ]


def _losses(drill: Drill, attempts: dict[AttemptKey, Run]) -> Iterator[Loss]:
    clock = drill.fleet.clock
    for key, run in attempts.items():
        seen = drill.watcher.losses.get(key)
        if seen is None and run.state is not RunState.LOST:
            continue
        since_us = min(clock.true_instants_us(run.dispatched_us or 0), default=0)
        over_us = max(clock.true_instants_us(run.finished_us or 0), default=_NEVER_US)
        until_us = over_us if seen is None else seen.at_us
        reason = run.reason if run.state is RunState.LOST or seen is None else seen.reason
        yield Loss(key, run.agent_id, reason, since_us, until_us)


def _epochs(log: Path) -> list[int]:
    text = log.read_text(encoding="utf-8", errors="replace")
    return [int(number) for number in re.findall(r" coordinator\.ready .*epoch=(\d+)", text)]


# What is left.


def _leftovers(
    drill: Drill, accounts: dict[AttemptKey, Account], attempts: dict[AttemptKey, Run]
) -> list[str]:
    """What agents still hold, and processes of runs that are over."""
    left = [f"{file} is not delivered" for file in drill.undelivered()]
    for key, account in accounts.items():
        run = attempts.get(key)
        if run is not None and run.state in RAN and account.end is None and is_alive(account):
            left.append(f"a process of {key} still runs")
    return left
