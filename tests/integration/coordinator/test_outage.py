"""A database that cannot be written: said, waited out, and nothing is lost by it."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.fleet import Fleet, until


def database(fleet: Fleet) -> Path:
    """The coordinator's main database."""
    return fleet.home / "coordinator/data/coordinator/tocsin.db"


@contextmanager
def locked(fleet: Fleet) -> Iterator[None]:
    """Somebody else holds the write lock."""
    other = sqlite3.connect(database(fleet), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def full(fleet: Fleet) -> Iterator[None]:
    """No file of the coordinator can grow, as on a full disk."""
    pid = fleet.processes["coordinator"].pid
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)


@pytest.mark.parametrize("broken", [locked, full])
def test_an_outage_of_the_store_is_said_and_survived(
    fleet: Fleet, tmp_path: Path, broken: Callable[[Fleet], AbstractContextManager[None]]
) -> None:
    """Running jobs go on, clients are told, and afterwards each due time has its record."""
    fleet.join("one")
    fleet.start_agent("one")
    witness, gate = tmp_path / "witness", tmp_path / "gate"
    fleet.apply(
        "jobs:\n"
        "  long:\n"
        f"    shell: 'while ! test -e {gate}; do sleep 0.1; done; echo done >> {witness}'\n"
        "  tick:\n"
        '    schedule: "* * * * * *"\n'
        "    missed: {policy: all, within: 1h, limit: 1000}\n"
        "    overlap: allow\n"
        "    shell: 'true'\n"
    )
    (run,) = fleet.json("job", "run", "long")
    until(lambda: fleet.runs("--job", "long")[0]["state"] == "running", "the long run")

    with broken(fleet):
        until(lambda: fleet.json("status")["store"] != "ok", "the coordinator to say so")
        assert fleet.json("status")["jobs"] is None
        declined = fleet.call("job", "run", "long")
        gate.touch()
        until(witness.exists, "the long run to go on")

    until(lambda: fleet.json("status")["store"] == "ok", "the store to be mended")
    ended = fleet.call("run", "wait", run["id"])
    assert fleet.call("job", "pause", "tick").returncode == 0

    assert declined.returncode == 1
    assert "cannot write the database" in declined.stderr
    assert ended.returncode == 0
    assert witness.read_text() == "done\n"
    dues = sorted(run["due"] for run in fleet.runs("--job", "tick") if run["reason"] != "paused")
    assert len(set(dues)) == len(dues)
    assert "store.mended" in (fleet.home / "coordinator.log").read_text()
