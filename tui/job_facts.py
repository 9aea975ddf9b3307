"""What is known of one job, in lines."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from tocsin.errors import ScheduleError
from tocsin.model import Job, JobRow, Run, Target
from tocsin.schedule import parse
from tocsin.units import format_duration

from .plain import one_line
from .words import ago, last, local, moment, next_due, run_tail, run_time, state

PREVIEW_LINES: Final = 4


def preview(row: JobRow, latest: Run | None, now_us: int, zone: tzinfo | None) -> list[str]:
    """What a job does, where and how, when, and how it went last: `PREVIEW_LINES` lines."""
    job = row.job
    labels = " ".join(f"{key}={value}" for key, value in job.labels.items())
    changed = f"v{row.version}"
    if row.changed_us:  # a pause too
        by = f" by {one_line(row.changed_by)}" if row.changed_by else ""
        changed += f", touched {ago(row.changed_us, now_us)}{by}"
    policies = (
        f"target {target_words(job.target)}",
        f"overlap {job.overlap}",
        f"retry {retry_words(job)}",
        f"timeout {format_duration(job.timeout_s)}",
    )
    return [
        f"{what(job)}   {labels}   {changed}".rstrip(),
        "   ".join(policies),
        f"{in_english(job)}   {paused_words(row, zone) or due_words(row, now_us, zone)}",
        f"last  {latest_words(row, latest, now_us)}",
    ]


def what(job: Job) -> str:
    """The executor and what it is told, in one line."""
    config = job.config
    main = next((config[key] for key in _MAIN_KEYS if key in config), "")
    text = " ".join(map(str, main)) if isinstance(main, list) else str(main)
    return f"{job.executor}: {one_line(text)}"


def in_english(job: Job) -> str:
    """When a job is due, in words."""
    try:
        told = [parse(text, job.timezone, key=job.name).describe() for text in job.schedule]
    except ScheduleError:
        told = list(job.schedule)
    told += [f"after {it.job} ({it.on})" for it in job.after]
    return one_line("; ".join(told)) or "only when asked for"


def due_words(row: JobRow, now_us: int, zone: tzinfo | None) -> str:
    """When it fires next."""
    at = "" if row.next_due_us is None else f"{moment(row.next_due_us, now_us, zone)}, "
    return f"next {at}{next_due(row, now_us)}"


def paused_words(row: JobRow, zone: tzinfo | None) -> str:
    """By whom, why and until when it is paused; empty when it is not."""
    if not row.paused:
        return ""
    until = ""
    if row.pause_until_us is not None:
        until = f" until {local(row.pause_until_us, zone):%a %d %b %H:%M}"
    by = f" by {one_line(row.paused_by)}" if row.paused_by else ""
    reason = f": {one_line(row.pause_reason)}" if row.pause_reason else ""
    return f"paused{by}{until}{reason}"


def target_words(target: Target) -> str:
    """Which agents, and how many."""
    tags = " ".join(f"{key}={_glob(value)}" for key, value in target.tags.items())
    count = "all" if target.agents == "all" else str(target.agents)
    return f"{one_line(tags) or 'any agent'} ({count}, {target.choose.replace('_', ' ')})"


def retry_words(job: Job) -> str:
    """How often and how soon it is tried again."""
    if not job.retry.limit:
        return "never"
    return f"{job.retry.limit} x {format_duration(job.retry.delay_s)}"


def latest_words(row: JobRow, latest: Run | None, now_us: int) -> str:
    """How the newest run went."""
    if latest is None:
        return last(row, latest, now_us)
    where = f" on {one_line(latest.agent)}" if latest.agent else ""
    began = latest.started_us or latest.due_us or latest.created_us
    reason = f": {one_line(latest.reason)}" if latest.reason else ""
    took = f", {run_time(latest, now_us)}" if latest.started_us is not None else ""
    text = f"{run_tail(latest.id)} {state(latest)}{where}, {ago(began, now_us)}{took}"
    return text if reason and latest.reason in text else text + reason


def _glob(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "|".join(value)


_MAIN_KEYS: Final = ("command", "argv", "url", "subject", "program")
