"""The database files: opened, brought up to date, and their errors put into our words."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tocsin.coordinator.store.queries import Migration, load_migrations
from tocsin.errors import StoreError


@contextmanager
def translated(verb: str) -> Iterator[None]:
    """Put what the database says into our words."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # two records for one thing: a fault of ours that no retry mends
    except sqlite3.Error as error:
        raise StoreError(
            f"cannot {verb} the database: {error}",
            "free disk space, or end what holds it locked; it is tried again",
        ) from error


def connect(path: Path | None, synchronous: str) -> sqlite3.Connection:
    """Open a database, or with None one in memory."""
    target = ":memory:" if path is None else str(path)
    connection = sqlite3.connect(target, isolation_level=None, timeout=0.2)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA journal_size_limit=67108864")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA cache_size=-8000")
    return connection


def migrate(connection: sqlite3.Connection, folder: str) -> None:
    """Bring a schema up to date, each step in a transaction of its own.

    Raises:
        StoreError: the database is newer than this program, or a step was changed afterwards.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL)"
    )
    done = migrated(connection, folder)
    for step in load_migrations(folder)[done:]:
        record = f"INSERT INTO migration VALUES ({step.number}, '{_checksum(step)}')"  # noqa: S608 - ours
        connection.executescript(f"BEGIN IMMEDIATE; {step.text}; {record}; COMMIT;")


def migrated(connection: sqlite3.Connection, folder: str) -> int:
    """The number of the last step that a schema has.

    Raises:
        StoreError: the database is newer than this program, or a step was changed afterwards.
    """
    done = dict(connection.execute("SELECT number, checksum FROM migration").fetchall())
    steps = load_migrations(folder)
    if done and max(done) > len(steps):
        raise StoreError(
            f"the database has schema {max(done)}, this program knows {len(steps)}",
            "take a newer tocsin, or a backup made with this one",
        )
    for step in steps[: len(done)]:
        if done.get(step.number) != _checksum(step):
            raise StoreError(f"migration {step.number} is not the one this database was made with")
    return len(done)


def _checksum(step: Migration) -> str:
    return hashlib.sha256(step.text.encode()).hexdigest()
