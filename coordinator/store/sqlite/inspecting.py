"""Looks through a database for damage, beside a coordinator that may be at work on it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

WAIT_S: Final = 5.0
FAULTS_MAX: Final = 10


def faults_of(path: Path, *, thorough: bool = False) -> list[str]:
    """What is wrong with a database, in SQLite's words; empty when nothing.

    It is opened to be read only. `PRAGMA quick_check` looks through it, and with `thorough`
    `PRAGMA integrity_check`, which also compares indexes with their tables.
    """
    check = "integrity_check" if thorough else "quick_check"
    try:
        database = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", WAIT_S, uri=True)
    except sqlite3.Error as error:
        return [str(error)]
    try:
        rows = database.execute(f"PRAGMA {check}({FAULTS_MAX})").fetchall()
    except sqlite3.Error as error:
        return [str(error)]
    finally:
        database.close()
    return [text for (text,) in rows if text != "ok"]
