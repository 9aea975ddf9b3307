"""What is said of a wrong job file: the exact lines."""

from __future__ import annotations

import msgspec
import pytest

from tocsin.blocks import quoted
from tocsin.jobfile.job import UNSUPPORTED
from tocsin.model import Job, OutputRule

from .conftest import Faults, Read

# What stands below `jobs: {a: {shell: x, …}}` in line 4, and what is said of it.
_OF_ONE_KEY = [
    ("shedule: '@daily'", 'a.shedule: unknown key; did you mean "schedule"?'),
    (
        "zzz: 1",
        (
            "a.zzz: unknown key; expected one of after, blackout, description, dst, enabled, env, "
            "ephemeral, expect, expect_failure, expires_at, jitter, kill_after, labels, limits, "
            "missed, on_lost, output, overlap, params, pool, priority, queue_limit, retry, run_as, "
            "schedule, secrets, starts_at, target, timeout, timezone"
        ),
    ),
    (
        "executor: shell",
        "a.executor: unknown key; expected the executor as a key (scripted, shell)",
    ),
    ("after: [{job: a}]", "a.after[0].job: a job cannot come after itself"),
    (
        "after: [{job: b}, {job: b, on: failure}]",
        "a.after[1].job: b stands twice; expected each job once, with on: any",
    ),
    (
        "after: [{job: b, on: sucess}]",
        (
            'a.after[0].on: "sucess" is not known; expected one of success, failure, any; '
            'did you mean "success"?'
        ),
    ),
    (
        "params: {Days: '7'}",
        "a.params.Days: is no name; expected at most 64 of a-z, 0-9 and _, the first a letter",
    ),
    ("params: {days: 7}", "a.params.days: 7 is a number; expected text; put it in quotes"),
    (
        "params: {host: null}\n    after: [{job: b}]",
        (
            "a.params.host: must be given, and a due time or another job's end gives nothing; "
            "expected a default, or a job without schedule and after"
        ),
    ),
    ("schedule: 5", "a.schedule: 5 is a number; expected a list, each item text"),
    ("schedule: [5]", "a.schedule[0]: 5 is a number; expected text; put it in quotes"),
    ("schedule: '61 * * * *'", "a.schedule: minute '61': 61 is not a number from 0 to 59"),
    (
        "schedule: ['@daily', '@dayly']",
        (
            "a.schedule[1]: '@dayly' is not a known schedule; expected one of @yearly, @annually, "
            "@monthly, @weekly, @daily, @midnight, @hourly, @minutely, @manual, @every, @at, "
            "@calendar; did you mean @daily?"
        ),
    ),
    (
        "schedule: ['@manual', '@daily']",
        "a.schedule[0]: @manual stands alone: a job with other schedules has due times",
    ),
    (
        "timezone: Europe/Berln",
        (
            "a.timezone: time zone 'Europe/Berln' is not known; expected a name such as "
            "Europe/Paris or UTC; did you mean Europe/Berlin?"
        ),
    ),
    (
        "blackout: [{from: 'Fri 18:00', to: 'Mon 25:00'}]",
        "a.blackout[0]: window to 'Mon 25:00'; expected a time from 00:00 to 24:00",
    ),
    (
        "blackout: [{calendar: holidays}, {from: '22:00'}]",
        (
            "a.blackout[1]: a window with 'from' and no 'to'; give both, such as {from: 'Fri "
            "18:00', to: 'Mon 06:00'}; got from: '22:00'"
        ),
    ),
    (
        "blackout: [{calendar: holidays, from: '22:00', to: '23:00'}]",
        "a.blackout[0]: is a window and a calendar; expected two entries",
    ),
    ("timeout: 0", "a.timeout: 0 is out of range; expected 1ms to 366d"),
    (
        "timeout: soon",
        'a.timeout: "soon" is not understood; expected a duration such as 90s or 1h30m',
    ),
    (
        "timeout: [1h]",
        "a.timeout: a list stands here; expected a duration such as 90s or 1h30m",
    ),
    (
        "kill_after: yes",
        'a.kill_after: "yes" is not understood; expected a duration such as 90s or 1h30m',
    ),
    ("enabled: on", 'a.enabled: "on" is text; expected true or false'),
    ("enabled: 1", "a.enabled: 1 is a number; expected true or false"),
    ("priority: high", 'a.priority: "high" is text; expected a whole number'),
    ("priority: 1.5", "a.priority: 1.5 is a number; expected a whole number"),
    ("priority: true", "a.priority: true is true or false; expected a whole number"),
    ("priority: 5000", "a.priority: 5000 is out of range; expected -1000 to 1000"),
    ("description:", "a.description: nothing stands here; expected text"),
    (
        "overlap: skp",
        (
            'a.overlap: "skp" is not known; expected one of allow, skip, queue, replace; '
            'did you mean "skip"?'
        ),
    ),
    (
        "starts_at: 2026-01-01",
        (
            'a.starts_at: "2026-01-01" is not understood; '
            "expected a time with an offset such as 2026-01-01T00:00:00Z"
        ),
    ),
    ("env: {PORT: 8080}", "a.env.PORT: 8080 is a number; expected text; put it in quotes"),
    ("env: {'A=B': x}", "a.env.A=B: is no name for an environment variable"),
    ("env: [A]", "a.env: a list stands here; expected a block of keys, each with text"),
    ("target: {agents: 0}", "a.target.agents: 0 is out of range; expected 1 to 100000"),
    (
        "target: {agents: most}",
        'a.target.agents: "most" is text; expected a whole number or all',
    ),
    ("target: all", 'a.target: "all" is text; expected a block of keys'),
    ("target: {tags: {dc: []}}", "a.target.tags.dc: nothing matches an empty list or text"),
    (
        "target: {tags: {dc: 5}}",
        "a.target.tags.dc: 5 is a number; expected text or a list, each item text",
    ),
    ("retry: {limit: -1}", "a.retry.limit: -1 is out of range; expected 0 to 1000"),
    ("retry: {jitter: 2}", "a.retry.jitter: 2 is out of range; expected 0 to 1"),
    ("retry: {backoff: 0.5}", "a.retry.backoff: 0.5 is out of range; expected 1 to 100"),
    (
        "retry: {limt: 1}",
        'a.retry.limt: unknown key; did you mean "limit"?',
    ),
    (
        "missed: {polcy: all}",
        'a.missed.polcy: unknown key; did you mean "policy"?',
    ),
    ("output: {keep: 1}", "a.output.keep: 1 is out of range; expected 1KiB to 1GiB"),
    (
        "output: {keep: lots}",
        'a.output.keep: "lots" is not understood; expected a size such as 64KiB or 1MiB',
    ),
    (
        "run_as: 'a b'",
        'a.run_as: "a b" is nobody; expected a user, or user:group, by name or number',
    ),
    ("run_as: 1000", "a.run_as: 1000 is a number; expected text; put it in quotes"),
    ("limits: {memory: 1K}", 'a.limits.memory: "1K" is out of range; expected 1MiB to 1024TiB'),
    (
        "limits: {cpu: 2}",
        "a.limits.cpu: 2 is not understood; expected a share such as 50%",
    ),
    ("limits: {cpu: 0%}", 'a.limits.cpu: "0%" is out of range; expected 1% to 100000%'),
    ("limits: {tasks: 0}", "a.limits.tasks: 0 is out of range; expected 1 to 100000"),
    ("limits: {memry: 1G}", 'a.limits.memry: unknown key; did you mean "memory"?'),
    ("dst: utc", 'a.dst: "utc" is not known; expected one of literal, skip, vixie'),
    ("scripted: {}", "a: two executors, shell and scripted; expected exactly one"),
    ("priority: .nan", "a.priority: nan is no number that can be used"),
    ("priority: 99999999999999999999", "a.priority: the number is too large"),
]


@pytest.mark.parametrize(("key", "said"), _OF_ONE_KEY)
def test_a_wrong_key_is_said_with_its_line_and_path(faults: Faults, key: str, said: str) -> None:
    """A fault names file, line, path, what is wrong, what is expected and what may be meant."""
    line = 2 if said.startswith("a: ") else 4
    found = faults(f"jobs:\n  a:\n    shell: x\n    {key}\n")
    assert found == [f"x.yaml:{line}: jobs.{said}"]


_OF_A_BLOCK = [
    ("{comand: x}", ['shell.comand: unknown key; did you mean "command"?']),
    ("{command: 5}", ["shell.command: a whole number stands here; expected text or nothing"]),
    (
        "{argv: [a, 5], cwd: 1, command: }",
        [
            "shell.argv[1]: a whole number stands here; expected text",
            "shell.cwd: a whole number stands here; expected text or nothing",
        ],
    ),
    (
        "{command: x, success_codes: [300]}",
        ["shell.success_codes[0]: expected a whole number <= 255"],
    ),
    ("{}", ["shell: exactly one of `command` and `argv` must be given"]),
    ("5", ["shell: a whole number stands here; expected a block of keys"]),
    ("{command: x, argv: [y]}", ["shell: exactly one of `command` and `argv` must be given"]),
]


@pytest.mark.parametrize(("block", "said"), _OF_A_BLOCK)
def test_an_executor_block_is_checked_to_its_last_key(
    faults: Faults, block: str, said: list[str]
) -> None:
    """Every fault inside an executor's block is said, with its path."""
    expected = [f"x.yaml:3: jobs.a.{line}" for line in said]
    assert faults(f"jobs:\n  a:\n    shell: {block}\n") == expected


_OF_A_JOB = [
    ("a: {}", "2: jobs.a: nothing says what to run; expected one executor: scripted, shell"),
    ("a: {shel: x}", '2: jobs.a.shel: unknown key; did you mean "shell"?'),
    (
        "a: {http: {url: x}}",
        "2: jobs.a.http: no executor has this name; installed are: scripted, shell",
    ),
    (
        "a: 5",
        "2: jobs.a: 5 is a number; expected the keys of a job, such as schedule and shell",
    ),
    (
        "-a: {shell: x}",
        (
            '2: jobs.-a: "-a" cannot name a job; '
            "expected letters, digits, . _ / and -, the first a letter or digit"
        ),
    ),
    ("5: {shell: x}", "2: jobs: the key 5 is not text; put it in quotes"),
]


@pytest.mark.parametrize(("job", "said"), _OF_A_JOB)
def test_a_wrong_job_is_said(faults: Faults, job: str, said: str) -> None:
    """A job without exactly one executor, or with a name that is none, is refused."""
    assert faults(f"jobs:\n  {job}\n") == [f"x.yaml:{said}"]


def test_a_name_has_at_most_128_characters(faults: Faults, read: Read) -> None:
    """One character more is a fault."""
    assert read(f"jobs:\n  {'a' * 128}: {{shell: x}}\n")
    (said,) = faults(f"jobs:\n  {'a' * 129}: {{shell: x}}\n")
    assert said.endswith("the name has 129 characters; expected at most 128")


def test_all_faults_of_a_file_are_said_in_its_order(faults: Faults) -> None:
    """One look shows everything that is wrong."""
    found = faults(
        """\
        jobs:
          a:
            timout: 5s
            shell: {comand: x}
          b:
            schedule: ["@daily", "* *"]
            retry: {limit: x, delay: y}
            scripted: {lines: -1}
        other: 1
        """
    )
    assert [line.split(": ")[0] + " " + line.split(": ")[1] for line in found] == [
        "x.yaml:3 jobs.a.timout",
        "x.yaml:4 jobs.a.shell.comand",
        "x.yaml:6 jobs.b.schedule[1]",
        "x.yaml:7 jobs.b.retry.limit",
        "x.yaml:7 jobs.b.retry.delay",
        "x.yaml:8 jobs.b.scripted.lines",
        "x.yaml:9 other",
    ]


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("limits: {tasks: 5}", "limits: the executor scripted cannot enforce any"),
        ("run_as: nobody", "run_as: the executor scripted runs nothing as another user"),
    ],
)
def test_what_an_executor_cannot_do_is_not_asked_of_it(
    faults: Faults, key: str, wrong: str
) -> None:
    """Limits and other users are refused where the executor knows neither, and the key is named."""
    assert faults(f"jobs:\n  a:\n    scripted: 1s\n    {key}\n") == [f"x.yaml:4: jobs.a.{wrong}"]


@pytest.mark.parametrize("key", sorted(UNSUPPORTED))
def test_a_key_of_a_later_version_is_refused_as_such(faults: Faults, key: str) -> None:
    """What the design has and this version does not is refused, never passed over."""
    outer, _, inner = key.partition(".")
    text = f"{outer}: {{{inner}: 1}}" if inner else f"{outer}: 1"
    assert faults(f"jobs:\n  a:\n    shell: x\n    {text}\n") == [
        f"x.yaml:4: jobs.a.{key}: is not supported by this version"
    ]


def test_no_key_is_both_supported_and_not() -> None:
    """A key that the model has leaves the list."""
    known = {field.encode_name for field in msgspec.structs.fields(Job)}
    known |= {f"output.{field.encode_name}" for field in msgspec.structs.fields(OutputRule)}
    assert not known & UNSUPPORTED


def test_expires_at_is_later_than_starts_at(faults: Faults) -> None:
    """A job that would end before it begins is refused."""
    assert faults(
        """\
        jobs:
          a:
            shell: x
            starts_at: 2026-01-01T00:00:00Z
            expires_at: 2026-01-01T00:00:00+01:00
        """
    ) == ["x.yaml:5: jobs.a.expires_at: is not later than starts_at"]


def test_a_job_too_large_for_the_wire_is_refused(faults: Faults) -> None:
    """It would be refused later anyway, with less to say."""
    (said,) = faults(f"jobs:\n  a:\n    shell: {'x' * 300_000}\n")
    assert said.endswith("expected at most 262144")


def test_toml_and_json_name_the_path(faults: Faults) -> None:
    """Lines are known for YAML alone; the path always is."""
    assert faults('[jobs.a]\nshell = "x"\ntimout = 5\n', "x.toml") == [
        'x.toml: jobs.a.timout: unknown key; did you mean "timeout"?'
    ]
    assert faults('{"jobs": {"a": {"shell": "x", "timout": 5}}}', "x.json") == [
        'x.json: jobs.a.timout: unknown key; did you mean "timeout"?'
    ]


_CHAIN = """
jobs:
  a: {shell: x, after: [{job: c}]}
  b: {shell: x, after: [{job: a}]}
  c: {shell: x, after: [{job: b, on: any}]}
"""
_ONCE = """
jobs:
  a: {shell: x, ephemeral: true}
  b: {shell: x, after: [{job: a}]}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_CHAIN, "x.yaml:3: jobs.a.after: these jobs wait for each other: a -> b -> c -> a"),
        (
            _ONCE,
            (
                "x.yaml:4: jobs.b.after[0].job: a is ephemeral; "
                "expected a job that stays after its first success"
            ),
        ),
    ],
)
def test_jobs_of_the_same_files_are_held_against_each_other(
    faults: Faults, text: str, said: str
) -> None:
    """Whom others come after, and whether that can be."""
    assert faults(text) == [said]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Größe-日本", '"Größe-日本"'),
        ("a\u202eb", r'"a\u202eb"'),
        ("a\\b", r'"a\\b"'),
        ("x" * 99, '"' + "x" * 39 + '…"'),
    ],
)
def test_what_can_be_printed_is_quoted_as_it_is(name: str, shown: str) -> None:
    """And what would turn the direction of a line, or end it, is escaped."""
    assert quoted(name) == shown
