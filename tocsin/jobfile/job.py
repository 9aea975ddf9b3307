"""One job of a file: from its block of keys to a `Job`, or to faults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tocsin.after import own_faults
from tocsin.blocks import Bounds, Faults, KeyPath, Reader, quoted, shown
from tocsin.errors import ScheduleError
from tocsin.execution import Executor
from tocsin.jobfile.executor_block import read_executor_block
from tocsin.jobfile.values import check_capabilities, check_placeholders, check_values
from tocsin.model import DAY_S, NAME_LENGTH_MAX, Blackout, Job
from tocsin.nearest import did_you_mean
from tocsin.params import faults as params_faults
from tocsin.schedule import parse
from tocsin.schedule.windows import parse_window

JOB_BYTES_MAX: Final = 256 << 10
"""The most that one job may come to on the wire."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*", re.ASCII)
_BOUNDS: Final[Bounds] = {
    ("Job", "timeout_s"): (0.001, 366 * DAY_S),
    ("Job", "kill_after_s"): (0, DAY_S),
    ("Job", "priority"): (-1000, 1000),
    ("Job", "jitter_s"): (0, 7 * DAY_S),
    ("Job", "queue_limit"): (1, 10_000),
    ("Target", "agents"): (1, 100_000),
    ("Target", "max_parallel"): (1, 100_000),
    ("Target", "stagger_s"): (0, DAY_S),
    ("Target", "canary"): (0, 100_000),
    ("Target", "stop_after"): (1, 100_000),
    ("Missed", "within_s"): (1, 366 * DAY_S),
    ("Missed", "limit"): (1, 1000),
    ("Retry", "limit"): (0, 1000),
    ("Retry", "delay_s"): (0, 7 * DAY_S),
    ("Retry", "backoff"): (1, 100),
    ("Retry", "max_delay_s"): (0, 7 * DAY_S),
    ("Retry", "jitter"): (0, 1),
    ("OutputRule", "keep_bytes"): (1 << 10, 1 << 30),
    ("Limits", "memory_bytes"): (1 << 20, 1 << 50),
    ("Limits", "cpu_percent"): (1, 100_000),
    ("Limits", "tasks"): (1, 100_000),
}
UNSUPPORTED: Final = frozenset(
    {
        "expect.finish_within", "expect.success_every", "keep", "notify", "output.live",
    }
)  # fmt: skip
"""Keys that a later version will understand; `<block>.<key>` inside a block."""
_NOT_IN_FILES: Final = ("name", "executor", "config")
_KEYS: Final = tuple(
    field.encode_name for field in msgspec.structs.fields(Job) if field.name not in _NOT_IN_FILES
)


def read_job(
    name: str, block: object, executors: Mapping[str, type[Executor]], path: KeyPath, faults: Faults
) -> Job | None:
    """The job that a block describes; None when there are faults, which `faults` then holds."""
    before = len(faults)
    check_name(name, path, faults, "a job")
    if not isinstance(block, dict):
        faults.add(path, shown(block), expected="the keys of a job, such as schedule and shell")
        return None
    plain = _without_unsupported(block, path, faults)
    chosen = _executor_keys(plain, executors, path, faults)
    common = {key: value for key, value in plain.items() if key in _KEYS}
    if isinstance(common.get("schedule"), str):
        common["schedule"] = [common["schedule"]]
    arguments = Reader(faults, _BOUNDS).fields(Job, common, path, elsewhere=_NOT_IN_FILES)
    for key in chosen:
        arguments["executor"] = key
        arguments["config"] = read_executor_block(executors, key, plain[key], (*path, key), faults)
        check_placeholders(executors, key, arguments, (*path, key), faults)
        check_capabilities(executors, key, arguments, path, faults)
    _check_meaning(name, block, arguments, path, faults)
    if len(faults) > before:
        return None
    if arguments.get("schedule") == ["@manual"]:
        arguments["schedule"] = []
    job = Job(name=name, **arguments)
    return job if _fits(job, path, faults) else None


def check_name(name: str, path: KeyPath, faults: Faults, what: str) -> None:
    """Keep a fault when a name cannot be one; `what` it is to name."""
    if len(name) > NAME_LENGTH_MAX:
        faults.add(
            path,
            f"the name has {len(name)} characters",
            expected=f"at most {NAME_LENGTH_MAX}",
        )
    if not NAME.fullmatch(name):
        faults.add(
            path,
            f"{quoted(name)} cannot name {what}",
            expected="letters, digits, . _ / and -, the first a letter or digit",
        )


def _without_unsupported(
    block: dict[str, object], path: KeyPath, faults: Faults
) -> dict[str, object]:
    """The block without the keys of later versions, each of which is a fault."""
    plain = {}
    for key, value in block.items():
        if key in UNSUPPORTED:
            faults.add((*path, key), "is not supported by this version")
            continue
        if isinstance(value, dict) and key in _KEYS:
            for inner in [inner for inner in value if f"{key}.{inner}" in UNSUPPORTED]:
                faults.add((*path, key, inner), "is not supported by this version")
                value = {k: v for k, v in value.items() if k != inner}
        plain[key] = value
    return plain


def _executor_keys(
    block: dict[str, object],
    executors: Mapping[str, type[Executor]],
    path: KeyPath,
    faults: Faults,
) -> list[str]:
    """The keys that name an executor, exactly one unless there are faults."""
    chosen = [key for key in block if key in executors]
    installed = ", ".join(sorted(executors))
    unknown = [key for key in block if key not in _KEYS and key not in executors]
    for key in unknown:
        where = (*path, key)
        if key in _NOT_IN_FILES:
            faults.add(where, "unknown key", expected=f"the executor as a key ({installed})")
            continue
        hint = did_you_mean(key, [*_KEYS, *executors])
        if hint:
            faults.add(where, "unknown key", hint=hint)
        elif chosen:
            faults.add(where, "unknown key", expected=f"one of {', '.join(sorted(_KEYS))}")
        else:
            faults.add(where, f"no executor has this name; installed are: {installed}")
    if len(chosen) > 1:
        faults.add(path, f"two executors, {' and '.join(chosen)}", expected="exactly one")
    if not chosen and not unknown:
        faults.add(path, "nothing says what to run", expected=f"one executor: {installed}")
    return chosen


def _check_meaning(
    name: str,
    block: dict[str, object],
    arguments: Mapping[str, Any],
    path: KeyPath,
    faults: Faults,
) -> None:
    """What is well-formed and still wrong."""
    _check_schedules(name, block, arguments, path, faults)
    for i, entry in enumerate(arguments.get("blackout", [])):
        _check_blackout(entry, (*path, "blackout", i), faults)
    after = arguments.get("after", [])
    by_itself = bool(after) or arguments.get("schedule", []) not in ([], ["@manual"])
    wrongs = [
        *own_faults(name, after),
        *params_faults(arguments.get("params", {}), fires_by_itself=by_itself),
    ]
    for keys, wrong in wrongs:
        faults.add((*path, *keys), wrong)
    starts_us, expires_us = arguments.get("starts_at_us"), arguments.get("expires_at_us")
    if starts_us is not None and expires_us is not None and expires_us <= starts_us:
        faults.add((*path, "expires_at"), "is not later than starts_at")
    check_values(arguments, path, faults)
    for tag, globs in getattr(arguments.get("target"), "tags", {}).items():
        if not globs:
            faults.add((*path, "target", "tags", tag), "nothing matches an empty list or text")


def _check_schedules(
    name: str,
    block: dict[str, object],
    arguments: Mapping[str, Any],
    path: KeyPath,
    faults: Faults,
) -> None:
    zone = arguments.get("timezone", "UTC")
    try:
        parse("@hourly", zone)
    except ScheduleError as error:
        _add(error, (*path, "timezone"), faults)
        zone = "UTC"
    texts = arguments.get("schedule", [])
    for i, text in enumerate(texts):
        where = (
            (*path, "schedule", i) if isinstance(block["schedule"], list) else (*path, "schedule")
        )
        try:
            parse(text, zone, key=name, dst=arguments.get("dst", "vixie"))
        except ScheduleError as error:
            _add(error, where, faults)
        if text.strip().lower() == "@manual" and len(texts) > 1:
            faults.add(where, "@manual stands alone: a job with other schedules has due times")


def _check_blackout(entry: Blackout, path: KeyPath, faults: Faults) -> None:
    """Whether a calendar of that name exists is for the coordinator to say."""
    if entry.calendar and (entry.start or entry.end):
        faults.add(path, "is a window and a calendar", expected="two entries")
    elif not entry.calendar:
        try:
            parse_window(entry.start, entry.end)
        except ScheduleError as error:
            _add(error, path, faults)


def _add(error: ScheduleError, path: KeyPath, faults: Faults) -> None:
    wrong, _, expected = error.message.partition(": expected ")
    faults.add(path, wrong, expected=expected, hint=error.hint)


def _fits(job: Job, path: KeyPath, faults: Faults) -> bool:
    size = len(msgspec.msgpack.encode(job))
    if size > JOB_BYTES_MAX:
        faults.add(path, f"the job comes to {size} bytes", expected=f"at most {JOB_BYTES_MAX}")
    return size <= JOB_BYTES_MAX
