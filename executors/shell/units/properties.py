"""The properties of a run's unit, see systemd.exec(5), systemd.service(5), systemd.kill(5).

The contract is that of a process spawned by hand: the run ends with its main process, what that
leaves behind lives on, and its environment is what the job says. So `KillMode=process`, and nothing
that systemd adds by itself stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from tocsin.execution import Limits, Order, split_key
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.identity import Identity, own_identity
from tocsin.executors.shell.surroundings import Surroundings
from tocsin.executors.shell.ulimits import UNLIMITED

SLICE: Final = "tocsin-jobs.slice"
BELT_S: Final = 120.0
"""So long after the end of its time and its grace systemd ends a run that nobody else did."""
ENVIRONMENT_BYTES_MAX: Final = 128 << 10
"""Of the variables in a unit file, which systemd reads again at each reload."""
_INFINITY: Final = (1 << 64) - 1
_UNIT_NAME: Final = re.compile(r"[A-Za-z0-9:_.-]{1,200}", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ODD_TEXT: Final = re.compile(r"[\x01-\x08\x0b-\x1f\x7f]")
_ADDED: Final = (
    "INVOCATION_ID", "JOURNAL_STREAM", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE",
    "SYSTEMD_EXEC_PID",
)  # fmt: skip
"""Variables that systemd would add."""
_SECRET_CHARS_MIN: Final = 4
"""A shorter secret turns up in every other word."""

Property = tuple[str, tuple[str, Any]]
"""Name, signature and value, as StartTransientUnit takes it."""


class Program(NamedTuple):
    """What a unit executes."""

    path: str
    argv: list[str]


class Streams(NamedTuple):
    """The files of a unit's streams."""

    stdin: str | None
    stdout: str
    stderr: str


class Variables(NamedTuple):
    """An environment, divided by how it can be given."""

    shown: dict[str, str]
    """For the unit itself, whose properties everybody may read."""
    hidden: dict[str, str]
    """For a file that root alone reads: secrets, and what is too much for a unit file."""
    odd: dict[str, str]
    """What systemd takes in neither way: it stands in the arguments of env(1)."""


def unit_name(order: Order) -> str | None:
    """The name by which systemd knows an attempt; None when its key makes none."""
    run_id, number = split_key(order.key)
    name = f"tocsin-run-{run_id}-{number}.service"
    return name if _UNIT_NAME.fullmatch(name) else None


def divided(env: Mapping[str, str], secret_names: Collection[str]) -> Variables:
    """The variables of a process by how they get into its unit."""
    secrets = secret_values(env, secret_names)
    shown, hidden, odd = Variables({}, {}, {})
    is_too_much = sum(map(len, env.values())) > ENVIRONMENT_BYTES_MAX
    for name, value in env.items():
        if name in secret_names or any(secret in value for secret in secrets):
            hidden[name] = value
        elif not _VARIABLE.fullmatch(name) or _ODD_TEXT.search(value):
            odd[name] = value
        else:
            (hidden if is_too_much else shown)[name] = value
    return Variables(shown, hidden, odd)


def secret_values(env: Mapping[str, str], secret_names: Collection[str]) -> list[str]:
    """The secrets that may be told from other text."""
    return [value for name in secret_names if len(value := env[name]) >= _SECRET_CHARS_MIN]


def environment_file(variables: Mapping[str, str]) -> str:
    """Variables as `EnvironmentFile=` reads them."""
    return "".join(f'{name}="{_escaped(value)}"\n' for name, value in variables.items())


def service(order: Order) -> Iterator[Property]:
    """What the unit is, and how long it may last."""
    run_id, number = split_key(order.key)
    yield "Description", ("s", f"Tocsin run {run_id}, attempt {number}: {order.job}")
    yield "Type", ("s", "exec")
    yield "RemainAfterExit", ("b", True)
    yield "KillMode", ("s", "process")
    yield "OOMPolicy", ("s", "kill" if _memory(order.limits) else "continue")
    yield "TimeoutStopUSec", ("t", _usec(order.kill_after_s))
    yield "Slice", ("s", SLICE)
    fields = [f"TOCSIN_RUN_ID={run_id}", f"TOCSIN_JOB={order.job}"]
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
    program: Program, config: ShellConfig, around: Surroundings, shown: Mapping[str, str]
) -> Iterator[Property]:
    """What it executes, as whom, and in which surroundings."""
    yield "ExecStartEx", ("a(sasas)", [(program.path, program.argv, ["no-env-expand"])])
    yield "WorkingDirectory", ("s", around.cwd)
    yield "Environment", ("as", [f"{name}={value}" for name, value in shown.items()])
    yield "UnsetEnvironment", ("as", list(_ADDED))
    yield "IgnoreSIGPIPE", ("b", False)
    if changes_user(around.who, config):
        yield "User", ("s", around.who.name)
        yield "Group", ("s", str(around.who.gid))
    if config.umask is not None:
        yield "UMask", ("u", int(config.umask, 8))
    if config.nice is not None:
        yield "Nice", ("i", config.nice)
    for name, (soft, hard) in config.ulimits.pairs().items():
        yield f"Limit{name.upper()}", ("t", _INFINITY if hard == UNLIMITED else hard)
        yield f"Limit{name.upper()}Soft", ("t", _INFINITY if soft == UNLIMITED else soft)


def streams(files: Streams) -> Iterator[Property]:
    """Its three streams."""
    if files.stdin is not None:
        yield "StandardInputFile", ("s", files.stdin)
    yield "StandardOutputFileToAppend", ("s", files.stdout)
    yield "StandardErrorFileToAppend", ("s", files.stderr)


def changes_user(who: Identity, config: ShellConfig) -> bool:
    """Whether systemd is to make it another user's.

    It adds groups to those of a user, but takes none away: where a job names its groups, setpriv(1)
    in front of its program does it all.
    """
    return who[:3] != own_identity()[:3] and config.groups is None


def _memory(asked: Limits | None) -> bool:
    return asked is not None and asked.memory_bytes is not None


def _usec(seconds: float) -> int:
    return max(1, round(seconds * 1e6))


def _escaped(value: str) -> str:
    return re.sub(r'(["\\$`])', r"\\\1", value)
