"""Copies of databases that a coordinator may be at work on, and what is in a copy.

A copy is made with SQLite's backup API (sqlite.org/backup.html) from a connection that holds a read
transaction from before the first page to after the last. In WAL mode that transaction sees the
database as it was at one moment, is in nobody's way, and is why the copy does not begin anew
whenever somebody writes. Meanwhile the write-ahead log grows by what is written.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from tocsin.errors import StoreError

from .files import migrated

PAGES: Final = 2000
"""So many pages are copied between two looks at whether to stop."""
WAIT_S: Final = 10.0
"""How long a database may be held by somebody alone, as the last who closes it does."""
SCHEMAS: Final = {"tocsin.db": "sqlite", "output.db": "sqlite_output"}
"""The databases of a store by file name, each with the folder of its schema."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What a main database holds."""

    epoch: int
    jobs: int
    runs: int
    runs_under_way: int
    agents: int


class Snapshot:
    """A database as it is now, until `close`.

    Raises:
        StoreError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _said(path), contextlib.ExitStack() as undo:
            self._source = undo.enter_context(closing(_open(path, "rw")))
            self._source.execute("BEGIN")
            self._source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            undo.pop_all()

    def copy_to(self, target: Path) -> None:
        """Write it into a new file that needs none beside it.

        Raises:
            StoreError: it cannot be read, or the copy cannot be written.
        """
        what = f"copying {self._path}"
        hint = "it needs room for the backup and for a copy of the databases"
        with _said(what, hint), closing(sqlite3.connect(target, isolation_level=None)) as copy:
            copy.execute("PRAGMA synchronous=OFF")  # whoever keeps the copy brings it to the disk
            copy.execute("PRAGMA journal_mode=OFF")
            self._source.backup(copy, pages=PAGES, sleep=0.01)
            copy.execute("PRAGMA journal_mode=DELETE")

    def close(self) -> None:
        """Let go of it."""
        self._source.close()


def schema_of(path: Path) -> int:
    """The number of the schema of a database that is named as in a store.

    Raises:
        StoreError: it cannot be read, or is newer than this program.
    """
    with _said(path), closing(_open(path, "ro")) as database:
        return migrated(database, SCHEMAS[path.name])


def holding(path: Path) -> Holding:
    """What a main database holds.

    Raises:
        StoreError: it cannot be read.
    """
    with _said(path), closing(_open(path, "ro")) as database:

        def number(query: str) -> int:
            row = database.execute(query).fetchone()
            return 0 if row is None else int(row[0])

        return Holding(
            epoch=number("SELECT value FROM setting WHERE name = 'epoch'"),
            jobs=number("SELECT count(*) FROM job"),
            runs=number("SELECT count(*) FROM run"),
            runs_under_way=number("SELECT count(*) FROM run WHERE finished_us IS NULL"),
            agents=number("SELECT count(*) FROM agent"),
        )


def put_settings(path: Path, settings: Mapping[str, str | int]) -> None:
    """Change what the coordinator remembers about itself, in a database that nobody uses.

    Raises:
        StoreError: it cannot be written.
    """
    with _said(path), closing(_open(path, "rw")) as database:
        database.execute("BEGIN IMMEDIATE")
        statement = "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)"
        database.executemany(statement, settings.items())
        database.execute("COMMIT")


def _open(path: Path, mode: str) -> sqlite3.Connection:
    where = f"file:{quote(str(path))}?mode={mode}"
    return sqlite3.connect(where, WAIT_S, isolation_level=None, uri=True)


@contextmanager
def _said(what: Path | str, hint: str = "") -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{what}: {error}", hint) from error
