"""The whole suite: looks at an executor, then runs it in real hosts, and yields what is found."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from tocsin.errors import ConfigError
from tocsin.execution import executor_entry_points
from tocsin.nearest import did_you_mean

from . import ending_checks, keeping_checks, resource_checks, running_checks
from .bench import Bench
from .check import Check
from .onlooker import Onlooker
from .static_checks import STATIC
from .subject import Subject
from .target import Target, find_target
from .verdict import Result, Verdict

RUN: Final[tuple[Check[Bench], ...]] = (
    *running_checks.CHECKS,
    *ending_checks.CHECKS,
    *keeping_checks.CHECKS,
    *resource_checks.CHECKS,
)
"""The checks that need a host, in the order in which they are made."""
DEADLINE_S: Final = 30.0
FIRST: Final = "success"
"""Where this fails, nothing can be said of the others."""


def check_executor(
    module: str,
    *,
    only: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
    deadline_s: float = DEADLINE_S,
) -> Iterator[Result]:
    """Put an executor to the contract; what each check came to, one after the other.

    Args:
        module: the name of an installed executor, `MODULE`, `MODULE:CLASS`, or the path of a
            package or of a project.
        only: the names of some checks; empty: all.
        environment: that of the hosts; by default that of this process.
        deadline_s: how long any one step of a check may take.

    Raises:
        ConfigError: there is no check of that name, or nothing at that path.
    """
    names = [*(check.name for check in STATIC), *(check.name for check in RUN)]
    for name in only:
        if name not in names:
            hint = did_you_mean(name, names) or f"there are: {', '.join(names)}"
            raise ConfigError(f"there is no check {name!r}", hint)
    points = {name: point.value for name, point in executor_entry_points().items()}
    target = find_target(module, points)
    env = _with_path(dict(os.environ if environment is None else environment), target)
    return _results(target, only, env, deadline_s)


def _with_path(environment: dict[str, str], target: Target) -> dict[str, str]:
    if target.folder:
        paths = [target.folder, environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment


def _results(
    target: Target, only: Collection[str], environment: Mapping[str, str], deadline_s: float
) -> Iterator[Result]:
    with Onlooker(target.use, environment, deadline_s) as onlooker:
        for result in onlooker.results():
            # What stands in the way of those that were asked for is told all the same.
            if not only or result.check in only or result.verdict is Verdict.FAILED:
                yield result
        if onlooker.subject is not None and onlooker.subject.specimen is not None:
            yield from _run(onlooker.subject, only, environment, deadline_s)


def _run(
    subject: Subject, only: Collection[str], environment: Mapping[str, str], deadline_s: float
) -> Iterator[Result]:
    broken = False
    for check in RUN:
        if only and check.name not in only:
            continue
        if broken:
            yield check.left_out(f"`{FIRST}` did not pass")
            continue
        result = run_check(check, subject, environment, deadline_s)
        broken = check.name == FIRST and result.verdict is Verdict.FAILED
        yield result


def run_check(
    check: Check[Bench], subject: Subject, environment: Mapping[str, str], deadline_s: float
) -> Result:
    """What one check comes to, made in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="tocsin-check-", ignore_cleanup_errors=True) as folder:
        bench = Bench(subject, Path(folder), environment, deadline_s)
        try:
            return check.made_on(bench, bench.explain)
        finally:
            bench.close()
