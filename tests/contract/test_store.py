"""What every store must do; SQLite is the one there is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from tests.unit.coordinator.bench import START_US, job
from tocsin import wire
from tocsin.audit_chain import first_break
from tocsin.coordinator.machine.commands import (
    DropCalendar,
    DropDependencies,
    DropJob,
    DropPause,
    DropPool,
    MoveCursor,
    SaveAgent,
    SaveAttempt,
    SaveAudit,
    SaveCalendar,
    SaveDependency,
    SaveIncident,
    SaveJob,
    SaveOutput,
    SavePause,
    SavePool,
    SaveRestore,
    SaveRun,
)
from tocsin.coordinator.store import staging
from tocsin.coordinator.store.port import PeerRow, PendingRow, Store, TokenRow
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.errors import StoreError
from tocsin.execution import AttemptKey, Offer
from tocsin.messages.agent_link import Chunk
from tocsin.messages.client_answers import OutputPage
from tocsin.messages.client_link import OUTPUT_BYTES_MAX, Reply
from tocsin.model import (
    Agent,
    AuditEntry,
    Blackout,
    Calendar,
    Condition,
    Dependency,
    DependencyOn,
    Incident,
    IncidentKind,
    JobRow,
    Pause,
    Pool,
    Restore,
    Role,
    Run,
    RunState,
    Scope,
    Trigger,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh store."""
    opened = SqliteStore(tmp_path)
    yield opened
    opened.close()


def row(name: str = "backup", job_id: int = 1, due_us: int | None = START_US) -> JobRow:
    """A job's row."""
    return JobRow(id=job_id, job=job(name), version=1, next_due_us=due_us, changed_us=7)


def run(number: int, *, finished: bool = False, **fields: object) -> Run:
    """A run, under way unless `finished`."""
    values = {
        "id": f"{number:026}",
        "group": f"{number:026}",
        "job_id": 1,
        "job": "backup",
        "job_version": 1,
        "trigger": Trigger.SCHEDULE,
        "state": RunState.SUCCEEDED if finished else RunState.RUNNING,
        "created_us": START_US + number,
        "due_us": START_US + number,
        "finished_us": START_US if finished else None,
        **fields,
    }
    return Run(**values)  # type: ignore[arg-type] # built from defaults and fields


def test_what_was_committed_is_there_after_the_process_is_gone(tmp_path: Path) -> None:
    """Jobs, runs, output, agents, keys, tokens and waiting hosts come back as they were."""
    first = SqliteStore(tmp_path)
    active = run(1, facts={"bytes": 3}, agent_id="A", agent="a", output_bytes=2)
    first.stage([SaveJob(row()), SaveRun(active), SaveAgent(Agent(id="A", key="k", name="a"))])
    first.stage([SaveOutput(1, Chunk(AttemptKey(f"{active.id}.1"), 1, 0, 5, b"\xff\x00"))])
    peer = PeerRow("k", Role.AGENT, "a", "A")
    token = TokenRow("t", b"digest", 9, 1, "web-*", {"dc": "eu"}, Role.VIEWER)
    pending = PendingRow("k2", "b", "ck", 3)
    first.stage_peer(peer)
    first.stage_token(token)
    first.stage_pending(pending)
    first.commit()
    first.close()

    second = SqliteStore(tmp_path)

    assert second.jobs_by_name(["backup", "none"]) == {
        "backup": structs.replace(row(), last_state=RunState.RUNNING, last_due_us=active.due_us)
    }
    assert second.runs([active.id]) == {active.id: active}
    (restored,) = second.stored().active
    assert (restored.run, restored.job, restored.offsets, restored.pieces) == (
        active,
        job(),
        (2, 0),
        1,
    )
    assert second.agents() == [Agent(id="A", key="k", name="a")]
    assert (second.peers(), second.token("t"), second.pendings()) == ([peer], token, [pending])
    second.close()


def test_upkeep_comes_back_as_it_was(tmp_path: Path) -> None:
    """Pauses, calendars, pools, dependencies and incidents; what was dropped is gone."""
    pause = Pause(id="p", scope=Scope.TAG, value="role=db", reason="disks", by="ann", since_us=5)
    holidays = Calendar(name="holidays", dates=["2026-12-25 Christmas"])
    incident = Incident(kind=IncidentKind.STEP, from_us=9, until_us=10, amount_us=-4)
    after = Dependency(job="quiesce", on=DependencyOn.ANY)
    first = SqliteStore(tmp_path)
    first.stage([SavePause(pause), SavePause(structs.replace(pause, id="q")), DropPause("q")])
    first.stage([SaveCalendar(holidays), SaveCalendar(Calendar(name="old")), DropCalendar("old")])
    first.stage([SavePool(Pool(name="db", slots=4)), SavePool(Pool(name="x", slots=1))])
    first.stage([DropPool("x"), SaveIncident(incident)])
    holds = Condition(job_id=1, job="backup", dependency=after, held_by="run", succeeded=False,
                      ended_us=7, matched_us=7)  # fmt: skip
    waits = Condition(job_id=2, job="other", dependency=after)
    first.stage([SaveJob(row()), SaveDependency(waits), SaveDependency(holds)])
    first.stage([DropDependencies(2)])
    first.commit()
    first.close()

    second = SqliteStore(tmp_path)
    stored = second.stored()

    assert (stored.pauses, stored.calendars) == ([pause], [holidays])
    assert (stored.pools, stored.conditions) == ([Pool(name="db", slots=4)], [holds])
    assert second.incidents(10, 20) == [incident]
    assert second.incidents(11, 20) == []
    second.close()


def test_ends_of_pauses_and_settings_come_back(tmp_path: Path) -> None:
    """Jobs whose pause ends by itself are known at the start; a setting is as it was last."""
    first = SqliteStore(tmp_path)
    first.stage([SaveJob(structs.replace(row(), paused=True, pause_until_us=77))])
    first.stage_setting("seen_us", 5)
    first.stage_setting("seen_us", 6)
    first.commit()
    first.close()

    second = SqliteStore(tmp_path)

    assert second.stored().resumes == [(77, row().id)]
    assert (second.setting("seen_us"), second.setting("zones")) == (6, None)
    second.close()


def test_the_last_restore_comes_back(tmp_path: Path) -> None:
    """As it was kept last."""
    first = SqliteStore(tmp_path)
    assert first.stored().restore is None
    restore = Restore(backup_us=1, restored_us=2, by="ann", file="a.tar.gz", run_missed=True)
    first.stage([SaveRestore(restore)])
    first.stage([SaveRestore(structs.replace(restore, settled=True))])
    first.commit()
    first.close()

    second = SqliteStore(tmp_path)

    assert second.stored().restore == structs.replace(restore, settled=True)
    second.close()


def test_old_incidents_are_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest so many are kept, and none that is older than 400 days."""
    monkeypatch.setattr(staging, "INCIDENTS_MAX", 3)
    kinds = (IncidentKind.DOWN, IncidentKind.STEP)
    many = [Incident(kind=kind, from_us=at, until_us=at + 1) for at in range(3) for kind in kinds]
    store.stage([SaveIncident(incident) for incident in many])
    store.commit()
    assert store.incidents(0, 100) == many[-3:]
    assert store.stored().incidents == many[-3:]

    later_us = staging.INCIDENTS_AGE_US + 3
    last = Incident(kind=IncidentKind.ZONES, from_us=later_us, until_us=later_us)
    store.stage([SaveIncident(last)])
    store.commit()
    assert store.incidents(0, later_us) == [*many[-2:], last]


def test_what_was_not_committed_is_gone_after_the_process_is_gone(tmp_path: Path) -> None:
    """Reads see what is staged, and only `commit` keeps it."""
    first = SqliteStore(tmp_path)
    first.stage([SaveJob(row()), SaveRun(run(1))])
    assert first.count_jobs() == 1
    first.close()

    second = SqliteStore(tmp_path)

    assert (second.count_jobs(), second.stored().active) == (0, [])
    second.close()


def test_the_last_save_of_a_batch_counts(store: Store) -> None:
    """A cursor moved after a save, and a run saved twice, are kept as they were last."""
    store.stage([SaveJob(row()), MoveCursor(row(due_us=START_US + 9))])
    store.stage([SaveRun(run(1)), SaveRun(run(1, finished=True))])
    store.commit()

    assert store.stored().due == [(START_US + 9, 1)]
    assert store.stored().active == []


def test_a_due_time_has_one_record(store: Store) -> None:
    """A second record for the same job, due time and slot is refused by the database itself."""
    store.stage([SaveJob(row()), SaveRun(run(1))])
    store.commit()
    store.stage([SaveRun(run(2, due_us=START_US + 1))])

    with pytest.raises(sqlite3.IntegrityError):
        store.commit()


def test_a_locked_database_keeps_what_was_staged_for_the_next_commit(tmp_path: Path) -> None:
    """While another process holds the lock `commit` says so; afterwards nothing is missing."""
    store = SqliteStore(tmp_path)
    store.stage([SaveJob(row()), SaveRun(run(1))])
    store.stage([SaveOutput(1, Chunk(AttemptKey(f"{run(1).id}.1"), 1, 0, 5, b"text"))])
    other = sqlite3.connect(tmp_path / "tocsin.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="locked"):
        store.commit()
    kept = store.dirty
    other.execute("ROLLBACK")
    store.commit()

    assert (kept, store.dirty) == (True, False)
    assert list(store.runs([run(1).id])) == [run(1).id]
    pieces, more = store.read_output(run(1).id, 0, 0, 1000)
    assert ([piece.data for piece in pieces], more) == ([b"text"], False)
    other.close()
    store.close()


def test_output_that_came_before_a_crash_is_counted(tmp_path: Path) -> None:
    """Output is committed before the run that counts it: what is stored is what counts."""
    first = SqliteStore(tmp_path)
    first.stage([SaveJob(row()), SaveRun(run(1))])
    first.stage([SaveOutput(1, Chunk(AttemptKey(f"{run(1).id}.1"), 1, 0, 0, b"text"))])
    first.commit()
    first.close()

    second = SqliteStore(tmp_path)

    assert [active.run.output_bytes for active in second.stored().active] == [4]
    second.close()


def test_each_start_begins_a_higher_epoch(tmp_path: Path) -> None:
    """An epoch is durable before anything is done in it."""
    epochs = []
    for _ in range(3):
        store = SqliteStore(tmp_path)
        epochs.append(store.next_epoch())
        store.close()

    assert epochs == [1, 2, 3]


def test_an_id_is_never_given_to_a_second_job(store: Store) -> None:
    """A removed job's id stays taken: its runs are still on record."""
    store.stage([SaveJob(row()), SaveRun(run(1))])
    store.stage([DropJob(row(), "ann")])
    store.commit()

    assert (store.count_jobs(), store.stored().next_job_id) == (0, 2)
    assert [r.id for r in store.list_runs("backup", [], "", 10)] == [run(1).id]


def test_active_runs_of_a_removed_job_are_restored_with_its_definition(store: Store) -> None:
    """What is under way goes on without its job."""
    store.stage([SaveJob(row()), SaveRun(run(1)), DropJob(row(), "ann")])
    store.commit()

    (restored,) = store.stored().active
    assert restored.job == job()


def test_runs_are_listed_newest_first_by_page_and_by_filter(store: Store) -> None:
    """Pages do not overlap, and filters hold."""
    store.stage([SaveRun(run(n, finished=n % 2 == 0)) for n in range(1, 8)])
    store.stage([SaveRun(run(8, job="other", job_id=2))])

    page = store.list_runs("backup", [], "", 3)
    rest = store.list_runs("backup", [], page[-1].id, 10)
    done = store.list_runs("", [RunState.SUCCEEDED], "", 10)

    assert [int(r.id) for r in page + rest] == [7, 6, 5, 4, 3, 2, 1]
    assert [int(r.id) for r in done] == [6, 4, 2]


def test_jobs_are_listed_by_name_with_the_state_of_their_last_run(store: Store) -> None:
    """The list goes on behind a name."""
    store.stage([SaveJob(row("backup")), SaveJob(row("clean", 2)), SaveRun(run(1, finished=True))])

    assert [(r.job.name, r.last_state) for r in store.list_jobs("", 1)] == [("backup", "succeeded")]
    assert [(r.job.name, r.last_state) for r in store.list_jobs("backup", 5)] == [("clean", None)]


def test_output_is_read_from_a_position_by_attempt_and_by_size(store: Store) -> None:
    """Pieces come in order of arrival; a bound on the size says that there is more."""
    key = f"{run(1).id}"
    store.stage(
        [
            SaveOutput(1, Chunk(AttemptKey(f"{key}.1"), 1, 0, 0, b"aa")),
            SaveOutput(2, Chunk(AttemptKey(f"{key}.1"), 2, 0, 0, b"bb")),
            SaveOutput(3, Chunk(AttemptKey(f"{key}.2"), 1, 0, 0, b"", gap_bytes=7)),
        ]
    )
    store.commit()

    everything, _ = store.read_output(key, 0, 0, 1000)
    assert [(p.position, p.attempt, p.stream, p.data, p.gap_bytes) for p in everything] == [
        (1, 1, 1, b"aa", 0),
        (2, 1, 2, b"bb", 0),
        (3, 2, 1, b"", 7),
    ]
    assert [p.position for p in store.read_output(key, 1, 1, 1000)[0]] == [2]
    first, more = store.read_output(key, 0, 0, 1)
    assert ([p.position for p in first], more) == ([1], True)


def test_output_is_read_backwards(store: Store) -> None:
    """The last pieces first, each page in order of arrival; a page ends where the next begins."""
    key = f"{run(1).id}.1"
    store.stage([SaveOutput(n, Chunk(AttemptKey(key), 1, n, 0, b"%03d" % n)) for n in range(1, 8)])
    store.stage([SaveOutput(1, Chunk(AttemptKey(f"{run(2).id}.1"), 1, 0, 0, b"other"))])
    store.commit()

    pages, before, more = [], 0, True
    while more:
        page, more = store.read_output_back(run(1).id, before, 150)
        before = page[0].position
        pages.append([piece.position for piece in page])
    assert pages == [[5, 6, 7], [2, 3, 4], [1]]
    assert store.read_output_back(run(1).id, 1, 100) == ([], False)
    assert store.read_output_back("no such run", 0, 100) == ([], False)


def test_a_page_of_small_pieces_fits_into_a_message(store: Store) -> None:
    """A run that prints byte by byte has pages of fewer bytes: each piece costs something too."""
    key = AttemptKey(f"{run(1).id}.1")
    store.stage([SaveOutput(n, Chunk(key, 1, n, 1 << 50, b".")) for n in range(1, 20_000)])
    store.commit()

    page, more = store.read_output(run(1).id, 0, 0, OUTPUT_BYTES_MAX)
    assert more
    assert (
        len(wire.encode(Reply(1, OutputPage(page, ended=False, more=more)))) < 2 * OUTPUT_BYTES_MAX
    )


def test_attempts_that_were_followed_by_another_are_kept(store: Store) -> None:
    """The history of a run with retries is complete."""
    store.stage([SaveAttempt(run(1, attempt=1)), SaveAttempt(run(1, attempt=2))])

    assert [past.attempt for past in store.attempts(run(1).id)] == [1, 2]


def test_a_run_that_is_over_comes_with_where_it_was_before(store: Store) -> None:
    """For an agent that comes back with it: a next attempt avoids those on which it failed."""
    failed = run(1, attempt=1, agent_id="A", state=RunState.FAILED)
    store.stage([SaveAttempt(failed), SaveRun(run(1, attempt=2, state=RunState.LOST))])

    assert store.past_runs([failed.id])[failed.id].failed_on == (("A", RunState.FAILED),)


def test_a_run_that_is_tried_again_comes_with_what_it_ended_with(store: Store) -> None:
    """So that a restart knows how long the next attempt may wait."""
    first = run(1, attempt=1, agent_id="A", state=RunState.FAILED, facts={"retry_after_s": 1})
    second = run(1, attempt=2, agent_id="B", state=RunState.FAILED, facts={"retry_after_s": 9})
    store.stage([SaveJob(row()), SaveAttempt(first), SaveAttempt(second)])
    store.stage([SaveRun(run(1, attempt=3))])
    store.commit()

    (found,) = store.stored().active
    assert found.facts == {"retry_after_s": 9}
    assert found.failed_on == (("A", RunState.FAILED), ("B", RunState.FAILED))


def test_a_run_that_becomes_a_skip_keeps_its_last_due_time(store: Store) -> None:
    """As a skip from the start does."""
    store.stage([SaveRun(run(1, due_us=START_US))])
    store.commit()

    skipped = run(1, due_us=START_US, due_last_us=START_US, state=RunState.SKIPPED)
    store.stage([SaveRun(skipped)])

    assert store.runs([skipped.id]) == {skipped.id: skipped}


def test_a_database_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    """Rather than guess at a schema that is not known."""
    SqliteStore(tmp_path).close()
    with sqlite3.connect(tmp_path / "tocsin.db") as connection:
        connection.execute("INSERT INTO migration VALUES (99, 'x')")
    connection.close()

    with pytest.raises(StoreError, match="schema 99"):
        SqliteStore(tmp_path)


def test_a_migration_that_was_changed_afterwards_is_refused(tmp_path: Path) -> None:
    """A schema is what its steps say, or nothing is certain."""
    SqliteStore(tmp_path).close()
    with sqlite3.connect(tmp_path / "tocsin.db") as connection:
        connection.execute("UPDATE migration SET checksum = 'x'")
    connection.close()

    with pytest.raises(StoreError, match="migration 1"):
        SqliteStore(tmp_path)


def audited(subject: str, at_us: int = 5) -> SaveAudit:
    """An entry to be kept."""
    detail = {"version": 2, "keys": ["env", "shell"]}
    return SaveAudit(
        AuditEntry(at_us=at_us, by="ann", act="put job", subject=subject, detail=detail)
    )


def test_the_audit_is_numbered_and_chained_over_restarts(tmp_path: Path) -> None:
    """Each entry follows from the one before it, whoever wrote that one."""
    first = SqliteStore(tmp_path)
    first.stage([audited("a"), audited("b")])
    first.commit()
    first.stage([audited("c")])
    first.close()  # never committed
    second = SqliteStore(tmp_path)
    second.stage([audited("d"), audited("a", at_us=9)])
    second.commit()

    entries = second.audit_after(0, 10)

    assert [(e.number, e.subject) for e in entries] == [(1, "a"), (2, "b"), (3, "d"), (4, "a")]
    assert first_break(entries) is None
    assert [e.number for e in second.audit_after(2, 1)] == [3]
    assert [e.number for e in second.audit("", 0, 4, 2)] == [3, 2]
    assert [e.number for e in second.audit("a", 0, 99, 5)] == [4, 1]
    assert [e.number for e in second.audit("", 6, 99, 5)] == [4]
    second.close()


def test_a_commit_that_is_tried_again_numbers_each_entry_once(tmp_path: Path) -> None:
    """Also when the entries were read before, inside the transaction that failed."""
    store = SqliteStore(tmp_path)
    store.stage([audited("a")])
    other = sqlite3.connect(tmp_path / "tocsin.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.commit()
    store.stage([audited("b")])
    other.execute("ROLLBACK")
    seen = [entry.number for entry in store.audit_after(0, 10)]
    store.commit()

    entries = store.audit_after(0, 10)

    assert (seen, [(e.number, e.subject) for e in entries]) == ([1, 2], [(1, "a"), (2, "b")])
    assert first_break(entries) is None
    other.close()
    store.close()


@pytest.mark.parametrize(
    ("harm", "number"),
    [
        ("UPDATE audit SET by_whom = 'bob' WHERE number = 2", 2),
        ("UPDATE audit SET detail = '{}' WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("UPDATE audit SET digest = '' WHERE number = 1", 1),
    ],
)
def test_what_was_done_to_the_audit_shows(tmp_path: Path, harm: str, number: int) -> None:
    """The first entry that does not follow is named."""
    store = SqliteStore(tmp_path)
    store.stage([audited(name) for name in "abcd"])
    store.commit()
    with sqlite3.connect(tmp_path / "tocsin.db") as connection:
        connection.execute(harm)
    connection.close()

    broken = first_break(store.audit_after(0, 10))

    assert broken is not None
    assert broken[0] == number
    store.close()


def test_a_name_keeps_all_its_versions(store: Store) -> None:
    """A removed job's are found, and those of one made again go on behind them."""
    again = structs.replace(row(job_id=2), version=3, job=job(schedule=[]))
    store.stage([SaveJob(row()), DropJob(row(), "bob"), SaveJob(again)])

    found = [(v.version, v.job, v.changed_by) for v in store.job_versions("backup")]

    assert found == [(1, job(), ""), (2, None, "bob"), (3, job(schedule=[]), "")]
    assert store.last_versions(["backup", "none"]) == {"backup": 3}


def test_the_users_of_a_calendar_or_pool_are_found(store: Store) -> None:
    """By the very name, wherever else that word stands."""
    rows = [
        JobRow(id=1, version=1, job=job("a", pool="db", description="holidays")),
        JobRow(id=2, version=1, job=job("b", blackout=[Blackout(calendar="holidays")])),
        JobRow(id=3, version=1, job=job("db", blackout=[Blackout(calendar="holidays2")])),
    ]
    store.stage([SaveJob(each) for each in rows])

    assert store.jobs_with("calendar", "holidays") == ["b"]
    assert store.jobs_with("pool", "db") == ["a"]


def test_the_records_of_a_due_time_are_found_by_it(store: Store) -> None:
    """All its runs by slot; within a shared skip any of its due times, and nothing beside it."""
    shared = run(
        3, finished=True, state=RunState.SKIPPED, dues=5, due_us=START_US + 10,
        due_last_us=START_US + 50,
    )  # fmt: skip
    second = run(2, due_us=START_US + 1, group=run(1).id, slot=1)
    other = run(4, job_id=2, due_us=START_US + 1)
    store.stage([SaveRun(each) for each in (second, run(1), shared, other)])

    found = {
        offset: [each.id for each in store.runs_due([1], START_US + offset)]
        for offset in (0, 1, 2, 10, 30, 50, 51)
    }

    assert found[1] == [run(1).id, second.id]
    assert [offset for offset, ids in found.items() if ids == [shared.id]] == [10, 30, 50]
    assert [offset for offset, ids in found.items() if not ids] == [0, 2, 51]
    assert [each.id for each in store.runs_due([1, 2], START_US + 1)][-1] == other.id


def test_descriptions_of_executors_are_kept_by_their_digests(store: Store) -> None:
    """Until they are of no use; and what agents offer stands in their rows."""
    store.stage_description("d1", b"\x00one")
    store.stage_description("d2", b"two")
    agent = Agent(id="A", key="K", name="a", offers=[Offer("x", "d1", False, "why", {"v": [1]})])  # noqa: FBT003 - a row
    store.stage([SaveAgent(agent)])
    store.commit()
    store.stage_undescribed("d2")
    assert store.descriptions() == {"d1": b"\x00one"}
    assert store.agents() == [agent]
