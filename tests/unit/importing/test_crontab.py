"""Crontabs."""

from __future__ import annotations

import pytest

from tocsin.errors import ConfigError
from tocsin.importing import Options, Source
from tocsin.importing.crontab import CrontabOptions, import_crontabs
from tocsin.model import Overlap

from .conftest import BERLIN, UTC, Finish, Outcome, fires

_NO_SYSTEM = CrontabOptions(system=False)
_SYSTEM = CrontabOptions(system=True)


def _import(
    finish: Finish, text: str, options: Options = UTC, crontab: CrontabOptions = _NO_SYSTEM
) -> Outcome:
    return finish(import_crontabs([Source("tab", text)], options, crontab))


_WHEN = [
    ("30 2 * * *", ["2026-01-02 02:30", "2026-01-03 02:30", "2026-01-04 02:30"]),
    ("*/20 * * * *", ["2026-01-01 12:20", "2026-01-01 12:40", "2026-01-01 13:00"]),
    ("0 0 * * 7", ["2026-01-04 00:00", "2026-01-11 00:00", "2026-01-18 00:00"]),
    ("0 0 1,15 * fri", ["2026-01-02 00:00", "2026-01-09 00:00", "2026-01-15 00:00"]),
    ("0 0 */2 * 1", ["2026-01-05 00:00", "2026-01-19 00:00", "2026-02-09 00:00"]),
    ("0 0 * jan-feb 5-0", ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00"]),
    ("5/15 13 * * *", ["2026-01-01 13:05", "2026-01-02 13:05", "2026-01-03 13:05"]),
    ("007 */100 * * *", ["2026-01-02 00:07", "2026-01-03 00:07", "2026-01-04 00:07"]),
    ("@daily", ["2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00"]),
    ("@weekly", ["2026-01-04 00:00", "2026-01-11 00:00", "2026-01-18 00:00"]),
    ("@every_minute", ["2026-01-01 12:01", "2026-01-01 12:02", "2026-01-01 12:03"]),
    ("@3600", ["2026-01-01 13:00", "2026-01-01 14:00", "2026-01-01 15:00"]),
]


@pytest.mark.parametrize(("when", "dues"), _WHEN)
def test_a_line_is_due_when_cron_would_run_it(finish: Finish, when: str, dues: list[str]) -> None:
    """As Debian's cron or cronie reads the fields; expectations reckoned by hand."""
    job = _import(finish, f"{when} /opt/x\n").job()
    assert fires(job, "2026-01-01T12:00:00Z", 3) == dues


_REFUSED = [
    "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *",
    "5-1 * * * *", "1,,2 * * * *", "1, * * * *", "x * * * *", "* * * januar *", "? * * * *",
    "* * L * *", "9~3 * * * *", "*5 * * * *", "1-5-7 * * * *", "@Daily", "@fortnightly",
]  # fmt: skip


@pytest.mark.parametrize("when", _REFUSED)
def test_what_cron_refuses_is_no_job_and_a_doubt_has_the_line(finish: Finish, when: str) -> None:
    """The line is in the doubt and, as a comment, in the file."""
    line = f"{when} /opt/x"
    outcome = _import(finish, f"{line}\n0 1 * * * /opt/good\n")
    assert list(outcome.jobs) == ["good"]
    assert any(f"tab:1: lost: {line}: not imported" in said for said in outcome.said())
    assert f"# {line}" in outcome.text


def test_six_fields_are_one_too_many(finish: Finish) -> None:
    """Cron looks for this mistake, in both kinds of crontab."""
    for crontab in (_NO_SYSTEM, _SYSTEM):
        outcome = _import(finish, "* * * * * * root /opt/x\n", crontab=crontab)
        assert outcome.jobs == {}
        assert any("one field too many" in said for said in outcome.said())


def test_an_impossible_date_has_no_schedule(finish: Finish) -> None:
    """Cron takes it and is never due."""
    outcome = _import(finish, "0 0 31 2 * /opt/x\n")
    assert outcome.job().schedule == []
    assert any("which day was meant" in said for said in outcome.said("x"))


def test_times_follow_the_hosts_clock_over_a_change(finish: Finish) -> None:
    """A fixed time comes once on the day of the change, as Debian's cron does it."""
    job = _import(finish, "30 2 * * * /opt/x\n", BERLIN).job()
    assert (job.timezone, job.dst) == ("Europe/Berlin", "vixie")
    assert fires(job, "2026-03-28T00:00:00Z", 3) == [
        "2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30",
    ]  # fmt: skip


def test_a_random_field_of_cronie_stays_in_its_range(finish: Finish) -> None:
    """It is made from the job's name, so it does not change with each start."""
    job = _import(finish, "20~30 3~3 * * * /opt/x\n").job()
    (due,) = fires(job, "2026-01-01T00:00:00Z", 1)
    assert "2026-01-01 03:20" <= due <= "2026-01-01 03:30"
    assert len({at[11:] for at in fires(job, "2026-01-01T00:00:00Z", 5)}) == 1
    everywhere = _import(finish, "~ ~ ~ ~ ~ /opt/x\n").job()
    assert fires(everywhere, "2026-01-01T00:00:00Z", 1)


_PERCENT = [
    ("mail joe%Hi%%there", "mail joe", "Hi\n\nthere\n"),
    (r"date +\%F", "date +%F", None),
    ("x", "x", None),
    (r"x %a\%b\c", "x ", "a%b\\c\n"),
    ("x %a\\", "x ", "a\\\n"),
    (r"echo a\b", r"echo a\b", None),
    (r"x\\%y", r"x\\", "y\n"),
    ("cat%", "cat", ""),
    ("cat%end%", "cat", "end\n"),
]


@pytest.mark.parametrize(("command", "line", "stdin"), _PERCENT)
def test_a_percent_sign_ends_the_line_and_begins_its_input(
    finish: Finish, command: str, line: str, stdin: str | None
) -> None:
    """As `do_command.c` does it, escapes included."""
    job = _import(finish, f"0 0 * * * {command}\n").job()
    assert (job.config["command"], job.config.get("stdin")) == (line, stdin)


def test_settings_hold_for_what_stands_below_them(finish: Finish) -> None:
    """Quoted or not, with blanks around; a later one replaces an earlier one."""
    text = """\
0 0 * * * /opt/a
FOO = bar baz\x20\x20
"A B" = 'c d '
0 0 * * * /opt/b
FOO=""
0 0 * * * /opt/c
"""
    jobs = _import(finish, text).jobs
    assert jobs["a"].env == {}
    assert jobs["b"].env == {"FOO": "bar baz", "A B": "c d "}
    assert jobs["c"].env == {"FOO": "", "A B": "c d "}


def test_a_delay_that_outlasts_the_interval_is_a_doubt(finish: Finish) -> None:
    """Cron delays every start alike; here a run that waits is under way: the next is skipped."""
    text = "RANDOM_DELAY=15\n* * * * * /opt/often\n0 * * * * /opt/seldom\n"
    outcome = _import(finish, text)
    said = "jitter: its jitter of 15m is longer than the 1m between its due times"
    assert any(said in line for line in outcome.said("often"))
    assert not any("is longer than" in line for line in outcome.said("seldom"))


def test_shell_home_zone_and_delay_become_what_they_mean(finish: Finish) -> None:
    """Another shell is run with -c; HOME is also where the command starts."""
    text = """\
SHELL=/bin/bash
HOME=/srv
CRON_TZ=Asia/Tokyo
RANDOM_DELAY=10
LOGNAME=joe
PATH=/bin:$PATH
0 9 * * * echo {1..3}
"""
    outcome = _import(finish, text, BERLIN)
    job = outcome.job()
    assert job.config["argv"] == ["/bin/bash", "-c", "echo {1..3}"]
    assert job.config["cwd"] == "/srv"
    assert (job.timezone, job.jitter_s) == ("Asia/Tokyo", 600)
    assert job.env == {"SHELL": "/bin/bash", "HOME": "/srv", "PATH": "/bin:$PATH"}
    assert fires(job, "2026-01-01T12:00:00Z", 1) == ["2026-01-02 00:00"]
    for name in ("SHELL", "HOME", "CRON_TZ", "RANDOM_DELAY", "LOGNAME", "PATH"):
        assert any(f": {name}=" in said for said in outcome.said()), name


@pytest.mark.parametrize("setting", ["MAILTO=ops@example.org", 'MAILTO=""', "MAILFROM=x"])
def test_nobody_is_mailed_and_a_doubt_says_so(finish: Finish, setting: str) -> None:
    """It is no variable of the job, unless the command uses it."""
    outcome = _import(finish, f"{setting}\n0 0 * * * a\n0 0 * * * mail $MAILTO\n")
    assert any("no mail is sent" in said for said in outcome.said())
    assert outcome.jobs["a"].env == {}
    assert ("MAILTO" in outcome.jobs["mail-MAILTO"].env) == setting.startswith("MAILTO")


def test_a_zone_of_the_command_moves_no_schedule(finish: Finish) -> None:
    """`TZ` is a variable like any other, for cron as for Tocsin."""
    outcome = _import(finish, "TZ=Asia/Tokyo\n0 9 * * * /opt/x\n")
    assert (outcome.job().timezone, outcome.job().env) == ("UTC", {"TZ": "Asia/Tokyo"})
    assert any("moves no schedule" in said for said in outcome.said())


def test_what_anacron_takes_over_is_pointed_out(finish: Finish) -> None:
    """Its own table is not imported."""
    line = "25 6 * * * test -x /usr/sbin/anacron || run-parts /etc/cron.daily\n"
    outcome = _import(finish, line)
    assert any("anacrontab" in said for said in outcome.said("run-parts-cron.daily"))


def test_a_bad_delay_is_left_out_as_cronie_does(finish: Finish) -> None:
    """The doubt says what it takes."""
    outcome = _import(finish, "RANDOM_DELAY=soon\n0 0 * * * /opt/x\n")
    assert outcome.job().jitter_s == 0
    assert any("0 to 1440" in said for said in outcome.said())


def test_the_user_of_a_system_crontab_runs_the_job(finish: Finish) -> None:
    """Nothing is put around the command; that the agent must be root is said once for each."""
    text = "0 0 * * *\twww-data\tphp  -q /srv/a.php\n0 1 * * * root /opt/b\n"
    outcome = _import(finish, text, crontab=_SYSTEM)
    assert outcome.jobs["a"].run_as == "www-data"
    assert outcome.jobs["a"].config["command"] == "php  -q /srv/a.php"
    for user in ("www-data", "root"):
        assert sum(f"user {user}: these jobs run as {user}" in said for said in outcome.said()) == 1


def test_a_user_that_is_nobodys_name_is_kept_as_a_label(finish: Finish) -> None:
    """And doubted."""
    outcome = _import(finish, "0 0 * * * joe:staff/daemon /opt/a\n", crontab=_SYSTEM)
    job = outcome.jobs["a"]
    assert (job.run_as, job.labels) == ("", {"cron_user": "joe:staff/daemon"})
    assert any("this can be nobody's name" in said for said in outcome.said())


_KINDS = [
    ("/etc/crontab", "0 0 * * * x y\n", "x"),
    ("/etc/cron.d/php", "0 0 * * * x y\n", "x"),
    ("/var/spool/cron/crontabs/joe", "0 0 * * * root y\n", "joe"),
    ("/var/spool/cron/joe", "0 0 * * * x y\n", "joe"),
    ("some", "0 0 * * * root y\n0 1 * * * joe z\n", "root"),
    ("some", "0 0 * * * root y\n0 1 * * * /opt/z a\n", ""),
    ("some", "0 0 * * * backup\n", ""),
]


@pytest.mark.parametrize(("path", "text", "user"), _KINDS)
def test_the_kind_of_crontab_is_guessed_from_path_and_content(
    finish: Finish, path: str, text: str, user: str
) -> None:
    """A guess is a doubt, with the option that decides otherwise."""
    outcome = finish(import_crontabs([Source(path, text)], UTC, CrontabOptions()))
    first = next(iter(outcome.jobs.values()))
    assert first.run_as == user
    guessed = any("kind of crontab" in said and "system" in said for said in outcome.said())
    assert guessed == ("spool" not in path)


def test_reboot_has_no_schedule_and_can_be_asked_for(finish: Finish) -> None:
    """Nothing in a fleet is a boot."""
    outcome = _import(finish, "@reboot /opt/start --all\n")
    job = outcome.job()
    assert (job.schedule, job.enabled) == ([], True)
    assert any("@reboot" in said for said in outcome.said("start"))


def test_options_before_schedule_and_command_are_taken_away(finish: Finish) -> None:
    """`-` is for syslog, `-n` for cronie's mail."""
    outcome = _import(finish, "-0 0 * * * -n /opt/x\n")
    assert outcome.job().config["command"] == "/opt/x"
    assert any("syslog" in said for said in outcome.said("x"))
    assert any("lost: -n before" in said for said in outcome.said("x"))


def test_line_ends_of_other_systems_and_missing_ones_are_doubts(finish: Finish) -> None:
    """The entries are imported, without the carriage return."""
    outcome = _import(finish, "FOO=a\r\n0 0 * * * /opt/x\r\n0 1 * * * /opt/y")
    assert outcome.jobs["x"].config["command"] == "/opt/x"
    assert outcome.jobs["x"].env == {"FOO": "a"}
    assert "y" in outcome.jobs
    assert any("carriage returns" in said for said in outcome.said())
    assert any("no line end" in said for said in outcome.said())


def test_the_comment_directly_above_is_the_description(finish: Finish) -> None:
    """Others stay comments of the file, and lines that are switched off are pointed out."""
    text = """\
# Edit this file to introduce tasks to be run by cron.
#
# m h  dom mon dow   command

# dump the database
# before the reports
0 1 * * * /opt/dump
0 2 * * * /opt/plain
#0 3 * * * /opt/off
# loose

FOO=1
# above a setting
BAR=1
# the last line
"""
    outcome = _import(finish, text)
    assert outcome.jobs["dump"].description == "dump the database before the reports"
    assert outcome.jobs["plain"].description == ""
    for comment in ("Edit this file", "loose", "above a setting", "the last line", "0 3 * * *"):
        assert f"# {comment}" in outcome.text
    assert sum("commented out" in said for said in outcome.said()) == 1
    assert any("comments in lines 1, 3, 9, 10, 13, 15" in said for said in outcome.said())


def test_the_picture_of_the_fields_is_no_description(finish: Finish) -> None:
    """Debian's /etc/crontab has one above its first entry."""
    text = """\
# Example of job definition:
# .---------------- minute (0 - 59)
# |  .------------- hour (0 - 23)
# *  *  *  *  * user-name command to be executed
17 *  * * *  root  cd / && run-parts --report /etc/cron.hourly
"""
    outcome = _import(finish, text, crontab=_SYSTEM)
    job = outcome.jobs["run-parts-cron.hourly"]
    assert job.description == ""
    assert any("one job, as in cron" in said for said in outcome.said(job.name))
    assert not any("commented out" in said for said in outcome.said())


def test_a_host_binds_the_jobs_and_names_them(finish: Finish) -> None:
    """So forty crontabs do not meet in one name."""
    options = Options(host="web1", prefix="web1/")
    outcome = _import(finish, "0 0 * * * /opt/x\n", options)
    assert outcome.jobs["web1/x"].target.tags == {"name": "web1"}
    assert not any("any agent" in said for said in outcome.said())
    free = _import(finish, "0 0 * * * /opt/x\n0 1 * * * /opt/y\n")
    assert sum("any agent" in said for said in free.said()) == 1


def test_what_cron_leaves_open_is_said_once(finish: Finish) -> None:
    """Overlap, missed and timeout are Tocsin's defaults; each has its note."""
    outcome = _import(finish, "0 0 * * * /opt/x\n0 1 * * * /opt/y\n")
    assert {job.overlap for job in outcome.jobs.values()} == {Overlap.SKIP}
    for about in ("overlap", "missed", "timeout", "timezone", "mail", "PATH", "user", "host"):
        assert sum(one.about == about for one in outcome.doubts) == 1, about


def test_a_very_long_line_is_carried_over_whole(finish: Finish) -> None:
    """Debian's cron would cut it."""
    command = "echo " + "x" * 5000
    outcome = _import(finish, f"0 0 * * * {command}\n")
    assert outcome.job().config["command"] == command
    assert any("5005 characters" in said for said in outcome.said())


def test_a_job_that_no_message_could_carry_is_a_comment(finish: Finish) -> None:
    """The file can be applied all the same."""
    outcome = _import(finish, f"0 0 * * * {'x' * 300_000}\n0 1 * * * /opt/y\n")
    assert list(outcome.jobs) == ["y"]
    assert "at most" in next(iter(outcome.held.values()))


@pytest.mark.parametrize(
    ("text", "line"),
    [('{"jobs": []}\n', 1), ("# x\n\nhello world\n", 3), ("0 0 * * * a\nb\0\n", 2)],
)
def test_what_is_no_crontab_is_an_error_with_its_line(text: str, line: int) -> None:
    """Nothing is made of it."""
    with pytest.raises(ConfigError) as caught:
        import_crontabs([Source("tab", text)], UTC, _NO_SYSTEM)
    assert caught.value.message.startswith(f"tab:{line}: ")


def test_an_empty_crontab_gives_an_empty_file(finish: Finish) -> None:
    """It can be read, and says nothing."""
    assert _import(finish, "").jobs == {}
    assert _import(finish, "# nothing\n").jobs == {}
