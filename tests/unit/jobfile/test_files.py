"""Which files are read, and what they say together."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from tocsin.errors import JobFileError
from tocsin.jobfile import InstalledExecutors, read_job_files
from tocsin.model import Choose, Job, Missed, MissedPolicy, OutputRule, Overlap, Retry, Target

from .conftest import EXECUTORS, Read

_FULL = """\
jobs:
  nightly:
    description: dump the main database
    schedule: ["30 2 * * *"]
    timezone: Europe/Berlin
    dst: skip
    starts_at: 2026-01-01T00:00:00Z
    expires_at: 2027-01-01T00:00:00+01:00
    enabled: false
    target: {tags: {role: db, dc: [eu-*, us-*]}, agents: all, choose: random}
    overlap: queue
    missed: {policy: all, within: 6h, limit: 3}
    on_lost: retry
    timeout: 1h30m
    kill_after: 0.5
    retry: {limit: 3, delay: 10s, backoff: 2, max_delay: 5m, jitter: 0.1, elsewhere: false}
    env: {PGHOST: db1}
    output: {keep: 64KiB}
    expect_failure: true
    labels: {team: data}
    priority: 7
    shell: {argv: [pg_dump, main]}
"""


def test_every_key_arrives_in_the_job(read: Read) -> None:
    """A file that uses all keys means the job that it looks like."""
    (job,) = read(_FULL)
    config = job.config
    assert job == Job(
        name="nightly",
        executor="shell",
        config=config,
        description="dump the main database",
        schedule=["30 2 * * *"],
        timezone="Europe/Berlin",
        dst="skip",
        starts_at_us=1_767_225_600_000_000,
        expires_at_us=1_798_758_000_000_000,
        enabled=False,
        target=Target(
            tags={"role": "db", "dc": ["eu-*", "us-*"]}, agents="all", choose=Choose.RANDOM
        ),
        overlap=Overlap.QUEUE,
        missed=Missed(policy=MissedPolicy.ALL, within_s=21_600.0, limit=3),
        on_lost=job.on_lost,
        timeout_s=5400.0,
        kill_after_s=0.5,
        retry=Retry(limit=3, delay_s=10.0, max_delay_s=300.0, elsewhere=False),
        env={"PGHOST": "db1"},
        output=OutputRule(keep_bytes=65_536),
        expect_failure=True,
        labels={"team": "data"},
        priority=7,
    )
    assert config["argv"] == ["pg_dump", "main"]
    assert job.on_lost == "retry"


def test_a_plain_text_is_the_main_key_of_an_executor(read: Read) -> None:
    """`shell: x` is short for `shell: {command: x}`."""
    assert read("jobs: {a: {shell: x}}") == read("jobs: {a: {shell: {command: x}}}")


@pytest.mark.parametrize("schedule", ["", "schedule: '@manual'", "schedule: []"])
def test_a_job_without_due_times(read: Read, schedule: str) -> None:
    """`@manual` and no schedule at all are the same."""
    (job,) = read(f"jobs:\n  a:\n    shell: x\n    {schedule}\n")
    assert job.schedule == []


def test_the_three_formats_say_the_same(read: Read) -> None:
    """A job is the same in YAML, TOML and JSON; TOML's own times are understood."""
    yaml = read("jobs: {a: {shell: x, starts_at: 2026-01-01T00:00:00Z, env: {A: b}}}")
    toml = read('[jobs.a]\nshell = "x"\nstarts_at = 2026-01-01T00:00:00Z\nenv.A = "b"', "x.toml")
    json = read(
        '{"jobs": {"a": {"shell": "x", "starts_at": "2026-01-01T00:00:00Z", "env": {"A": "b"}}}}',
        "x.json",
    )
    assert yaml == toml == json


def test_a_folder_stands_for_the_job_files_below_it(tmp_path: Path) -> None:
    """All of them, sorted; hidden files, other files and repeated ones are passed over."""
    for name in ("b/z.yml", "a.toml", "c.json", "b/a.yaml", ".hidden.yaml", ".git/x.yaml", "x.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        job = name.replace("/", "-").lstrip(".")
        texts = {
            ".toml": f'[jobs."{job}"]\nshell="x"',
            ".json": f'{{"jobs":{{"{job}":{{"shell":"x"}}}}}}',
        }
        path.write_text(texts.get(path.suffix, f"jobs: {{{job}: {{shell: x}}}}"))
    jobs = read_job_files([tmp_path, tmp_path / "a.toml"], EXECUTORS).jobs
    assert [job.name for job in jobs] == ["a.toml", "b-a.yaml", "b-z.yml", "c.json"]


def test_standard_input_is_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads it, and faults call it stdin."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"jobs: {a: {shell: x}}")))
    assert [job.name for job in read_job_files(["-"], EXECUTORS).jobs] == ["a"]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"jobs:\n  a: {}")))
    with pytest.raises(JobFileError, match=r"^stdin:2: jobs\.a: "):
        read_job_files(["-"], EXECUTORS)


def test_two_files_cannot_define_one_job(tmp_path: Path) -> None:
    """The second names where the first is."""
    first, second = tmp_path / "1.yaml", tmp_path / "2.toml"
    first.write_text("jobs:\n  other: {shell: x}\n  a: {shell: x}\n")
    second.write_text('[jobs.a]\nshell = "y"\n')
    with pytest.raises(JobFileError) as caught:
        read_job_files([first, second], EXECUTORS)
    assert caught.value.faults == [f"{second}: jobs.a: this job also stands in {first}:3"]


_WHOLE_FILES = [
    ("x.yaml", b"", ": the file is empty; expected jobs: and below it the jobs by name"),
    ("x.yaml", b"- a\n", ":1: a list stands here; expected jobs: and below it the jobs by name"),
    ("x.yaml", b"jobs:\n", ":1: jobs: nothing stands here; expected the jobs by name"),
    ("x.yaml", b"job: {}\n", ':1: job: unknown key; did you mean "jobs"?'),
    ("x.yaml", b"jobs: {}\n# caf\xe9\n", ":2: not UTF-8"),
    ("x.yaml", b"jobs: [\n", ":2: not YAML: did not find expected node content"),
    ("x.toml", b"jobs = \n", ": not TOML: Invalid value (at line 1, column 8)"),
    (
        "x.toml",
        b"[jobs.a]\n[jobs.a]\n",
        ": not TOML: Cannot declare ('jobs', 'a') twice (at line 2, column 8)",
    ),
    ("x.json", b"{\n]", ":2: not JSON: Expecting property name enclosed in double quotes"),
    ("x.json", b'{"jobs": {}, "jobs": {}}', ': the key "jobs" stands twice in one block'),
    ("x.json", b"[" * 100_000, ": nested too deeply"),
    (
        "x.txt",
        b"",
        ": the name does not say what it holds; expected *.yaml, *.yml, *.toml or *.json",
    ),
]


@pytest.mark.parametrize(("name", "data", "said"), _WHOLE_FILES)
def test_a_file_that_is_no_job_file(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    """What is wrong with a whole file is said in one line."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(JobFileError) as caught:
        read_job_files([path], EXECUTORS)
    assert caught.value.faults == [f"{path}{said}"]


def test_faults_of_all_files_are_said_together(tmp_path: Path) -> None:
    """A missing file, an empty folder and a wrong job: one error."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.yaml").write_text("jobs: {a: {}}")
    paths = [tmp_path / "missing.yaml", tmp_path / "empty", tmp_path / "x.yaml"]
    with pytest.raises(JobFileError) as caught:
        read_job_files(paths, EXECUTORS)
    missing, empty, wrong = caught.value.faults
    assert missing == f"{tmp_path}/missing.yaml: no such file or directory"
    assert empty == f"{tmp_path}/empty: no job file in it; expected *.yaml, *.yml, *.toml or *.json"
    assert wrong.startswith(f"{tmp_path}/x.yaml:1: jobs.a: nothing says what to run")


def test_the_executors_installed_here_are_loaded_when_named() -> None:
    """The mapping knows all names, and imports an executor on its look-up."""
    installed = InstalledExecutors()
    assert {"shell", "scripted"} <= set(installed)
    assert "nonesuch" not in installed
    assert installed["shell"].name == "shell"
