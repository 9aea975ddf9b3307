"""Calendars and pools in a job file, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tocsin.errors import JobFileError
from tocsin.jobfile import JobSet, dump_yaml, read_job_files, set_to_file
from tocsin.model import Calendar, Pool

from .conftest import EXECUTORS

ICS = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:Christmas
DTSTART;VALUE=DATE:20261225
END:VEVENT
BEGIN:VEVENT
SUMMARY:May Day
DTSTART;VALUE=DATE:20260501
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is not the current one."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


def read(folder: Path, text: str, name: str = "x.yaml") -> JobSet:
    """What a file says."""
    (folder / name).write_text(dedent(text))
    return read_job_files([folder / name], EXECUTORS)


def test_calendars_and_pools_stand_beside_jobs(folder: Path) -> None:
    """In their own blocks; a list stands for the dates; a file need not have jobs."""
    text = """
        calendars:
          holidays: {description: closed, dates: [2026-12-25 Christmas, "12-31..01-01"]}
          fairs: ["2026-09-19..2026-10-04 Oktoberfest"]
        pools: {db-heavy: 4}
    """

    assert read(folder, text) == JobSet(
        [],
        [
            Calendar(
                name="holidays",
                description="closed",
                dates=["2026-12-25 Christmas", "12-31..01-01"],
            ),
            Calendar(name="fairs", dates=["2026-09-19..2026-10-04 Oktoberfest"]),
        ],
        [Pool(name="db-heavy", slots=4)],
    )


def test_the_days_of_an_ics_file_join_the_dates(folder: Path) -> None:
    """It is found beside the job file, wherever one stands; a day is listed once."""
    (folder / "days.ics").write_text(ICS)

    found = read(
        folder, "calendars: {c: {dates: [2026-12-24, 2026-12-25 Christmas], ics: days.ics}}"
    )

    (calendar,) = found.calendars
    assert calendar.dates == ["2026-12-24", "2026-12-25 Christmas", "2026-05-01 May Day"]


def test_toml_and_json_say_the_same(folder: Path) -> None:
    """Dates of TOML are text."""
    yaml = read(folder, "calendars: {c: [2026-12-25]}\npools: {p: 2}")
    toml = read(folder, "[calendars.c]\ndates = [2026-12-25]\n[pools]\np = 2", "x.toml")
    json = read(folder, '{"calendars": {"c": ["2026-12-25"]}, "pools": {"p": 2}}', "x.json")

    assert yaml == toml == json


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("calendars: [2026-12-25]", ":1: calendars: a list stands here; expected the calendars"),
        ("calendars: {c: 5}", ":1: calendars.c: 5 is a number; expected dates: and ics:, or a"),
        ("calendars: {c d: []}", ':1: calendars.c d: "c d" cannot name a calendar; expected'),
        ("calendars: {c: {date: []}}", ":1: calendars.c.date: unknown key; did you mean"),
        ("calendars:\n  c:\n  - soon", ":3: calendars.c[0]: calendar date 'soon'; expected"),
        ("calendars:\n  c:\n    dates: [2026-02-30]", ":3: calendars.c.dates[0]: "),
        ("calendars: {c: {ics: no.ics}}", ":1: calendars.c.ics: no.ics: no such file"),
        ("calendars: {c: {ics: x.yaml}}", ":1: calendars.c.ics: x.yaml: "),
        ("pools: {p: many}", ':1: pools.p: "many" is text; expected the number of its slots'),
        ("pools: {p: true}", ":1: pools.p: true is true or false; expected the number"),
        ("pools: {p: 0}", ":1: pools.p: 0 is out of range; expected 1 to 100000"),
        ("pools: {-p: 1}", ':1: pools.-p: "-p" cannot name a pool; expected letters'),
        ("pool: {}", ':1: pool: unknown key; did you mean "pools"?'),
        ("{}", ":1: nothing stands here; expected jobs:"),
    ],
)
def test_a_fault_is_said_with_its_line_and_path(folder: Path, text: str, said: str) -> None:
    """As for jobs."""
    with pytest.raises(JobFileError) as caught:
        read(folder, text)

    (fault,) = caught.value.faults
    assert fault.startswith(f"{folder}/x.yaml{said}")


def test_a_calendar_or_pool_is_defined_once(folder: Path) -> None:
    """The second place names the first; a job may have a pool's name."""
    (folder / "a.yaml").write_text("pools: {db: 1}\ncalendars: {c: []}\njobs: {db: {shell: x}}")
    (folder / "b.yaml").write_text("pools: {db: 2}\ncalendars: {c: []}")

    with pytest.raises(JobFileError) as caught:
        read_job_files([folder], EXECUTORS)

    assert caught.value.faults == [
        f"{folder}/b.yaml:1: pools.db: this pool also stands in {folder}/a.yaml:1",
        f"{folder}/b.yaml:2: calendars.c: this calendar also stands in {folder}/a.yaml:2",
    ]


def test_a_written_set_reads_back(folder: Path) -> None:
    """Also calendars without a date, and files without jobs."""
    whole = JobSet(
        [], [Calendar(name="c", dates=["12-25 x"]), Calendar(name="e")], [Pool(name="p", slots=2)]
    )

    assert read(folder, dump_yaml(set_to_file(*_parts(whole)))) == whole
    assert read(folder, dump_yaml(set_to_file([]))) == JobSet()


def _parts(whole: JobSet) -> tuple[list, list[Calendar], list[Pool]]:  # type: ignore[type-arg] # of jobs
    return whole.jobs, whole.calendars, whole.pools
