"""The machine: its time zone data, its databases, and whether it is a copy of another one."""

from __future__ import annotations

import importlib.util
import zoneinfo
from pathlib import Path

from tocsin.agent.config import AgentConfig
from tocsin.cli.machine_mark import mark_of, read_mark
from tocsin.coordinator.config import CoordinatorConfig

from .finding import Findings, fault, fine, warning
from .here import Side

DATABASE_BYTES_MAX = 4 << 30
"""Larger ones take minutes to read through."""


def check_zones() -> Findings:
    """There is time zone data."""
    folders = [folder for folder in zoneinfo.TZPATH if Path(folder, "Europe", "Berlin").exists()]
    if folders:
        yield fine("time zones", folders[0])
    elif importlib.util.find_spec("tzdata") is not None:
        yield fine("time zones", "the package tzdata, as this host has none of its own")
    else:
        said = f"no time zone data in {', '.join(zoneinfo.TZPATH)}: only UTC is known"
        yield fault("time zones", said, "apt install tzdata, or: dnf install tzdata")


def check_copied(side: Side) -> Findings:
    """Its keys were made on this machine, not on one that it is a copy of."""
    if not isinstance(side.config, AgentConfig):
        return
    before, now = read_mark(side.config.data_dir), mark_of()
    if before is None or not now:
        return
    if before == now:
        yield fine("machine", "its key was made here")
        return
    said = (
        f"this machine is a copy of another one: {side.config.key_file} was made there, and two "
        "agents with one key take each other's runs"
    )
    mend = (
        f"rm -r {side.config.data_dir} {side.settings_file}, then let this host in under a name of "
        f"its own: {side.join}"
    )
    yield fault("machine", said, mend)


def check_store(side: Side) -> Findings:
    """The databases are whole."""
    if not isinstance(side.config, CoordinatorConfig):
        return
    from tocsin.coordinator.store.sqlite.inspecting import faults_of

    for name in ("tocsin.db", "output.db"):
        path = side.config.data_dir / name
        try:
            size = path.stat().st_size
        except OSError:
            continue  # the data folder's own check says what is wrong
        if size > DATABASE_BYTES_MAX:
            yield warning("database", f"{path} is too large to look through here",
                          f"sqlite3 {path} 'PRAGMA quick_check'")  # fmt: skip
        elif faults := faults_of(path):
            mend = "stop the coordinator, keep a copy, and restore the last backup"
            yield fault("database", f"{path} is damaged: {faults[0]}", mend)
        else:
            yield fine("database", f"{path} is whole")
