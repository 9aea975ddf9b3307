"""How the processes of executors are started: by the agent itself, or by systemd for it.

Under the agent's own unit they are units of their own: the agent is locked in, and what runs
other people's jobs cannot be; and an agent that is stopped, restarted or upgraded has nothing of
theirs in its cgroup. `TOCSIN_EXECUTOR_UNITS` in its environment says so: it names the folder from
which `tocsin-executor@NAME.service` takes its variables, secrets among them, so it is root's alone.
One more agent of a host has a template of its own for them, which `TOCSIN_EXECUTOR_TEMPLATE` names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tocsin.environment_file import environment_file
from tocsin.hosting import PROBE_VARIABLE
from tocsin.own_process import own_command

from .host_environment import host_environment

UNITS_VARIABLE: Final = "TOCSIN_EXECUTOR_UNITS"
TEMPLATE_VARIABLE: Final = "TOCSIN_EXECUTOR_TEMPLATE"
COMMAND_VARIABLE: Final = "TOCSIN_HOST"
"""Holds the words of a host's command line, as its unit executes them."""
DRAIN_S: Final = 20.0
PROBE_S: Final = 300
"""Systemd ends a probe that nobody waits for any more."""


class Launch(NamedTuple):
    """A program to spawn, by its name or path, and its environment."""

    argv: list[str]
    environ: dict[str, str]


def host_launch(executor: str, run_dir: str, out_dir: str, variables: Mapping[str, str]) -> Launch:
    """What starts the host of an executor, and ends when that listens or cannot; or is it.

    Raises:
        OSError: the file with its variables cannot be written.
    """
    environ = {**host_environment(), **variables}
    argv = [*own_command("tocsin.executors.host"), executor, run_dir, out_dir]
    folder = os.environ.get(UNITS_VARIABLE)
    if not folder:
        return Launch(argv, environ)
    _write_variables(folder, executor, {**environ, COMMAND_VARIABLE: " ".join(argv)})
    template = os.environ.get(TEMPLATE_VARIABLE) or "tocsin-executor"
    return Launch(["systemctl", "start", f"{template}@{executor}.service"], host_environment())


def probe_launch(asked: str) -> Launch:
    """What looks at executors, and tells of them on its stdout; `asked` says which.

    Raises:
        OSError: as above.
    """
    environ = {**host_environment(), PROBE_VARIABLE: asked}
    argv = own_command("tocsin.executors.describe")
    folder = os.environ.get(UNITS_VARIABLE)
    if not folder:
        return Launch(argv, environ)
    path = _write_variables(folder, ".probe", environ)
    properties = ["--slice=tocsin-jobs.slice", f"--property=EnvironmentFile={path}"]
    properties += [f"--property=RuntimeMaxSec={PROBE_S}", "--description=Tocsin looks at executors"]
    start = ["systemd-run", "--quiet", "--collect", "--pipe", "--wait", *properties, "--"]
    return Launch([*start, *argv], host_environment())


def usual_drain_s() -> float:
    """How long an agent waits for its runs when it ends: not at all for what is in other units."""
    return 0.0 if os.environ.get(UNITS_VARIABLE) else DRAIN_S


def _write_variables(folder: str, name: str, variables: Mapping[str, str]) -> Path:
    path = Path(folder, f"{name}.env")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 - a descriptor
        file.write(environment_file(variables))
    return fresh.replace(path)
