"""How a service is run, as the policies of a job; what has no counterpart is doubted."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.systemd.spans import span_seconds
from tocsin.importing.systemd.units import Setting, Unit
from tocsin.importing.users import add_memory_limit, add_user

_SERVICE: Final = "Service"
_DAY_S: Final = 86_400
_TIMEOUT_S_MAX: Final = 366 * _DAY_S
_SIMPLE_LIMITS: Final = (
    ("CPUQuota", "cpu", re.compile(r"[1-9]\d{0,4}%", re.ASCII)),
    ("TasksMax", "tasks", re.compile(r"[1-9]\d{0,4}", re.ASCII)),
)
_GROUPS: Final = (
    (
        Weight.LOST,
        "Service",
        re.compile(
            r"Protect|Private|Restrict|ReadOnly|ReadWrite|Inaccessible|(No)?ExecPaths|Bind|Temporary"
            r"|Mount|SystemCall|Capability|Ambient|NoNewPriv|LockPers|MemoryDeny|RemoveIPC|Dynamic"
            r"|Keyring|SecureBits|SELinux|AppArmor|Smack|UMask|ProcSubset|Device|IPAddress|Root|.*"
            r"Directory(Mode)?$|LoadCredential|SetCredential"
        ),
        "left out: the job is not confined",
        "whether it must be; a command may start it with systemd-run",
    ),
    (
        Weight.LOST,
        "Service",
        re.compile(r"Nice|IO|CPU|Memory|Tasks|Limit|OOM|Slice|Delegate|Block|Startup|NUMA|Managed"),
        "left out: limits has memory, cpu and tasks alone",
        "whether it may take more; nice and ulimits of the shell block bound each process",
    ),
    (
        Weight.NOTE,
        "Service",
        re.compile(r"Standard(Output|Error)|Syslog|Log|TTY"),
        "left out: the output is kept with the run",
        "",
    ),
    (
        Weight.CHECK,
        "Unit",
        re.compile(r"Condition|Assert"),
        "left out: it runs whether they hold or not",
        "whether the command must look first",
    ),
    (
        Weight.NOTE,
        "Unit",
        re.compile(
            r"After|Before|Requires|Wants|Requisite|BindsTo|PartOf|Upholds|Conflicts|Joins|Default"
            r"Dep|Refuse|IgnoreOn|StopWhen|Collect|Propagates|Allow|StartLimit"
        ),
        "left out: it orders units of one host",
        "",
    ),
    (
        Weight.NOTE,
        "Unit",
        re.compile(r"Documentation|SourcePath"),
        "left out: words for people",
        "",
    ),
    (Weight.NOTE, "Install", re.compile(r""), "left out: it says what enables the unit", ""),
)


def add_policies(block: dict[str, Any], unit: Unit, place: Place, doubts: Doubts) -> None:
    """Put timeouts, users and limits of a service into a job."""
    kind = unit.text(_SERVICE, "Type")
    _doubt_type(kind, place, doubts)
    _timeouts(block, unit, kind, place, doubts)
    _users(block, unit, place, doubts)
    _limits(block, unit, place, doubts)
    _restart(unit, place, doubts)
    if unit.truth(_SERVICE, "RemainAfterExit"):
        doubts.check(
            place,
            "RemainAfterExit=yes",
            "left out: it runs whenever it is due; systemd starts it only once until it is stopped",
        )
    if found := unit.last("Unit", "OnFailure"):
        doubts.lost(
            found.place.of(place.job),
            f"OnFailure={found.value}",
            "left out",
            "another job with after: [{job: NAME, on: failure}] takes its place",
        )


def success_codes(unit: Unit, place: Place, doubts: Doubts) -> list[int]:
    """The exit codes that mean success; empty when it is 0 alone."""
    codes = [0]
    for setting in unit.all(_SERVICE, "SuccessExitStatus"):
        for word in setting.value.split():
            if word.isdecimal() and int(word) < 256:  # noqa: PLR2004 - exit codes are bytes
                codes.append(int(word))
            else:
                doubts.lost(
                    setting.place.of(place.job),
                    f"SuccessExitStatus={word}",
                    "left out: success_codes takes numbers",
                    "which number it is; a death by signal n is 128 + n",
                )
    return sorted(set(codes)) if len(codes) > 1 else []


def _doubt_type(kind: str, place: Place, doubts: Doubts) -> None:
    if kind in {"forking", "notify", "notify-reload", "dbus"}:
        doubts.check(
            place,
            f"Type={kind}",
            "a run ends with the process that is started; what it leaves behind goes on by itself",
            "whether this is a job at all",
        )


def _timeouts(block: dict[str, Any], unit: Unit, kind: str, place: Place, doubts: Doubts) -> None:
    both = unit.last(_SERVICE, "TimeoutSec")
    start = unit.last(_SERVICE, "TimeoutStartSec") or both
    runtime = unit.last(_SERVICE, "RuntimeMaxSec")
    is_oneshot = kind == "oneshot" or (not kind and not unit.all(_SERVICE, "ExecStart"))
    decisive, other = (start, runtime) if is_oneshot else (runtime, start)
    if other is not None:
        why = "means nothing for Type=oneshot" if is_oneshot else "bounds only how long it starts"
        doubts.note(other.place.of(place.job), f"{other.key}={other.value}", f"left out: {why}")
    seconds = span_seconds(decisive.value) if decisive else math.inf
    if decisive and seconds is None:
        _lost(decisive, place, doubts, "left out: this is no span of time")
    if seconds and seconds <= _TIMEOUT_S_MAX:
        block["timeout"] = seconds
    else:
        doubts.once(
            Weight.CHECK,
            "timeout",
            "services without one may run for ever; these are ended after 1d",
            "set timeout on jobs that may take longer",
        )
    stop = unit.last(_SERVICE, "TimeoutStopSec") or both
    if stop is not None:
        kill_s = span_seconds(stop.value)
        if kill_s is not None and 0 < kill_s <= _DAY_S:
            block["kill_after"] = kill_s
        else:
            _lost(stop, place, doubts, "left out: kill_after goes to 1d")


def _users(block: dict[str, Any], unit: Unit, place: Place, doubts: Doubts) -> None:
    user, group = unit.text(_SERVICE, "User"), unit.text(_SERVICE, "Group")
    if add_user(block, user or ("root" if group else ""), doubts, group=group):
        return
    if user or group:
        labels = {"systemd_user": user, "systemd_group": group}
        block["labels"] = {label: value for label, value in labels.items() if value}
        doubts.check(
            place,
            f"User={user} Group={group}",
            "this can be nobody's name, so it runs as the agent's user; labels keep it",
            "who is meant",
        )
    elif not unit.of_user:
        doubts.once(
            Weight.CHECK,
            "user root",
            "services without User= run as root; these run as the agent's user",
            "that the agent may do what the jobs do",
        )


def _limits(block: dict[str, Any], unit: Unit, place: Place, doubts: Doubts) -> None:
    if memory := unit.last(_SERVICE, "MemoryMax") or unit.last(_SERVICE, "MemoryLimit"):
        about = f"{memory.key}={memory.value}"
        where = memory.place.of(place.job)
        add_memory_limit(block, about, memory.value, where, doubts)
    for key, name, pattern in _SIMPLE_LIMITS:
        found = unit.last(_SERVICE, key)
        if found is None:
            continue
        if not pattern.fullmatch(found.value):
            _lost(found, place, doubts, f"left out: limits.{name} takes no such value")
            continue
        value = found.value if name == "cpu" else int(found.value)
        block.setdefault("limits", {})[name] = value
        doubts.note(found.place.of(place.job), f"{key}={found.value}", f"it is limits.{name}")


def _restart(unit: Unit, place: Place, doubts: Doubts) -> None:
    found = unit.last(_SERVICE, "Restart")
    delay = unit.text(_SERVICE, "RestartSec")
    if found is not None and found.value != "no":
        also = f" RestartSec={delay}" if delay else ""
        doubts.lost(
            found.place.of(place.job),
            f"Restart={found.value}{also}",
            "left out: a run that fails is not tried again",
            "retry: {limit: 3, delay: " + (delay or "10s") + "} tries again",
        )
    elif delay:
        doubts.note(place, f"RestartSec={delay}", "left out: nothing restarts it")


def doubt_what_is_left(unit: Unit, place: Place, doubts: Doubts) -> None:
    """Name every setting that nothing has asked for, those of one kind together."""
    left = unit.left()
    for weight, section, pattern, done, check in _GROUPS:
        group = [one for one in left if one.section == section and pattern.match(one.key)]
        left = [one for one in left if one not in group]
        if group:
            about = " ".join(f"{one.key}={one.value}" for one in group)
            where = group[0].place.of(place.job)
            tell = {Weight.NOTE: doubts.note, Weight.CHECK: doubts.check, Weight.LOST: doubts.lost}
            tell[weight](where, about, done, check)
    for one in left:
        if not one.section.startswith("X-") and not one.key.startswith("X-"):
            _lost(one, place, doubts, f"left out: [{one.section}] {one.key} has no counterpart")
        else:
            doubts.note(one.place.of(place.job), f"{one.key}={one.value}", "left out: a remark")


def _lost(setting: Setting, place: Place, doubts: Doubts, done: str) -> None:
    doubts.lost(setting.place.of(place.job), f"{setting.key}={setting.value}", done)
