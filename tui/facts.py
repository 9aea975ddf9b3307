"""What is known of one run, in the lines above its log."""

from __future__ import annotations

from datetime import tzinfo

from tocsin.instants import SECOND_US
from tocsin.model import TERMINAL, JobRow, Run
from tocsin.units import format_size

from .plain import one_line
from .words import GLYPH, moment, run_time, span, state, why


def headline(run: Run, job: JobRow | None) -> str:
    """State, run, job, try and agent."""
    tries = job.job.retry.limit + 1 if job is not None and job.version == run.job_version else 1
    tries = max(tries, run.attempt)
    nth = f"  try {run.attempt} of {tries}" if tries > 1 else ""
    where = f"  on {one_line(run.agent)}" if run.agent else ""
    return f"{GLYPH[run.state]} {state(run).upper()}  {run.job}{nth}{where}"


def progress(run: Run, job: JobRow | None, now_us: int) -> str:
    """How long it has been going, what ends it, and what it said at its end."""
    parts = [f"ran {run_time(run, now_us)}" if run.started_us is not None else "not started"]
    if run.state not in TERMINAL and run.started_us is not None and job is not None:
        end_us = run.started_us + round(job.job.timeout_s * SECOND_US)
        parts.append(f"timeout in {span((end_us - now_us) / SECOND_US)}")
    if run.not_before_us is not None and run.not_before_us > now_us:
        parts.append(f"tried again in {span((run.not_before_us - now_us) / SECOND_US)}")
    if run.exit_code is not None:
        parts.append(f"exit {run.exit_code}")
    if run.cpu_us is not None:
        parts.append(f"cpu {run.cpu_us / SECOND_US:.1f}s")
    if run.peak_memory_bytes is not None:
        parts.append(f"mem {format_size(run.peak_memory_bytes)}")
    if run.reason:
        parts.append(one_line(run.reason))
    return "  ".join(parts)


def story(run: Run, now_us: int, zone: tzinfo | None) -> str:
    """The instants of a run in their order, and what made it."""
    steps = (
        ("due", run.due_us),
        ("made", run.created_us if run.due_us is None else None),
        ("sent", run.dispatched_us),
        ("started", run.started_us),
        ("ended", run.finished_us),
    )
    told = [f"{word} {moment(at_us, now_us, zone)}" for word, at_us in steps if at_us is not None]
    return f"{' → '.join(told)}  {why(run)}"
