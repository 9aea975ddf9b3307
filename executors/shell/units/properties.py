"""The properties of a run's unit, see systemd.exec(5), systemd.service(5), systemd.kill(5).

The contract is that of a process spawned by hand: the run ends with its main process, what that
leaves behind lives on, and its environment is what the job says. So `KillMode=process`, and nothing
that systemd adds by itself stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from tocsin.execution import Order, split_key
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.identity import Identity, own_identity
from tocsin.executors.shell.ulimits import UNLIMITED

from .programs import Program, is_plain

SLICE: Final = "tocsin-jobs.slice"
BELT_S: Final = 120.0
"""So long after the end of its time and its grace systemd ends a run that nobody else did."""
_INFINITY: Final = (1 << 64) - 1
_UNIT_NAME: Final = re.compile(r"[A-Za-z0-9:_.-]{1,200}", re.ASCII)
_ADDED: Final = (
    "INVOCATION_ID", "JOURNAL_STREAM", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
    "SYSTEMD_EXEC_PID",
)  # fmt: skip
"""Variables that systemd would add."""

Property = tuple[str, tuple[str, Any]]
"""Name, signature and value, as StartTransientUnit takes it."""


def unit_name(order: Order) -> str | None:
    """The name by which systemd knows an attempt; None when its key makes none."""
    run_id, number = split_key(order.key)
    name = f"tocsin-run-{run_id}-{number}.service"
    return name if _UNIT_NAME.fullmatch(name) else None


def service(order: Order) -> Iterator[Property]:
    """What the unit is, and how long it may last."""
    run_id, number = split_key(order.key)
    job = order.job if is_plain(order.job) else "?"
    yield "Description", ("s", f"Tocsin run {run_id}, attempt {number}: {job}")
    yield "Type", ("s", "exec")
    yield "RemainAfterExit", ("b", True)
    yield "KillMode", ("s", "process")
    yield "OOMPolicy", ("s", "kill" if _limits_memory(order) else "continue")
    yield "TimeoutStopUSec", ("t", _usec(order.kill_after_s))
    yield "Slice", ("s", SLICE)
    fields = [f"TOCSIN_RUN_ID={run_id}", f"TOCSIN_JOB={job}"]
    yield "LogExtraFields", ("aay", [field.encode() for field in fields])
    belt_s = order.timeout_s + order.kill_after_s + BELT_S
    if order.timeout_s > 0 and belt_s * 1e6 < _INFINITY:
        yield "RuntimeMaxUSec", ("t", _usec(belt_s))


def limits(order: Order) -> Iterator[Property]:
    """What all its processes together may use."""
    if order.limits is None:
        return
    if order.limits.memory_bytes is not None:
        yield "MemoryMax", ("t", order.limits.memory_bytes)
        yield "MemorySwapMax", ("t", 0)
    if order.limits.cpu_percent is not None:
        yield "CPUQuotaPerSecUSec", ("t", round(order.limits.cpu_percent * 1e4))
    if order.limits.tasks is not None:
        yield "TasksMax", ("t", order.limits.tasks)


def execution(
    program: Program, config: ShellConfig, who: Identity, variables: str
) -> Iterator[Property]:
    """What it executes, as whom, and in which surroundings.

    Args:
        program: with its words.
        config: of the job.
        who: runs it.
        variables: the path of a file with them, as `environment_file` writes it.
    """
    yield "ExecStart", ("a(sasb)", [(program.path, program.argv, False)])
    yield "WorkingDirectory", ("s", program.cwd)
    yield "EnvironmentFiles", ("a(sb)", [(variables, False)])
    yield "UnsetEnvironment", ("as", list(_ADDED))
    yield "IgnoreSIGPIPE", ("b", False)
    if changes_user(who, config):
        yield "User", ("s", who.name if is_plain(who.name) else str(who.uid))
        yield "Group", ("s", str(who.gid))
    if config.umask is not None:
        yield "UMask", ("u", int(config.umask, 8))
    if config.nice is not None:
        yield "Nice", ("i", config.nice)
    for name, (soft, hard) in config.ulimits.pairs().items():
        yield f"Limit{name.upper()}", ("t", _INFINITY if hard == UNLIMITED else hard)
        yield f"Limit{name.upper()}Soft", ("t", _INFINITY if soft == UNLIMITED else soft)


def streams(stdin: str | None, stdout: str, stderr: str) -> Iterator[Property]:
    """The files of its three streams."""
    if stdin is not None:
        yield "StandardInputFile", ("s", stdin)
    yield "StandardOutputFileToAppend", ("s", stdout)
    yield "StandardErrorFileToAppend", ("s", stderr)


def changes_user(who: Identity, config: ShellConfig) -> bool:
    """Whether systemd is to make it another user's.

    It adds groups to those of a user, but takes none away: where a job names its groups, setpriv(1)
    in front of its program does it all.
    """
    return who[:3] != own_identity()[:3] and config.groups is None


def _limits_memory(order: Order) -> bool:
    return order.limits is not None and order.limits.memory_bytes is not None


def _usec(seconds: float) -> int:
    return max(1, round(seconds * 1e6))
