"""The jobs of a drill: every policy beside every other, due every few seconds."""

from __future__ import annotations

from pathlib import Path
from random import Random  # noqa: TID251 - a seeded one
from typing import Any, Final

import msgspec

from tocsin.jobfile import InstalledExecutors, read_job_files
from tocsin.model import Job, MissedPolicy, OnLost, Overlap

from .members import AGENTS
from .witness import SCRIPT

COUNT: Final = 15
POOLS: Final = {"narrow": 2}
SCHEDULES: Final = [
    "* * * * * *", "*/2 * * * * *", "@every 2s", "*/3 * * * * *", "@every 3s", "1,4,9 * * * * *",
    "*/5 * * * * *", "@every 4s", "@every 5s", "*/15 * * * * *",
]  # fmt: skip
SECONDS: Final = [0, 0.2, 0.5, 1.2, 2.5, 4]
FAILING: Final = ["-+", "0123", "02468ACEGJMPRTWY", "0123456789ABCDEFGHJKMNPQRSTVWXYZ-"]
"""Last letters of the runs that fail: none, an eighth, half, all with their retries."""
LINES: Final = [0, 3, 12, 80]


def make_jobs(dice: Random, home: Path) -> dict[str, dict[str, Any]]:
    """The definitions as a job file has them, by name."""
    jobs = {f"job-{n:02}": make_job(n, dice, home) for n in range(COUNT)}
    return jobs | special_jobs(dice, home)


def special_jobs(dice: Random, home: Path) -> dict[str, dict[str, Any]]:
    """Roll-outs, pools, jitter, chains; their definitions stay as they are."""

    def job(schedule: str | list[str], seconds: float, failing: str, **keys: Any) -> dict[str, Any]:
        words = ["sh", str(SCRIPT), str(home / "witness"), str(seconds), failing, "3"]
        environ = {"DRILL_HOME": str(home)}
        return {
            "schedule": schedule,
            "env": environ,
            "shell": {"argv": words, "unit": False},
            **keys,
        }

    rolled = {"agents": "all", "max_parallel": 1, "stagger": "500ms", "canary": 1}
    stopped = {"agents": "all", "max_parallel": 2, "stop_after": dice.choice([1, 2])}
    pooled = {"pool": "narrow", "overlap": "allow", "missed": {"policy": "all", "limit": 3}}
    return {
        "roll": job("@every 5s", 0.3, FAILING[1], target=rolled, on_lost="retry"),
        "roll-stop": job("@every 4s", 0.3, FAILING[2], target=stopped, retry={"delay": 1}),
        "pool-one": job("@every 2s", 1.2, FAILING[0], **pooled),
        "pool-two": job("@every 3s", 1.5, FAILING[1], **pooled, on_lost="retry", priority=5),
        "pool-three": job("*/4 * * * * *", 0.5, FAILING[0], **pooled, retry={"limit": 1}),
        "first": job("@every 3s", 0.2, FAILING[1]),
        "then": job([], 0.1, FAILING[0], after=[{"job": "first"}], overlap="allow"),
        "alarm": job([], 0.1, FAILING[0], after=[{"job": "first", "on": "failure"}]),
        "both": job([], 0.1, FAILING[2], after=[{"job": "first", "on": "any"}, {"job": "then"}]),
        "timed": job("@every 5s", 0.1, FAILING[0], after=[{"job": "both"}], params={"days": "7"}),
        "once": job("@every 2s", 0.1, FAILING[2], ephemeral=True),
        "spread": job("@every 5s", 0.1, FAILING[0], jitter="3s", target={"agents": 2}),
    }


def make_job(number: int, dice: Random, home: Path) -> dict[str, Any]:
    """One definition. `number` walks through all pairs of overlap and missed policy."""
    overlap = list(Overlap)[number % 4]
    seconds, schedule = dice.choice(SECONDS), dice.choice(SCHEDULES)
    if overlap is Overlap.QUEUE:  # what waits at the end must come to an end
        seconds, schedule = min(seconds, 0.5), dice.choice(SCHEDULES[3:])
    lines = str(dice.choice(LINES))
    words = ["sh", str(SCRIPT), str(home / "witness"), str(seconds), dice.choice(FAILING), lines]
    target: dict[str, Any] = {"choose": dice.choice(["least_busy", "random", "sticky"])}
    if number % 5 == 0:
        target["agents"] = dice.choice([2, "all"])
    elif number % 5 == 1:
        target["tags"] = {"name": dice.choice([AGENTS[0], "[ab]*", "*a"])}
    retry = {"limit": number % 3, "delay": dice.choice([0, 1, 2]), "max_delay": 3}
    missed = {"policy": str(list(MissedPolicy)[number % 3]), "limit": dice.choice([2, 5])}
    if dice.random() < 0.5:
        missed["within"] = dice.choice([5, 30])
    return {
        "schedule": schedule,
        "overlap": str(overlap),
        "missed": missed,
        "on_lost": str(list(OnLost)[number // 2 % 2]),
        "retry": {**retry, "elsewhere": dice.random() < 0.5},
        "timeout": dice.choice([1, 60, 60]) if seconds > 1 else 60,
        "kill_after": 2,
        "output": {"keep": dice.choice(["1KiB", "1MiB", "1MiB"])},
        "target": target,
        "labels": {"team": "ab"[number % 2]},
        "env": {"DRILL_HOME": str(home)},
        "shell": {"argv": words, "unit": False},
    }


def read_jobs(definitions: dict[str, dict[str, Any]], folder: Path) -> dict[str, Job]:
    """The same jobs as the product's model has them, by name."""
    file = folder / "expected.json"
    file.write_text(as_file(definitions))
    return {job.name: job for job in read_job_files([file], InstalledExecutors()).jobs}


def as_file(definitions: dict[str, dict[str, Any]]) -> str:
    """A job file, in JSON, which is YAML too."""
    return msgspec.json.encode({"pools": POOLS, "jobs": definitions}).decode()


def seconds_of(job: Job) -> float:
    """How long each of its processes takes."""
    return float(job.config["argv"][3])


def lines_of(job: Job) -> int:
    """How many lines each of its processes prints."""
    return int(job.config["argv"][5])
