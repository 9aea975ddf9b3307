"""What every part of the store reads through."""

from __future__ import annotations

import sqlite3
from typing import Final

from tocsin.coordinator.store.queries import load_queries

QUERIES: Final = load_queries("sqlite.sql")


class Tables:
    """The two databases; reads see what was staged before them."""

    _main: sqlite3.Connection
    _output: sqlite3.Connection

    def _read(self, query: str, *values: object) -> list[sqlite3.Row]:
        raise NotImplementedError
