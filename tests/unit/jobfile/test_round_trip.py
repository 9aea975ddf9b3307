"""Whatever a job is, the file form of it reads back to the same job."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.execution import Expect, Limits
from tocsin.instants import SECOND_US
from tocsin.jobfile import JobSet, dump_yaml, read_job_files, set_to_file
from tocsin.model import (
    Blackout,
    Calendar,
    Choose,
    Dependency,
    DependencyOn,
    Job,
    Missed,
    MissedPolicy,
    OnLost,
    OutputRule,
    Overlap,
    Pool,
    Retry,
    Target,
)

from .conftest import EXECUTORS

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30
)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,20}", fullmatch=True)
OTHERS = st.sampled_from(["a-job-whose-name-none-of-NAMES-has", "its/likewise/long/neighbour"])
SCHEDULES = st.sampled_from(
    ["* * * * *", "30 2 * * 1-5", "@daily", "@every 90s", "H H * * *", "@calendar Mon 02:00"]
)
INSTANTS = st.integers(0, 4_000_000_000).map(lambda second: second * SECOND_US)


def spans(least: float, most: float) -> st.SearchStrategy[float]:
    """Whole seconds, tenths, and whatever else a span may be."""
    return st.one_of(
        st.integers(int(least) + 1, int(most)).map(float),
        st.floats(max(least, 0.001), most, allow_nan=False),
    )


TARGETS = st.builds(
    Target,
    tags=st.dictionaries(
        NAMES, st.one_of(NAMES, st.lists(NAMES, min_size=1, max_size=3)), max_size=3
    ),
    agents=st.one_of(st.integers(1, 100), st.just("all")),
    choose=st.sampled_from(Choose),
    max_parallel=st.none() | st.integers(1, 50),
    stagger_s=spans(0, 3600),
    canary=st.integers(0, 5),
    stop_after=st.none() | st.integers(1, 5),
)
BLACKOUTS = st.sampled_from(
    [
        Blackout(start="Fri 18:00", end="Mon 06:00"),
        Blackout(start="22:00", end="06:00"),
        Blackout(start="2026-12-24 18:00", end="2026-12-27"),
        Blackout(calendar="holidays"),
    ]
)


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    """A job with any of its keys."""
    starts_us = draw(st.none() | INSTANTS)
    keys: dict[str, st.SearchStrategy[Any]] = {
        "description": TEXT,
        "schedule": st.lists(SCHEDULES, max_size=2),
        "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
        "dst": st.sampled_from(["vixie", "skip", "literal"]),
        "enabled": st.booleans(),
        "jitter_s": spans(0, 3600),
        "blackout": st.lists(BLACKOUTS, max_size=2),
        "after": st.lists(
            st.builds(Dependency, job=OTHERS, on=st.sampled_from(DependencyOn)),
            max_size=1,
        ),
        "target": TARGETS,
        "overlap": st.sampled_from(Overlap),
        "queue_limit": st.integers(1, 1000),
        "missed": st.builds(
            Missed,
            policy=st.sampled_from(MissedPolicy),
            within_s=st.none() | spans(1, 86_400),
            limit=st.integers(1, 100),
        ),
        "on_lost": st.sampled_from(OnLost),
        "timeout_s": spans(0, 86_400),
        "kill_after_s": spans(0, 600),
        "retry": st.builds(
            Retry,
            limit=st.integers(0, 9),
            delay_s=spans(0, 600),
            backoff=st.floats(1, 10),
            max_delay_s=spans(0, 3600),
            jitter=st.floats(0, 1),
            elsewhere=st.booleans(),
        ),
        "env": st.dictionaries(NAMES, TEXT, max_size=3),
        "run_as": st.sampled_from(["", "backup", "backup:adm", "1000"]),
        "limits": st.builds(
            Limits,
            memory_bytes=st.none() | st.integers(1 << 20, 1 << 50),
            cpu_percent=st.none()
            | st.integers(1, 1600).map(float)
            | st.sampled_from([12.5, 33.25]),
            tasks=st.none() | st.integers(1, 100_000),
        ),
        "expect": st.none() | st.builds(Expect, exit_codes=st.just([0, 3]), match=st.just("ok")),
        "output": st.builds(OutputRule, keep_bytes=st.integers(1 << 10, 1 << 30)),
        "expect_failure": st.booleans(),
        "labels": st.dictionaries(TEXT, TEXT, max_size=2),
        "priority": st.integers(-1000, 1000),
        "pool": st.sampled_from(["", "db"]),
    }
    chosen = draw(st.sets(st.sampled_from(sorted(keys))))
    fields = {name: draw(keys[name]) for name in sorted(chosen)}
    config = {"command": draw(TEXT.filter(bool)), "cwd": None}
    job = Job(name=draw(NAMES), executor="shell", config=config, starts_at_us=starts_us, **fields)
    (whole,) = read_text(dump_yaml(set_to_file([job]))).jobs
    assert whole == job
    return whole


def read_text(text: str) -> JobSet:
    """What a text says."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.yaml")
        path.write_text(text, encoding="utf-8")
        return read_job_files([path], EXECUTORS)


@given(st.lists(jobs(), max_size=3, unique_by=lambda job: job.name))
@settings(max_examples=60, deadline=None)
def test_a_set_reads_back_as_it_was(some: list[Job]) -> None:
    """Jobs, calendars and pools, in one file."""
    calendars = [Calendar(name="holidays", description="d", dates=["12-25 x", "2026-01-01"])]
    pools = [Pool(name="db", slots=3)]

    document = set_to_file(some, calendars, pools)

    assert read_text(dump_yaml(document)) == JobSet(some, calendars, pools)
