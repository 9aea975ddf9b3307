"""The store on SQLite: one file for what counts, one beside it for output.

`tocsin.db` is synchronous FULL: what `commit` returned from survives a power cut. `output.db` is
NORMAL: it survives every crash of a process; after a power cut its last moments may be gone. Both
are in WAL mode (sqlite.org/wal.html). Output is committed first, so a recorded end never lacks it.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tocsin.audit_chain import seal
from tocsin.coordinator.machine.commands import Command
from tocsin.coordinator.machine.events import PastRun
from tocsin.coordinator.machine.incidents import KEPT_MAX
from tocsin.coordinator.machine.machine import Restored, Stored
from tocsin.errors import StoreError
from tocsin.messages.client_answers import OutputPiece
from tocsin.model import (
    Agent,
    AuditEntry,
    Incident,
    Job,
    JobRow,
    JobVersion,
    Pool,
    Role,
    Run,
    RunState,
)

from .port import PeerRow, PendingRow, TokenRow
from .queries import load_migrations, load_queries
from .rows import (
    agent_of,
    attempt_of,
    audit_of,
    audit_values,
    calendar_of,
    condition_of,
    incident_of,
    job_row,
    job_spec,
    job_version,
    pause_of,
    run_of,
    to_json,
)
from .staging import Staging

if TYPE_CHECKING:
    from collections.abc import Iterator

_Q: Final = load_queries("sqlite.sql")
_NEWEST: Final = "\x7f"
"""Sorts behind every run id."""


class SqliteStore:
    """See `tocsin.coordinator.store.port.Store`. `folder` None keeps everything in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._staged = Staging()
        self._applied = 0
        with _translated("open"):
            self._main = _connect(folder and folder / "tocsin.db", "FULL")
            self._output = _connect(folder and folder / "output.db", "NORMAL")
            _migrate(self._main, "sqlite")
            _migrate(self._output, "sqlite_output")

    # Writing.

    def stage(self, commands: Iterable[Command]) -> None:
        self._staged.take(commands)

    def stage_peer(self, peer: PeerRow) -> None:
        self._staged.write("save_peer", (peer.key, peer.role, peer.name, peer.agent_id))

    def stage_struck_off(self, key: str) -> None:
        self._staged.write("drop_peer", (key,))

    def stage_token(self, token: TokenRow) -> None:
        head = (token.id, token.digest, token.expires_us, token.uses_left, token.name_glob)
        self._staged.write("save_token", (*head, to_json(token.tags), token.role))

    def stage_pending(self, pending: PendingRow) -> None:
        values = (pending.key, pending.name, pending.client_key, pending.asked_us)
        self._staged.write("save_pending", values)

    def stage_settled(self, key: str) -> None:
        self._staged.write("drop_pending", (key,))

    def stage_setting(self, name: str, value: str | int) -> None:
        self._staged.write("save_setting", (name, value))

    def stage_description(self, digest: str, body: bytes) -> None:
        self._staged.write("save_description", (digest, body))

    def stage_undescribed(self, digest: str) -> None:
        self._staged.write("drop_description", (digest,))

    def _apply(self) -> None:
        """Execute what is staged inside the open transaction, so that reads see it."""
        self._staged.gather()
        if self._applied == len(self._staged.writes):
            return
        if not self._main.in_transaction:
            self._main.execute("BEGIN IMMEDIATE")
        for query, values in self._staged.writes[self._applied :]:
            if query == "save_audit":
                values = [*self._sealed(entry for (entry,) in values)]
            self._main.executemany(_Q[query], values)
            self._applied += 1

    def _sealed(self, entries: Iterable[AuditEntry]) -> Iterator[tuple[Any, ...]]:
        """Entries with their numbers and digests, as they follow from what the table holds."""
        number, digest = self._main.execute(_Q["audit_head"]).fetchone() or (0, "")
        for entry in entries:
            sealed = seal(entry, number + 1, digest)
            number, digest = sealed.number, sealed.digest
            yield audit_values(sealed)

    @property
    def dirty(self) -> bool:
        return bool(self._staged)

    def commit(self) -> None:
        try:
            with _translated("write"):
                if self._staged.pieces:
                    self._output.execute("BEGIN IMMEDIATE")
                    self._output.executemany(_Q["save_piece"], self._staged.pieces)
                    self._output.execute("COMMIT")
                self._apply()
                if self._main.in_transaction:
                    self._main.execute("COMMIT")
        except StoreError:
            self._rollback()
            raise
        self._staged.clear()
        self._applied = 0

    def _rollback(self) -> None:
        """Back to the last commit; everything staged will be applied again."""
        self._applied = 0
        for connection in (self._output, self._main):
            if connection.in_transaction:
                connection.rollback()

    # Reading.

    def _read(self, query: str, *values: object) -> list[sqlite3.Row]:
        try:
            with _translated("read"):
                self._apply()
                return self._main.execute(_Q[query], values).fetchall()
        except StoreError:
            self._rollback()
            raise

    def next_epoch(self) -> int:
        (row,) = self._read("next_epoch")
        with _translated("write"):
            if self._main.in_transaction:
                self._main.execute("COMMIT")
        return int(row[0])

    def stored(self) -> Stored:
        return Stored(
            due=[(due_us, job_id) for due_us, job_id in self._read("due")],
            active=self._active_runs(),
            ended_members=[run_of(row) for row in self._read("ended_members")],
            next_job_id=int(self._read("next_job_id")[0][0]),
            agents=self.agents(),
            resumes=[(until_us, job_id) for until_us, job_id in self._read("resumes")],
            pauses=[pause_of(row) for row in self._read("pauses")],
            incidents=[incident_of(row) for row in self._read("last_incidents", KEPT_MAX)][::-1],
            calendars=[calendar_of(row["spec"]) for row in self._read("calendars")],
            pools=[Pool(name=row["name"], slots=row["slots"]) for row in self._read("pools")],
            conditions=[condition_of(row) for row in self._read("dependencies")],
        )

    def _active_runs(self) -> list[Restored]:
        runs = [run_of(row) for row in self._read("active_runs")]
        failed_on: dict[str, list[tuple[str, RunState]]] = {}
        for run_id, agent_id, state in self._read("earlier_attempts"):
            failed_on.setdefault(run_id, []).append((agent_id, RunState(state)))
        return [
            Restored(run, job, offsets, pieces, tuple(failed_on.get(run.id, ())))
            for run, job, offsets, pieces in self._with_jobs(runs)
            if job is not None
        ]

    def _with_jobs(self, runs: list[Run]) -> list[tuple[Run, Job | None, tuple[int, int], int]]:
        wanted = to_json(list({(run.job_id, run.job_version) for run in runs}))
        specs = {
            (row["job_id"], row["version"]): job_spec(row["spec"])
            for row in self._read("job_specs", wanted)
            if row["spec"] is not None
        }
        with _translated("read"):
            ids = to_json([run.id for run in runs])
            ends = self._output.execute(_Q["output_ends"], (ids,)).fetchall()
        offset = {(row[0], row[1], row[2]): int(row[3]) for row in ends}
        pieces: dict[str, int] = {}
        for row in ends:
            pieces[row[0]] = max(pieces.get(row[0], 0), row[4])
        return [
            (
                run,
                specs.get((run.job_id, run.job_version)),
                (
                    offset.get((run.id, run.attempt, 1), 0),
                    offset.get((run.id, run.attempt, 2), 0),
                ),
                pieces.get(run.id, 0),
            )
            for run in runs
        ]

    def jobs_by_id(self, ids: Sequence[int]) -> dict[int, JobRow]:
        return {row["id"]: job_row(row) for row in self._read("jobs_by_id", to_json(ids))}

    def jobs_by_name(self, names: Sequence[str]) -> dict[str, JobRow]:
        return {row["name"]: job_row(row) for row in self._read("jobs_by_name", to_json(names))}

    def list_jobs(self, after: str, limit: int) -> list[JobRow]:
        return [job_row(row) for row in self._read("list_jobs", after, limit)]

    def job_versions(self, name: str) -> list[JobVersion]:
        return [job_version(row) for row in self._read("job_versions", name)]

    def last_versions(self, names: Sequence[str]) -> dict[str, int]:
        return dict(map(tuple, self._read("last_versions", to_json(names))))

    def jobs_with(self, kind: str, name: str) -> list[str]:
        return [row["name"] for row in self._read(f"jobs_with_{kind}", name)]

    def count_jobs(self) -> int:
        return int(self._read("count_jobs")[0][0])

    def runs(self, ids: Sequence[str]) -> dict[str, Run]:
        return {row["id"]: run_of(row) for row in self._read("runs", to_json(ids))}

    def fires(self, groups: Sequence[str]) -> dict[str, list[Run]]:
        fires: dict[str, list[Run]] = {}
        for run in map(run_of, self._read("fires", to_json(groups))):
            fires.setdefault(run.group, []).append(run)
        return fires

    def list_runs(self, job: str, states: Sequence[RunState], before: str, limit: int) -> list[Run]:
        wanted = to_json(states)
        before = before or _NEWEST
        if job:
            rows = self._read("list_runs_of_job", job, before, wanted, wanted, limit)
        else:
            rows = self._read("list_runs", before, wanted, wanted, limit)
        return [run_of(row) for row in rows]

    def runs_due(self, job_ids: Sequence[int], due_us: int) -> list[Run]:
        found: list[Run] = []
        for job_id in job_ids:
            rows = self._read("runs_due", job_id, due_us)
            found += [run_of(row) for row in rows or self._read("skip_over", job_id, due_us)]
        return found

    def past_runs(self, ids: Sequence[str]) -> dict[str, PastRun]:
        runs = list(self.runs(ids).values())
        return {
            run.id: PastRun(run, job, offsets, pieces, self._failed_on(run))
            for run, job, offsets, pieces in self._with_jobs(runs)
        }

    def _failed_on(self, run: Run) -> tuple[tuple[str, RunState], ...]:
        if run.attempt == 1:
            return ()
        return tuple((earlier.agent_id, earlier.state) for earlier in self.attempts(run.id))

    def attempts(self, run_id: str) -> list[Run]:
        return [attempt_of(row["run"]) for row in self._read("attempts", run_id)]

    def read_output(
        self, run_id: str, attempt: int, after: int, bytes_max: int
    ) -> tuple[list[OutputPiece], bool]:
        pieces: list[OutputPiece] = []
        size = 0
        with _translated("read"):
            for row in self._output.execute(_Q["read_output"], (run_id, after, attempt)):
                if size >= bytes_max:
                    return pieces, True
                pieces.append(OutputPiece(*row))
                size += len(row["data"])
        return pieces, False

    def setting(self, name: str) -> str | int | None:
        for row in self._read("setting", name):
            value: str | int = row["value"]
            return value
        return None

    def incidents(self, from_us: int, until_us: int) -> list[Incident]:
        return [incident_of(row) for row in self._read("incidents", from_us, until_us)]

    def audit(self, subject: str, since_us: int, before: int, limit: int) -> list[AuditEntry]:
        if subject:
            rows = self._read("audit_of_subject", subject, before, since_us, limit)
        else:
            rows = self._read("audit", before, since_us, limit)
        return [audit_of(row) for row in rows]

    def audit_after(self, number: int, limit: int) -> list[AuditEntry]:
        return [audit_of(row) for row in self._read("audit_after", number, limit)]

    def agents(self) -> list[Agent]:
        return [agent_of(row) for row in self._read("agents")]

    def descriptions(self) -> dict[str, bytes]:
        return {row["digest"]: row["body"] for row in self._read("descriptions")}

    def peers(self) -> list[PeerRow]:
        return [
            PeerRow(r["key"], Role(r["role"]), r["name"], r["agent_id"])
            for r in self._read("peers")
        ]

    def token(self, token_id: str) -> TokenRow | None:
        for row in self._read("token", token_id):
            head = (row["id"], row["digest"], row["expires_us"], row["uses_left"], row["name_glob"])
            return TokenRow(*head, msgspec.json.decode(row["tags"]), Role(row["role"]))
        return None

    def pendings(self) -> list[PendingRow]:
        return [PendingRow(*row) for row in self._read("pendings")]

    def close(self) -> None:
        self._rollback()
        self._main.close()
        self._output.close()


@contextmanager
def _translated(verb: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # two records for one thing: a fault of ours that no retry mends
    except sqlite3.Error as error:
        raise StoreError(
            f"cannot {verb} the database: {error}",
            "free disk space, or end what holds it locked; it is tried again",
        ) from error


def _connect(path: Path | None, synchronous: str) -> sqlite3.Connection:
    target = ":memory:" if path is None else str(path)
    connection = sqlite3.connect(target, isolation_level=None, timeout=0.2)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA journal_size_limit=67108864")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA cache_size=-8000")
    return connection


def _migrate(connection: sqlite3.Connection, folder: str) -> None:
    """Bring a schema up to date, each step in a transaction of its own.

    Raises:
        StoreError: the database is newer than this program, or a step was changed afterwards.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL)"
    )
    done = dict(connection.execute("SELECT number, checksum FROM migration").fetchall())
    steps = load_migrations(folder)
    if done and max(done) > len(steps):
        raise StoreError(
            f"the database has schema {max(done)}, this program knows {len(steps)}",
            "start a newer tocsin, or restore a backup made with this one",
        )
    for step in steps:
        checksum = hashlib.sha256(step.text.encode()).hexdigest()
        if step.number not in done:
            record = f"INSERT INTO migration VALUES ({step.number}, '{checksum}')"  # noqa: S608 - ours
            connection.executescript(f"BEGIN IMMEDIATE; {step.text}; {record}; COMMIT;")
        elif done[step.number] != checksum:
            raise StoreError(f"migration {step.number} is not the one this database was made with")
