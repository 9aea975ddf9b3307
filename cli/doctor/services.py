"""Units and processes: that they run and go on to, where they are, and what they may use."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tocsin.agent.config import AgentConfig
from tocsin.cli import systemctl

from .finding import Finding, Findings, Verdict, fault, fine, warning
from .here import Side

RESTARTS_MANY: Final = 5
_LOG_LINES: Final = 2
"""An error is its cause, and the next step."""
FILES_MIN: Final = {"agent": 1024, "coordinator": 4096}
"""Descriptors: a coordinator has one for each agent and client, an agent one for each output."""
JOBS_SLICE: Final = "tocsin-jobs.slice"


def check_root() -> Findings:
    """Services are root's to look at."""
    if os.geteuid() == 0 or not systemctl.is_booted():
        return
    names = [name for name in (systemctl.COORDINATOR, systemctl.AGENT)
             if systemctl.unit(name).is_active]  # fmt: skip
    if names:
        said = f"{' and '.join(names)}: only root can look into that"
        yield warning("services", said, "sudo tocsin doctor")


def check_unit(side: Side) -> Findings:
    """Its unit is enabled and runs."""
    if side.unit is not None:
        found = judge_unit(f"{side.title} service", side.unit)
        yield found if found.verdict is Verdict.OK else with_log(found, _log_of(side.unit.name))
        yield from check_credentials(side.unit)
    if side.instance:
        yield from check_executors_unit(side)


def judge_unit(check: str, unit: systemctl.Unit) -> Finding:
    """What is wrong with a unit that is meant to run."""
    shown, name = unit.shown, unit.name
    log = f"journalctl -u {name} -n 30, then: systemctl restart {name}"
    restarts = int(shown.get("NRestarts", "0") or 0)
    enabled = shown.get("UnitFileState", "")
    if "masked" in (enabled, shown.get("LoadState")):
        return fault(check, f"{name} is masked: it cannot start", f"systemctl unmask {name}")
    if shown.get("ActiveState") == "failed":
        return fault(check, f"{name} failed ({shown.get('Result', '')})", f"see: {log}")
    if shown.get("SubState") == "auto-restart":
        return fault(check, f"{name} ends as soon as it starts ({restarts} times)", f"see: {log}")
    if shown.get("ActiveState") == "activating" and restarts:
        said = f"{name} starts for the {restarts + 1}. time, and does not get ready"
        return fault(check, said, f"see: {log}")
    if not unit.is_active:
        said = f"{name} does not run ({shown.get('ActiveState', 'unknown')})"
        return fault(check, said, f"systemctl enable --now {name}")
    if enabled == "disabled":
        said = f"{name} runs, and will not after a boot"
        return warning(check, said, f"systemctl enable {name}")
    if restarts >= RESTARTS_MANY:
        said = f"{name} was started again {restarts} times"
        return warning(check, said, f"see: journalctl -u {name}")
    return fine(check, f"{name} runs")


def with_log(found: Finding, lines: Sequence[str]) -> Finding:
    """A finding with what the process said last."""
    if not lines:
        return found
    return found._replace(said=f"{found.said}; it said last: {' '.join(lines)}")


def _log_of(name: str) -> list[str]:
    """The last lines that the processes of a unit wrote since the boot, without systemd's own."""
    words = f"journalctl _SYSTEMD_UNIT={name} -b -n {_LOG_LINES} -o cat --no-pager -q".split()
    said = systemctl.run(*words)
    return [] if said.code else [line.strip() for line in said.text.splitlines()]


def check_executors_unit(side: Side) -> Findings:
    """One more agent of a host has a template of its own for the hosts of its executors."""
    path, source = systemctl.executors_unit(side.instance), systemctl.EXECUTORS
    if not path.exists():
        said = f"{path} is missing: no executor of this agent starts"
        yield fault(f"{side.title} executors", said, f"ln -sf {source} {path}")


def check_credentials(unit: systemctl.Unit) -> Findings:
    """The files from which systemd is to take credentials are there."""
    for name, path in credentials_in(systemctl.run("systemctl", "cat", unit.name).text).items():
        if not Path(path).exists():
            yield fault(
                "credentials",
                f"{unit.name} wants {name} from {path}, which is missing: it does not start",
                f"put the key there, or take that line out: systemctl edit {unit.name}",
            )


def credentials_in(text: str) -> dict[str, str]:
    """The credentials of a unit that it cannot start without, and their paths; from its file."""
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key in {"LoadCredential", "LoadCredentialEncrypted"}:
            name, _, path = value.strip().partition(":")
            if not name:
                found.pop(key, None)
            elif path.startswith("/"):
                found.setdefault(key, {})[name] = path
    return {name: path for each in found.values() for name, path in each.items()}


def check_process(side: Side) -> Findings:
    """The process that does the work is where nothing ends it by the way, and may open enough."""
    pid = pid_of(side)
    if pid is None:
        if side.unit is None:
            mend = f"start it: tocsin {side.what}"
            yield warning(f"{side.title} process", f"no {side.what} runs here", mend)
        return
    try:
        cgroups = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
        limits = Path(f"/proc/{pid}/limits").read_text(encoding="utf-8")
        environ = _environ_of(pid)
    except OSError:
        return  # it has ended, or is somebody else's
    name = side.unit.name if side.unit is not None else ""
    yield judge_cgroup(side.title, cgroups, name)
    yield judge_files(side.title, limits, FILES_MIN[side.what])
    if side.what == "agent" and side.unit is not None:
        yield from judge_kill_mode(side.unit, has_units="TOCSIN_EXECUTOR_UNITS=/" in environ)


def pid_of(side: Side) -> int | None:
    """The process that holds its directory; None when none does."""
    assert side.config is not None
    is_agent = isinstance(side.config, AgentConfig)
    lock = side.config.data_dir / ("spool/lock" if is_agent else "coordinator.lock")
    try:
        pid = int(lock.read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"tocsin" in command else None


def judge_cgroup(what: str, text: str, unit: str) -> Finding:
    """Whether a process is in the cgroup of its unit.

    Args:
        what: what it is called in findings.
        text: of /proc/PID/cgroup.
        unit: its name; empty where there is none.
    """
    check = f"{what} cgroup"
    paths = [line.split(":", 2)[2] for line in text.splitlines() if line.count(":") > 1]
    path = max(paths, key=len, default="")
    restart = f"end it, then: systemctl start {unit}" if unit else "run it as a service"
    if JOBS_SLICE in path:
        said = f"it is in {path}, with the runs: their limits hold for it, and it may end with them"
        return fault(check, said, restart)
    if unit and f"/{unit}" in path:
        return fine(check, path)
    if "user.slice" in path or "session-" in path:
        said = f"it is in {path}: it may end when that user logs out"
        return warning(check, said, restart)
    if unit:
        return fault(check, f"it is in {path or '/'}, not in {unit}", restart)
    return fine(check, path or "/")


def judge_kill_mode(unit: systemctl.Unit, *, has_units: bool) -> Findings:
    """Whether a stop of the agent ends its runs."""
    mode = unit.shown.get("KillMode", "")
    if not has_units and mode not in {"process", "none"}:
        yield fault(
            "agent cgroup",
            f"KillMode={mode}: a restart of {unit.name} ends its runs, which are in its cgroup",
            f"systemctl edit {unit.name}: [Service] KillMode=process",
        )


def judge_files(what: str, text: str, least: int) -> Finding:
    """Whether a process may have enough descriptors; `text` is that of /proc/PID/limits."""
    check = f"{what} limits"
    words = next((line.split() for line in text.splitlines() if "open files" in line), [])
    soft = words[3] if len(words) > 3 else "unlimited"  # noqa: PLR2004 - Max open files SOFT HARD
    if soft.isdecimal() and int(soft) < least:
        return warning(
            check, f"it may open {soft} files at once", "LimitNOFILE=65536, or: ulimit -n 65536"
        )
    return fine(check, f"it may open {soft} files")


def _environ_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_bytes().replace(b"\0", b"\n").decode(errors="replace")
