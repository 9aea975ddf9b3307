"""Hurt a fleet of real processes for a while, and judge what it did.

The seed decides what happens and when, but not how fast processes are: the same seed is the same
kind of trouble, and not the same history. `--only` names faults by comma.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from tests.sim.evidence import Violation

from . import report, sweep
from .drill import Drill
from .faults import Fault
from .judge import judge
from .ledger import gather
from .members import COORDINATOR, DrillFleet

EXIT_BROKEN = 1
EXIT_INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Hold one drill; the exit code says whether a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long faults happen")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help=f"of: {', '.join(Fault)}")
    parser.add_argument("--keep", action="store_true", help="keep logs and databases in any case")
    options = parser.parse_args(arguments)
    faults = [Fault(name) for name in options.only.split(",") if name] or list(Fault)
    signal.signal(signal.SIGTERM, _interrupt)
    for what in sweep.sweep(Path(tempfile.gettempdir())):
        say(f"removed what a drill that died had left: {what}")
    home = Path(tempfile.mkdtemp(prefix=f"{sweep.HOMES}{os.getpid()}-"))
    try:
        violations, text = hold(home, options.seed, options.seconds, faults)
    except KeyboardInterrupt:
        shutil.rmtree(home)
        say("interrupted; nothing is left")
        return EXIT_INTERRUPTED
    say(text)
    if violations or options.keep:
        say(f"logs, databases and witnesses are kept in {home}")
    else:
        shutil.rmtree(home)
    return EXIT_BROKEN if violations else 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def hold(home: Path, seed: int, seconds: float, faults: list[Fault]) -> tuple[list[Violation], str]:
    """Hold a drill in an empty directory; what was broken, and the report."""
    fleet = DrillFleet(home)
    try:
        drill = Drill(fleet, seed, faults)
        for text in report.missing(drill, faults):
            say(f"WARNING: this drill is without {text}")
        say(f"seed {seed}, {seconds:g} s: {report.members()}")
        drill.run(seconds)
        case = gather(drill)
        violations = judge(drill, case)
        lines = [report.happening_line(happening) for happening in drill.happenings]
        (home / "faults.log").write_text("\n".join(lines) + "\n")
        return violations, report.tell(drill, case, violations)
    except Exception:
        say(f"the drill itself failed; logs are kept in {home}")
        raise
    finally:
        _keep(fleet)
        fleet.close()


def _keep(fleet: DrillFleet) -> None:
    """Save what is on disks that go away."""
    (fleet.home / sweep.KEPT).touch()
    for file in fleet.store.glob("*.db*"):
        shutil.copy(file, fleet.home / COORDINATOR / file.name)


def say(text: str) -> None:
    """Tell whoever runs the drill."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
