"""Processes of runs that outlived their host, known by what they inherited."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Collection
from pathlib import Path


def end_stragglers(run_ids: Collection[str]) -> None:
    """End every process whose environment has one of these as its `TOCSIN_RUN_ID`."""
    marks = {f"TOCSIN_RUN_ID={run_id}".encode() for run_id in run_ids}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it is gone, or somebody else's
            if not marks.isdisjoint((folder / "environ").read_bytes().split(b"\0")):
                os.kill(int(folder.name), signal.SIGKILL)
