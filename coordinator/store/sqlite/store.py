"""The store on SQLite: one file for what counts, one beside it for output.

`tocsin.db` is synchronous FULL: what `commit` returned from survives a power cut. `output.db` is
NORMAL: it survives every crash of a process; after a power cut its last moments may be gone. Both
are in WAL mode (sqlite.org/wal.html). Output is committed first, so a recorded end never lacks it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tocsin.audit_chain import seal
from tocsin.coordinator.machine.commands import Command
from tocsin.coordinator.machine.incidents import KEPT_MAX
from tocsin.coordinator.machine.machine import Stored
from tocsin.coordinator.store.port import PeerRow, PendingRow, TokenRow
from tocsin.coordinator.store.rows import (
    audit_values,
    calendar_of,
    condition_of,
    incident_of,
    pause_of,
    restore_of,
    run_of,
    to_json,
)
from tocsin.coordinator.store.staging import RESTORE, Staging
from tocsin.errors import StoreError
from tocsin.model import AuditEntry, Pool

from .files import connect, migrate, translated
from .jobs import JobTables
from .members import MemberTables
from .record import RecordTables
from .runs import RunTables
from .tables import QUERIES


class SqliteStore(JobTables, RunTables, MemberTables, RecordTables):
    """See `tocsin.coordinator.store.port.Store`. `folder` None keeps everything in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._staged = Staging()
        self._applied = 0
        with translated("open"):
            self._main = connect(folder and folder / "tocsin.db", "FULL")
            self._output = connect(folder and folder / "output.db", "NORMAL")
            migrate(self._main, "sqlite")
            migrate(self._output, "sqlite_output")

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
            self._main.executemany(QUERIES[query], values)
            self._applied += 1

    def _sealed(self, entries: Iterable[AuditEntry]) -> Iterator[tuple[Any, ...]]:
        """Entries with their numbers and digests, as they follow from what the table holds."""
        number, digest = self._main.execute(QUERIES["audit_head"]).fetchone() or (0, "")
        for entry in entries:
            sealed = seal(entry, number + 1, digest)
            number, digest = sealed.number, sealed.digest
            yield audit_values(sealed)

    @property
    def dirty(self) -> bool:
        return bool(self._staged)

    def commit(self) -> None:
        try:
            with translated("write"):
                if self._staged.pieces or self._staged.cuts:
                    self._output.execute("BEGIN IMMEDIATE")
                    self._output.executemany(QUERIES["save_piece"], self._staged.pieces)
                    for cut in self._staged.cuts:
                        self._output.execute(QUERIES["cut_output"], cut)
                        self._output.execute(QUERIES["mark_cut"], cut)
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
            with translated("read"):
                self._apply()
                return self._main.execute(QUERIES[query], values).fetchall()
        except StoreError:
            self._rollback()
            raise

    def next_epoch(self) -> int:
        (row,) = self._read("next_epoch")
        with translated("write"):
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
            restore=next(
                (restore_of(row["value"]) for row in self._read("setting", RESTORE)), None
            ),
        )

    def close(self) -> None:
        self._rollback()
        self._main.close()
        self._output.close()
