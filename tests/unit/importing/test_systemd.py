"""Timers of systemd."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from tocsin.errors import ConfigError
from tocsin.execution import Limits
from tocsin.importing import Options, Source
from tocsin.importing.systemd import import_units
from tocsin.importing.systemd.spans import span_seconds
from tocsin.importing.systemd.words import split_words
from tocsin.model import MissedPolicy

from .conftest import BERLIN, UTC, Finish, Outcome, fires

_DAILY = "[Timer]\nOnCalendar=daily\n"


def _import(finish: Finish, options: Options = UTC, **files: str) -> Outcome:
    """Units by name, with `__` for `/` and `_` for `.`; dots in values are free."""
    named = {name.replace("__", "/").replace("_", "."): text for name, text in files.items()}
    return _import_files(finish, named, options)


def _import_files(finish: Finish, files: dict[str, str], options: Options = UTC) -> Outcome:
    sources = [Source(f"/etc/systemd/system/{name}", text) for name, text in files.items()]
    return finish(import_units(sources, options))


def _service(finish: Finish, *lines: str) -> Outcome:
    text = "\n".join(["[Service]", "Type=oneshot", *lines])
    return _import(finish, x_timer=_DAILY, x_service=text)


_WHEN = [
    ("OnCalendar=Mon..Fri 02:00\nOnCalendar=Sat 04:30", "2026-01-01T12:00:00Z",
     ["2026-01-02 01:00", "2026-01-03 03:30", "2026-01-05 01:00", "2026-01-06 01:00",
      "2026-01-07 01:00"]),
    ("OnCalendar=daily\nOnCalendar=\nOnCalendar=*-*~01 06:00", "2026-01-01T00:00:00Z",
     ["2026-01-31 05:00", "2026-02-28 05:00", "2026-03-31 04:00", "2026-04-30 04:00",
      "2026-05-31 04:00"]),
    ("OnCalendar=*-*-* 02:30 UTC", "2026-03-28T00:00:00Z",
     ["2026-03-28 02:30", "2026-03-29 02:30", "2026-03-30 02:30", "2026-03-31 02:30",
      "2026-04-01 02:30"]),
    ("OnCalendar=02:30", "2026-03-28T00:00:00Z",
     ["2026-03-28 01:30", "2026-03-30 00:30", "2026-03-31 00:30", "2026-04-01 00:30",
      "2026-04-02 00:30"]),
    ("OnCalendar=02:30", "2026-10-24T12:00:00Z",
     ["2026-10-25 00:30", "2026-10-26 01:30", "2026-10-27 01:30", "2026-10-28 01:30",
      "2026-10-29 01:30"]),
    ("OnBootSec=15min\nOnUnitActiveSec=1d", "2026-01-01T12:00:00Z",
     ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00", "2026-01-05 00:00",
      "2026-01-06 00:00"]),
    ("OnUnitInactiveSec=90", "2026-01-01T00:00:00Z",
     ["2026-01-01 00:01", "2026-01-01 00:03", "2026-01-01 00:04", "2026-01-01 00:06",
      "2026-01-01 00:07"]),
    ("OnBootSec=15min", "2026-01-01T00:00:00Z", []),
]  # fmt: skip


@pytest.mark.parametrize(("timer", "after", "dues"), _WHEN)
def test_a_timer_is_due_when_systemd_would_elapse_it(
    finish: Finish, timer: str, after: str, dues: list[str]
) -> None:
    """In Europe/Berlin; what the clock leaps over is left out, as systemd does."""
    service = "[Service]\nExecStart=/bin/x\n"
    outcome = _import(finish, BERLIN, x_timer=f"[Timer]\n{timer}\n", x_service=service)
    assert fires(outcome.job(), after) == dues
    for line in timer.split("\n"):
        if not line.startswith("OnCalendar"):
            assert any(line in said for said in outcome.said()), line


def test_missed_due_times_are_run_when_the_timer_is_persistent(finish: Finish) -> None:
    """However old; without it they are gone, as in systemd."""
    service = "[Service]\nExecStart=/bin/x\n"
    kept = _import(finish, x_timer=_DAILY + "Persistent=true\n", x_service=service).job()
    assert (kept.missed.policy, kept.missed.within_s) == (MissedPolicy.LATEST, 366 * 86_400)
    gone = _import(finish, x_timer=_DAILY, x_service=service).job()
    assert gone.missed.policy is MissedPolicy.SKIP


def test_a_random_delay_is_jitter(finish: Finish) -> None:
    """It stays the same, which a note says; zero is none, infinity no span."""
    service = "[Service]\nExecStart=/bin/x\n"
    for value, jitter_s in (("1h 30min", 5400), ("0", 0), ("infinity", 0), ("90d", 604_800)):
        timer = f"{_DAILY}RandomizedDelaySec={value}\nAccuracySec=1us\nWakeSystem=yes\n"
        outcome = _import(finish, x_timer=timer, x_service=service)
        assert outcome.job().jitter_s == jitter_s
        assert value == "0" or any(f"RandomizedDelaySec={value}" in said for said in outcome.said())
        assert any("AccuracySec" in said for said in outcome.said("x"))
        assert any("lost: WakeSystem" in said for said in outcome.said("x"))


_SPANS = [
    ("5min 20s", 320), ("1h30", 3630), ("2", 2), ("infinity", float("inf")), ("", None),
    ("1.5h", 5400), ("1M", 2_629_800), ("5m5m", 600), ("1 fortnight", None), ("250ms", 0.25),
]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), _SPANS)
def test_spans_are_those_of_systemd_time(text: str, seconds: float | None) -> None:
    """`M` is a month, `m` a minute."""
    assert span_seconds(text) == seconds


_WORDS: list[tuple[str, list[str]]] = [
    ("a  b", ["a", "b"]),
    ("'a b' \"c d\"", ["a b", "c d"]),
    (r'"a\"b" c\x20d \u00e9\n', ['a"b', "c d", "é\n"]),
    ("A='x y'", ["A=x y"]),
    ("''", [""]),
    (r"a\040b \q", ["a b", r"\q"]),
    ("", []),
]


@pytest.mark.parametrize(("text", "words"), _WORDS)
def test_words_are_those_of_systemd_syntax(text: str, words: list[str]) -> None:
    """Quotes, and C's escapes."""
    assert split_words(text) == words


_COMMANDS: list[tuple[list[str], dict[str, Any]]] = [
    (["ExecStart=/bin/a -x 'b c' 5%%"], {"argv": ["/bin/a", "-x", "b c", "5%"]}),
    (["ExecStart=/bin/a \\", "  b \\", "# no", "  c"], {"argv": ["/bin/a", "b", "c"]}),
    (["ExecStart=/bin/a", "ExecStart=", "ExecStart=/bin/b"], {"argv": ["/bin/b"]}),
    (["ExecStart=:/bin/a $X ${Y}"], {"argv": ["/bin/a", "$X", "${Y}"]}),
    (["ExecStart=/bin/a cost$$5"], {"argv": ["/bin/a", "cost$5"]}),
    (["ExecStart=@/bin/a name -x"], {"argv": ["/bin/a", "-x"]}),
    (["ExecStart=+/bin/a"], {"argv": ["/bin/a"]}),
    (["ExecStart=/bin/a %n %N %p %i %S"],
     {"argv": ["/bin/a", "x.service", "x", "x", "", "/var/lib"]}),
    (["ExecStart=/bin/a", "WorkingDirectory=/srv"], {"argv": ["/bin/a"], "cwd": "/srv"}),
    (["ExecStart=/bin/a", "WorkingDirectory=~"], {"argv": ["/bin/a"], "cwd": None}),
    (["ExecStart=/bin/a", "WorkingDirectory=-/srv"], {"argv": ["/bin/a"], "cwd": "/srv"}),
    (["ExecStart=/bin/a", "SuccessExitStatus=3 75 SIGTERM"],
     {"argv": ["/bin/a"], "success_codes": [0, 3, 75]}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "block"), _COMMANDS)
def test_a_lone_command_is_run_without_a_shell(
    finish: Finish, lines: list[str], block: dict[str, Any]
) -> None:
    """Where there is nothing that needs one; a system service begins in /."""
    job = _service(finish, *lines).job()
    expected = {"cwd": "/", **block}
    assert job.config == {key: value for key, value in expected.items() if value is not None}


_SCRIPTS = [
    (["ExecStart=/bin/echo ${A} $B 'c  d' $NONE ${NONE} x$B $$"],
     {"A": "1  2", "B": "3  4*"}, "1  2 3 4* c  d  x$B $\n"),
    (["ExecStartPre=/bin/echo one", "ExecStart=/bin/echo two", "ExecStartPost=/bin/echo three"],
     {}, "one\ntwo\nthree\n"),
    (["ExecStartPre=-/bin/false", "ExecStart=/bin/echo \"it's\" $A"], {"A": "x y"}, "it's x y\n"),
    (["ExecStartPre=/bin/false", "ExecStart=/bin/echo no"], {}, ""),
    (["ExecStart=/bin/echo one ; /bin/echo two"], {}, "one\ntwo\n"),
    (["ExecStart=/bin/echo one \\; $A"], {"A": "two"}, "one ; two\n"),
    (["ExecStart=/bin/echo one", "ExecStart=-/bin/false"], {}, "one\n"),
    (["EnvironmentFile=-/nowhere", "ExecStart=/bin/echo '*'"], {}, "*\n"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "env", "output"), _SCRIPTS)
def test_what_needs_a_shell_does_in_it_what_systemd_does(
    finish: Finish, lines: list[str], env: dict[str, str], output: str
) -> None:
    """Variables split or not, several commands, failures that count or do not."""
    job = _service(finish, *lines).job()
    done = subprocess.run(
        ["/bin/sh", "-c", job.config["command"]],
        env=env, stdout=subprocess.PIPE, check=False, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == output
    assert (done.returncode == 0) == bool(output)


def test_environment_files_are_read_before_the_commands(finish: Finish, tmp_path: Any) -> None:
    """With a doubt, as a shell reads them."""
    path = tmp_path / "env"
    path.write_text("A='from a file'\n")
    outcome = _service(finish, f"EnvironmentFile={path}", "ExecStart=/bin/sh -c 'echo \"$$A\"'")
    done = subprocess.run(
        ["/bin/sh", "-c", outcome.job().config["command"]],
        stdout=subprocess.PIPE, check=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "from a file\n"
    assert any("EnvironmentFile=" in said for said in outcome.said("x"))


def test_the_environment_is_carried_over(finish: Finish) -> None:
    """Quoted pairs; an empty assignment forgets those before it."""
    job = _service(
        finish, "ExecStart=/bin/a", "Environment=Z=1", "Environment=",
        'Environment="A=b c" D=%n', "Environment=E='f g'",
    ).job()  # fmt: skip
    assert job.env == {"A": "b c", "D": "x.service", "E": "f g"}


_LIMITS = [
    (["Type=oneshot", "TimeoutStartSec=2h", "RuntimeMaxSec=5"], 7200, 10, "RuntimeMaxSec=5"),
    (["Type=simple", "TimeoutStartSec=2h", "RuntimeMaxSec=5"], 5, 10, "TimeoutStartSec=2h"),
    (["Type=oneshot", "TimeoutSec=1min"], 60, 60, ""),
    (["Type=oneshot", "TimeoutStartSec=infinity", "TimeoutStopSec=90"], 86_400, 90, ""),
]


@pytest.mark.parametrize(("lines", "timeout_s", "kill_s", "doubt"), _LIMITS)
def test_the_timeout_is_the_one_that_bounds_a_run(
    finish: Finish, lines: list[str], timeout_s: float, kill_s: float, doubt: str
) -> None:
    """Which setting that is depends on the type."""
    text = "\n".join(["[Service]", "ExecStart=/bin/a", *lines])
    outcome = _import(finish, x_timer=_DAILY, x_service=text)
    assert (outcome.job().timeout_s, outcome.job().kill_after_s) == (timeout_s, kill_s)
    assert not doubt or any(doubt in said for said in outcome.said("x"))


def test_users_and_limits_are_the_jobs(finish: Finish) -> None:
    """Where they have a counterpart."""
    lines = ["User=joe", "Group=adm", "MemoryMax=1G", "CPUQuota=20%", "TasksMax=64"]
    outcome = _service(finish, "ExecStart=/bin/a", *lines)
    job = outcome.job()
    assert job.run_as == "joe:adm"
    assert job.limits == Limits(memory_bytes=1 << 30, cpu_percent=20, tasks=64)
    assert any("these jobs run as joe:adm" in said for said in outcome.said())


_DOUBTED = [
    "User=%i x", "Nice=5", "IOSchedulingClass=idle", "MemoryMax=50%", "CPUQuota=a", "TasksMax=9%",
    "ProtectSystem=strict", "PrivateTmp=yes", "NoNewPrivileges=yes", "StandardOutput=journal",
    "SyslogIdentifier=x", "KillMode=mixed", "Restart=on-failure", "RemainAfterExit=yes",
    "ExecStop=/bin/b", "ExecCondition=/bin/c", "PassEnvironment=A", "RuntimeDirectory=x",
    "StateDirectory=x", "LimitNOFILE=5", "Sockets=x", "SuccessExitStatus=TEMPFAIL",
    "Type=forking", "RestartSec=5", "Environment=A='", "Environment=A=%H", "Environment=A",
    "TimeoutStopSec=infinity", "TimeoutStartSec=soon", "ExecStartPre=|echo", "KillMode=none \\",
]  # fmt: skip


@pytest.mark.parametrize("line", _DOUBTED)
def test_a_setting_without_a_counterpart_is_a_doubt(finish: Finish, line: str) -> None:
    """None is passed over in silence."""
    outcome = _service(finish, "ExecStart=/bin/a", line)
    about = line.removesuffix("\\").rstrip()
    assert any(about in said for said in outcome.said("x"))


@pytest.mark.parametrize(
    "line",
    ["OnClockChange=yes", "OnTimezoneChange=yes", "FixedRandomDelay=yes", "OnUnitActiveSec=soon",
     "Unheard=of"],
)  # fmt: skip
def test_a_setting_of_a_timer_without_a_counterpart_is_a_doubt(finish: Finish, line: str) -> None:
    """As with services."""
    service = "[Service]\nType=simple\nExecStart=/bin/a\nExecStartPost=/bin/b\n"
    outcome = _import(finish, x_timer=f"{_DAILY}{line}\n", x_service=service)
    assert any(line in said for said in outcome.said("x"))
    assert any("ExecStartPost" in said for said in outcome.said("x"))


_UNIT_DOUBTED = [
    "After=network.target", "ConditionPathExists=/x", "AssertFileNotEmpty=/y",
    "OnFailure=m@%n.service", "Documentation=man:x", "RequiresMountsFor=/z", "X-Whatever=1",
]  # fmt: skip


@pytest.mark.parametrize("line", _UNIT_DOUBTED)
def test_what_a_unit_says_of_others_is_a_doubt(finish: Finish, line: str) -> None:
    """In the service as in the timer."""
    service = (
        f"[Unit]\n{line}\n[Service]\nExecStart=/bin/a\n[Install]\nWantedBy=multi-user.target\n"
    )
    outcome = _import(finish, x_timer=f"[Unit]\n{line}\n{_DAILY}", x_service=service)
    assert sum(line in said for said in outcome.said("x")) == 2
    assert any("WantedBy=multi-user.target" in said for said in outcome.said("x"))


def test_drop_ins_are_merged_in_the_order_of_their_names(finish: Finish) -> None:
    """Those of a template before those of an instance; the file itself comes first."""
    files = {
        "b@.timer": _DAILY,
        "b@.service": "[Service]\nExecStart=/bin/a %i\nEnvironment=A=1 B=1\n",
        "b@.service.d/20-x.conf": "[Service]\nEnvironment=B=2\n",
        "b@one.service.d/10-x.conf": "[Service]\nEnvironment=B=3 C=3\n",
        "b@.timer.d/a.conf": "[Timer]\nOnCalendar=\nOnCalendar=hourly\n",
        "timers.target.wants/b@one.timer": "",
        "timers.target.wants/b@two-x.timer": "",
    }
    jobs = _import_files(finish, files).jobs
    assert list(jobs) == ["b-one", "b-two-x"]
    assert jobs["b-one"].env == {"A": "1", "B": "2", "C": "3"}
    assert jobs["b-two-x"].config["argv"] == ["/bin/a", "two-x"]
    assert jobs["b-two-x"].schedule == ["@calendar hourly"]


def test_a_template_without_instances_is_held(finish: Finish) -> None:
    """Nobody can know which there are."""
    files = {"b@.timer": _DAILY, "b@.service": "[Service]\nExecStart=/bin/a %i\n"}
    assert "template" in _import_files(finish, files).held["b"]


def test_links_say_which_timers_are_enabled(finish: Finish) -> None:
    """Where there are none, all count as enabled, and a doubt says so."""
    files = {name: text for one in "ab" for name, text in (
        (f"{one}.timer", _DAILY), (f"{one}.service", "[Service]\nExecStart=/bin/x\n"))}  # fmt: skip
    free = _import_files(finish, files)
    assert all(job.enabled for job in free.jobs.values())
    assert any("does not say whether it is enabled" in said for said in free.said())
    linked = _import_files(finish, {**files, "timers.target.wants/a.timer": ""})
    assert {name: job.enabled for name, job in linked.jobs.items()} == {"a": True, "b": False}


def test_a_timer_without_its_service_is_held_with_its_schedule(finish: Finish) -> None:
    """As a comment that starts the service on its host."""
    outcome = _import(finish, x_timer=f"{_DAILY}Unit=other.service\n", y_service="[Service]\nA=b\n")
    assert outcome.held == {"x": "other.service is not among the files"}
    assert "- '@calendar daily'" in outcome.text
    assert "other.service" in outcome.text
    assert any("y.service" in said and "no timer" in said for said in outcome.said())


def test_another_unit_can_be_named(finish: Finish) -> None:
    """Its description goes before the timer's; two timers of one service are pointed out."""
    outcome = _import(
        finish,
        x_timer=f"[Unit]\nDescription=the timer\n{_DAILY}Unit=s.service\n",
        y_timer=f"[Unit]\nDescription=the other\n{_DAILY}Unit=s.service\n",
        s_service="[Unit]\nDescription=work of %N\n[Service]\nExecStart=/bin/x\n",
    )
    assert outcome.jobs["x"].description == "work of s"
    assert any("two timers start it" in said for said in outcome.said("y"))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["ExecStart=/bin/a %H"], "%H in ExecStart cannot be replaced here"),
        (["ExecStart=/bin/a 'b"], "a quote ' is not closed"),
        (["ExecStart=-"], "no program is named"),
        (["User=x"], "the service starts nothing"),
    ],
)
def test_a_command_that_cannot_be_told_is_held(finish: Finish, lines: list[str], why: str) -> None:
    """With the reason; the service can still be started on its host."""
    assert why in _service(finish, *lines).held["x"]


def test_a_unit_of_a_user_begins_in_the_home(finish: Finish) -> None:
    """And says nothing of root."""
    sources = [
        Source("/home/joe/.config/systemd/user/x.timer", _DAILY),
        Source("/home/joe/.config/systemd/user/x.service", "[Service]\nExecStart=/bin/x\n"),
    ]
    outcome = finish(import_units(sources, UTC))
    assert "cwd" not in outcome.job().config
    assert not any("root" in said for said in outcome.said())


def test_what_an_administrator_wrote_goes_before_what_packages_brought(finish: Finish) -> None:
    """As systemd's own search does; the other file is named."""
    sources = [
        Source("/usr/lib/systemd/system/x.timer", "[Timer]\nOnCalendar=hourly\n"),
        Source("/etc/systemd/system/x.timer", _DAILY),
        Source("/usr/lib/systemd/system/x.service", "[Service]\nExecStart=/bin/x\n"),
    ]
    outcome = finish(import_units(sources, UTC))
    assert outcome.job().schedule == ["@calendar daily"]
    assert any("/usr/lib/systemd/system/x.timer" in said for said in outcome.said())


_BAD = [
    ("[Timer]\nOnCalendar\n", 2, "expected KEY=VALUE"),
    ("OnCalendar=x\n", 1, "no section stands above it"),
    ("[Timer]\n\n#x\n{}\n", 4, "expected KEY=VALUE"),
]


@pytest.mark.parametrize(("text", "line", "why"), _BAD)
def test_what_is_no_unit_file_is_an_error_with_its_line(text: str, line: int, why: str) -> None:
    """Nothing is made of it."""
    with pytest.raises(ConfigError) as caught:
        import_units([Source("x.timer", text)], UTC)
    assert caught.value.message.startswith(f"x.timer:{line}: this is no unit file: {why}")


def test_an_expression_that_tocsin_cannot_keep_is_held(finish: Finish) -> None:
    """Fractions of a second, say; the reason is there."""
    timer, service = "[Timer]\nOnCalendar=*:*:0/0.5\n", "[Service]\nExecStart=/b\n"
    assert "x.schedule" in _import(finish, x_timer=timer, x_service=service).held["x"]
