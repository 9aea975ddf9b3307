"""A coordinator's directory, made without a coordinator."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from tocsin import clock
from tocsin.coordinator.config import CoordinatorConfig
from tocsin.coordinator.machine.commands import SaveRun
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.keys import load_or_make_keypair
from tocsin.link import new_keypair
from tocsin.model import Run, RunState, Trigger

KILLED = 137


def config_of(folder: Path) -> CoordinatorConfig:
    """The settings of a coordinator with its directory."""
    return CoordinatorConfig(data_dir=folder, key_file=folder / "coordinator.key")


def made(folder: Path, *, runs: int = 1) -> CoordinatorConfig:
    """A directory with databases and keys, as a coordinator leaves it."""
    folder.mkdir(mode=0o700)
    config = config_of(folder)
    load_or_make_keypair(config.key_file, new_keypair)
    load_or_make_keypair(folder / "admin.key", new_keypair)
    store = SqliteStore(folder)
    store.next_epoch()
    add_runs(store, runs)
    store.close()
    return config


def add_runs(store: SqliteStore, count: int) -> None:
    """Keep runs, one transaction each."""
    for _ in range(count):
        run = Run(
            id=clock.new_ulid(),
            job_id=1,
            job="backup",
            job_version=1,
            trigger=Trigger.MANUAL,
            state=RunState.SUCCEEDED,
            created_us=clock.now_us(),
            finished_us=clock.now_us(),
        )
        store.stage([SaveRun(run)])
        store.commit()


def runs_in(folder: Path) -> set[str]:
    """The ids of the runs that a directory's store has."""
    store = SqliteStore(folder)
    try:
        return {run.id for run in store.list_runs("", [], "", 10_000)}
    finally:
        store.close()


def killed_at(moment: int, act: Callable[[], object]) -> bool:
    """Do something in a process that dies just before the rename of this number; whether it did.

    It dies as by SIGKILL: nothing is cleaned up.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which the child needs not
        pid = os.fork()
    if pid == 0:
        rename, count = Path.replace, 0

        def replace(path: Path, target: Path) -> Path:
            nonlocal count
            count += 1
            if count == moment:
                os._exit(KILLED)
            return rename(path, target)

        Path.replace = replace  # type: ignore[assignment,method-assign] # in this child alone
        try:
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == KILLED
