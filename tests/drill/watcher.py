"""Reads the ledger while the drill goes on, as a second pair of eyes.

What the ledger says at the end does not tell that a run was once given up; and a result that was
there may not change afterwards.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Final

import msgspec

from tests.sim.evidence import Violation
from tocsin.execution import AttemptKey

from .witness import true_us

PERIOD_S: Final = 0.4
_CHANGED: Final = """
SELECT id, attempt, state, reason, agent_id, exit_code, dispatched_us FROM run WHERE id >= ?
"""
_PUT_ASIDE: Final = "SELECT run FROM attempt WHERE run_id >= ?"
_FINAL: Final = frozenset({"succeeded", "failed", "timed_out", "cancelled", "refused", "skipped"})


class Seen(msgspec.Struct, frozen=True):
    """An attempt that was given up, and when that was first seen."""

    key: AttemptKey
    agent_id: str
    reason: str
    at_us: int


class Watcher:
    """Looks several times a second, from a thread of its own."""

    def __init__(self, database: Path) -> None:
        self.losses: dict[AttemptKey, Seen] = {}
        self.violations: list[Violation] = []
        self.open_ids: list[str] = []
        """The runs that were not over when it last looked."""
        self.looks = 0
        self._database = database
        self._results: dict[str, tuple[str, int, int | None]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="watcher")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _look_on(self) -> None:
        while not self._stopped.wait(PERIOD_S):
            # A full disk, or a coordinator that opens its database at this moment.
            with contextlib.suppress(sqlite3.Error):
                self._look()

    def _look(self) -> None:
        uri = f"file:{self._database}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0.2)
        with contextlib.closing(connection):
            rows = connection.execute(_CHANGED, ("",)).fetchall()
            aside = connection.execute(_PUT_ASIDE, ("",)).fetchall()
        self.looks += 1
        now_us = true_us()
        still_open = []
        for run_id, attempt, state, reason, agent_id, exit_code, _ in rows:
            if state == "lost":
                self._lost(AttemptKey(f"{run_id}.{attempt}"), agent_id, reason, now_us)
            elif state in _FINAL:
                self._final(run_id, (state, attempt, exit_code))
            else:
                still_open.append(run_id)
        for (text,) in aside:
            run = msgspec.json.decode(text)
            if run["state"] == "lost":
                key = AttemptKey(f"{run['id']}.{run.get('attempt', 1)}")
                self._lost(key, run.get("agent_id", ""), run.get("reason", ""), now_us)
        self.open_ids = still_open

    def _lost(self, key: AttemptKey, agent_id: str, reason: str, now_us: int) -> None:
        self.losses.setdefault(key, Seen(key, agent_id, reason, now_us))

    def _final(self, run_id: str, result: tuple[str, int, int | None]) -> None:
        before = self._results.setdefault(run_id, result)
        if before != result:
            message = f"had ended as {before}, and became {result}"
            self.violations.append(Violation("state", message, run_id))
            self._results[run_id] = result
