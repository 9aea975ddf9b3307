"""Jobs of Dkron."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocsin.errors import ConfigError
from tocsin.importing import Options, Source
from tocsin.importing.dkron import import_dkron
from tocsin.importing.dkron.durations import go_seconds, iso_seconds
from tocsin.importing.dkron.schedule import expand_hash
from tocsin.instants import from_rfc3339
from tocsin.model import Dependency, Job, MissedPolicy, Overlap
from tocsin.schedule import parse

from .conftest import BERLIN, UTC, Finish, Outcome, fires

_DATA = Path(__file__).parent / "data"
_TABLES = json.loads((_DATA / "dkron_tables.json").read_text())
_DOCUMENTS = {
    one["id"]: one["job"] for one in json.loads((_DATA / "dkron_jobs.json").read_text())["jobs"]
}
_EXPORT = json.loads((_DATA / "dkron_jobs.json").read_text())["export_example"]["documents"]


def _import(finish: Finish, *documents: dict[str, Any], options: Options = UTC) -> Outcome:
    return finish(import_dkron([Source("dkron.json", json.dumps(documents))], options))


def _job(finish: Finish, options: Options = UTC, **keys: Any) -> tuple[Job, list[str]]:
    document = {
        "name": "j",
        "schedule": "@manually",
        "tags": {"my_role": "web:1"},
        "executor": "shell",
        "executor_config": {"command": "date"},
        **keys,
    }
    outcome = _import(finish, document, options=options)
    return outcome.job(), outcome.said()


def test_all_documents_are_imported_or_held_with_their_reason(finish: Finish) -> None:
    """What this installation can run can be applied; the rest stands there whole, as comments."""
    outcome = _import(finish, *_DOCUMENTS.values(), options=BERLIN)
    assert list(outcome.jobs) == [
        "job1", "db-backup", "http-health", "etl-extract", "etl-load", "maintenance-job",
    ]  # fmt: skip
    assert {name: reason.split(": ")[1] for name, reason in outcome.held.items()} == dict.fromkeys(
        ["etl-announce", "promo-send", "kafka-tick", "grpc-call", "pubsub-publish",
         "docker-report", "ecs-task"],
        "no executor has this name; installed are",
    )  # fmt: skip
    for document in _DOCUMENTS.values():
        for key, value in document["executor_config"].items():
            found = value in outcome.text or any(key in said for said in outcome.said())
            assert found or key in {
                "headers",
                "payload",
                "env",
                "shell",
                "timeout",
                "tlsNoVerifyPeer",
                "expectCode",
                "expectBody",
            }
        for processor in document.get("processors", {}):
            assert any(f"processor {processor}:" in said for said in outcome.said(document["name"]))


_FIRES = [
    ("shell-basic", "2026-01-01T00:00:05Z",
     ["2026-01-01 00:00", "2026-01-01 00:00", "2026-01-01 00:00", "2026-01-01 00:00",
      "2026-01-01 00:00"]),
    ("shell-db-backup", "2026-03-07T00:00:00Z",
     ["2026-03-07 07:30", "2026-03-09 06:30", "2026-03-10 06:30", "2026-03-11 06:30",
      "2026-03-12 06:30"]),
    ("shell-db-backup", "2026-10-31T00:00:00Z",
     ["2026-10-31 06:30", "2026-11-01 07:30", "2026-11-02 07:30", "2026-11-03 07:30",
      "2026-11-04 07:30"]),
    ("chain-parent", "2026-01-01T00:30:00Z",
     ["2026-01-01 01:00", "2026-01-01 02:00", "2026-01-01 03:00", "2026-01-01 04:00",
      "2026-01-01 05:00"]),
    ("chain-child", "2026-01-01T00:30:00Z", []),
    ("one-shot-ephemeral", "2026-01-01T00:30:00Z", ["2030-01-15 02:00"]),
    ("http-check", "2026-01-02T17:52:00Z",
     ["2026-01-02 17:55", "2026-01-05 09:00", "2026-01-05 09:05", "2026-01-05 09:10",
      "2026-01-05 09:15"]),
    ("kafka-tilde", "2026-01-01T00:00:00Z",
     ["2026-01-01 00:22", "2026-01-01 01:22", "2026-01-01 02:22", "2026-01-01 03:22",
      "2026-01-01 04:22"]),
    ("after-with-grace", "2026-01-01T00:00:00Z", ["2030-01-01 09:00"]),
    ("grpc-call", "2026-03-28T12:00:00Z",
     ["2026-03-28 23:00", "2026-03-29 22:00", "2026-03-30 22:00", "2026-03-31 22:00",
      "2026-04-01 22:00"]),
    ("gcppubsub", "2026-01-01T00:00:00Z", []),
    ("docker-pro", "2026-01-01T00:00:00Z",
     ["2026-01-01 05:00", "2026-01-15 05:00", "2026-02-01 05:00", "2026-02-15 05:00",
      "2026-03-01 05:00"]),
    ("ecs-pro", "2026-01-01T00:00:00Z",
     ["2026-01-04 03:00", "2026-01-11 03:00", "2026-01-18 03:00", "2026-01-25 03:00",
      "2026-02-01 03:00"]),
    ("chain-grandchild", "2026-01-01T00:00:00Z", []),
]  # fmt: skip


@pytest.mark.parametrize(("which", "after", "dues"), _FIRES)
def test_a_document_keeps_its_due_times(
    finish: Finish, which: str, after: str, dues: list[str]
) -> None:
    """In servers' zone Europe/Berlin; with a shell in place of executors that are not here."""
    document = {**_DOCUMENTS[which], "executor": "shell", "executor_config": {"command": "date"}}
    job = _import(finish, document, options=BERLIN).job()
    assert fires(job, after) == dues


def _due(spec: str, zone: str, after: str, finish: Finish) -> int | None:
    job, _ = _job(finish, schedule=spec, timezone=zone)
    if not job.schedule:
        return None
    schedule = parse(job.schedule[0], job.timezone, key="j", dst=job.dst)
    return schedule.next_us(from_rfc3339(after if after.endswith("Z") else f"{after}Z"))


@pytest.mark.parametrize("row", _TABLES["next"], ids=lambda row: row["id"])
def test_the_next_due_time_is_that_of_dkrons_parser(finish: Finish, row: dict[str, Any]) -> None:
    """The table of robfig/cron v3, changes of the clock included."""
    zone = (
        "" if row["zone"] == "local" or row["spec"].startswith(("TZ=", "CRON_TZ=")) else row["zone"]
    )
    expected = row["expected"]
    due = _due(row["spec"], zone, row["from"].partition("+")[0], finish)
    never = expected is None or expected.startswith("0001")
    assert due == (None if never else from_rfc3339(expected.removesuffix("Z") + "Z"))


@pytest.mark.parametrize("row", _TABLES["activation"], ids=lambda row: row["id"])
def test_the_day_rule_is_that_of_dkrons_parser(finish: Finish, row: dict[str, Any]) -> None:
    """`*/2` in a day field is no star, so that either field is enough."""
    at = from_rfc3339(row["time"] + "Z")
    job, _ = _job(finish, schedule=row["spec"])
    due = parse(job.schedule[0], key="j").next_us(at - 1)
    assert (due == at) == row["active"]


@pytest.mark.parametrize("row", _TABLES["schedule_hash_tilde"], ids=lambda row: row["id"])
def test_a_tilde_is_dkrons_number_of_the_name(finish: Finish, row: dict[str, Any]) -> None:
    """Also when the job has to be called something else."""
    spec = row["schedule"].removeprefix("TZ=Europe/Madrid ")
    expanded = row["expanded"].removeprefix("TZ=Europe/Madrid ")
    if "@" in spec:
        return
    assert expand_hash(spec, row["job_name"]) == expanded
    job, said = _job(finish, name=row["job_name"], schedule=row["schedule"])
    assert job.schedule == [expanded]
    assert any("~ is a number from the name" in line for line in said)
    named, _ = _job(finish, name="_é", schedule="~ ~ ~ ~ ~ ~")
    assert named.name == "e"
    assert named.schedule == ["28 28 16 21 5 6"]


_KEPT = [
    ("*/5 * * * * *", "", "*/5 * * * * *"),
    ("0 0 0 ?,1 * FRI", "", "0 0 0 * * FRI"),
    ("0 0 0 */2 * MON", "", "0 0 0 1-31/2 * MON"),
    ("0 0 0 1 * */2", "", "0 0 0 1 * 0-6/2"),
    ("0 0 0 */1 * MON", "", "0 0 0 * * MON"),
    ("? ? ? ? ? ?", "", "* * * * * *"),
    ("0 1,,2, 3 * * *", "", "0 1,2 3 * * *"),
    ("@every 90m", "Asia/Tokyo", "@every 1h30m"),
    ("@every 1.5h10ms", "", "@every 1h30m"),
    ("@every 10ms", "", "@every 1s"),
    ("@every 49h0m1s", "", "@every 2d1h1s"),
    ("@minutely", "", "@minutely"),
    ("@at 2018-01-02T15:04:00.5+06:00", "", "@at 2018-01-02T15:04:00+06:00"),
]


@pytest.mark.parametrize(("spec", "zone", "schedule"), _KEPT)
def test_a_schedule_is_rewritten_only_where_it_would_mean_something_else(
    finish: Finish, spec: str, zone: str, schedule: str
) -> None:
    """Day fields, empty items, Go's durations."""
    job, _ = _job(finish, schedule=spec, timezone=zone)
    assert job.schedule == [schedule]


@pytest.mark.parametrize(
    "spec", ["@fortnightly", "@at soon", "@every soon", "* * *", ", * * * * *", "@Daily", ""]
)
def test_a_schedule_that_dkron_refuses_disables_the_job(finish: Finish, spec: str) -> None:
    """The doubt has the schedule; an empty one means that it is asked for."""
    job, said = _job(finish, schedule=spec)
    assert job.schedule == []
    assert job.enabled == (not spec)
    assert any(f"schedule {spec}".strip() in line for line in said)


def test_names_with_an_at_go_by_the_servers_zone(finish: Finish) -> None:
    """Dkron ignores the job's own, and so the due times stay what they were."""
    job, said = _job(finish, BERLIN, schedule="@daily", timezone="Asia/Tokyo")
    assert job.timezone == "Europe/Berlin"
    assert any("whether Asia/Tokyo was meant" in line for line in said)
    prefixed, _ = _job(finish, BERLIN, schedule="TZ=Asia/Tokyo @daily")
    assert prefixed.timezone == "Asia/Tokyo"


def test_a_zone_before_a_schedule_is_taken_even_where_dkron_would_not(finish: Finish) -> None:
    """Beside a timezone, and before names that know none."""
    for spec, zone in (("TZ=Asia/Tokyo 0 0 9 * * *", "Europe/Paris"), ("TZ=UTC @minutely", "")):
        job, said = _job(finish, schedule=spec, timezone=zone)
        assert job.schedule
        assert any("Dkron refuses a TZ=" in line for line in said)


def test_a_host_binds_every_job(finish: Finish) -> None:
    """Beside its own tags."""
    job, _ = _job(finish, Options(host="web1", prefix="web1/"))
    assert (job.name, job.target.tags) == ("web1/j", {"my_role": "web", "name": "web1"})


def test_five_fields_are_read_and_doubted(finish: Finish) -> None:
    """The examples of Dkron's documentation have them, and Dkron refuses them."""
    job, said = _job(finish, schedule="30 2 * * *")
    assert job.schedule == ["0 30 2 * * *"]
    assert any("Dkron refuses five fields" in line for line in said)


@pytest.mark.parametrize("row", _TABLES["after_parse"], ids=lambda row: row["id"])
def test_after_is_once_with_its_grace(finish: Finish, row: dict[str, Any]) -> None:
    """The grace is how late it may still run."""
    job, said = _job(finish, schedule=row["spec"])
    if not row["valid"]:
        assert (job.schedule, job.enabled) == ([], False)
        return
    assert job.schedule == [f"@at {row['at']}"]
    assert job.missed.policy is MissedPolicy.LATEST
    assert job.missed.within_s == row["grace_seconds"]
    assert any("@after" in line for line in said)


@pytest.mark.parametrize("row", _TABLES["iso8601_duration"], ids=lambda row: row["id"])
def test_durations_of_iso_8601_are_dkrons(row: dict[str, Any]) -> None:
    """A year has 365 days and a month 30."""
    assert iso_seconds(row["input"]) == row["seconds"]


_GO = [
    ("1h30m", 5400), ("1.5h", 5400), ("-2s", -2), ("+1m", 60), ("0", 0), ("300ms", 0.3),
    ("1d", None), ("", None), ("5", None), ("1h 2m", None), (".5s", 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), _GO)
def test_durations_of_go(text: str, seconds: float | None) -> None:
    """No days, no blanks."""
    assert go_seconds(text) == seconds


@pytest.mark.parametrize("row", _TABLES["target_tags_clean"], ids=lambda row: row["id"])
def test_tags_choose_agents_and_their_lowest_count_how_many(
    finish: Finish, row: dict[str, Any]
) -> None:
    """A count that is no number comes to no node: then it never ran."""
    job, _ = _job(finish, tags=row["tags"])
    assert job.target.tags == row["bare"]
    count = row["cardinality"]
    assert job.enabled == (count != 0)
    if count != 0:
        assert job.target.agents == ("all" if count is None else count)


def test_without_tags_a_job_runs_everywhere(finish: Finish) -> None:
    """As in Dkron, with a doubt; what looks like a pattern is none."""
    job, said = _job(finish, tags=None)
    assert job.target.agents == "all"
    assert any("runs on all agents" in line for line in said)
    starred, _ = _job(finish, tags={"a": "x*[1]?:2"})
    assert starred.target.tags == {"a": "x[*][[]1][?]"}
    cut, said = _job(finish, tags={"a": "x:y:2"})
    assert (cut.target.tags, cut.target.agents) == ({"a": "x"}, "all")
    assert any("tag a=x:y:2" in line for line in said)


@pytest.mark.parametrize("key", ["role", "dc", "region", "server"])
def test_tags_that_dkron_sets_itself_are_doubted(finish: Finish, key: str) -> None:
    """No agent has them by itself."""
    job, said = _job(finish, tags={key: "web:2"})
    assert (job.target.tags, job.target.agents) == ({key: "web"}, 2)
    assert any(f"tag {key}=web" in line for line in said)


def test_policies_and_texts_are_carried_over(finish: Finish) -> None:
    """Concurrency, retries, times, owner, metadata."""
    job, said = _job(
        finish,
        displayname="A job",
        concurrency="forbid",
        retries=2,
        ephemeral=True,
        disabled=True,
        starts_at="2030-01-01T00:00",
        expires_at="2031-01-01T00:00:00.5+01:00",
        metadata={"team": "x", "owner": "y"},
        owner="ops",
        owner_email="ops@example.org",
        unheard_of=[1],
    )
    assert job.description == "A job"
    assert job.overlap is Overlap.SKIP
    assert (job.retry.limit, job.retry.elsewhere) == (2, False)
    assert (job.ephemeral, job.enabled) == (True, False)
    assert job.starts_at_us == from_rfc3339("2030-01-01T00:00:00Z")
    assert job.expires_at_us == from_rfc3339("2030-12-31T23:00:00Z")
    assert job.labels == {
        "team": "x", "owner": "y", "dkron_owner": "ops", "owner_email": "ops@example.org",
    }  # fmt: skip
    assert any("key unheard_of: [1] is left out" in line for line in said)
    assert any("owner_email" in line and "no mail" in line for line in said)
    allowed, _ = _job(finish)
    assert allowed.overlap is Overlap.ALLOW


def test_a_child_follows_its_parent(finish: Finish) -> None:
    """Under the name that the parent got; its own schedule counts as little as in Dkron."""
    parent = {"name": "père", "schedule": "@daily", "executor": "shell",
              "executor_config": {"command": "a"}}  # fmt: skip
    child = {**parent, "name": "child", "parent_job": "père"}
    outcome = _import(finish, parent, child)
    job = outcome.jobs["child"]
    assert job.after == [Dependency(job="pere")]
    assert job.schedule == []
    assert any("Dkron ignores it" in line for line in outcome.said("child"))
    assert any("name père" in line for line in outcome.said("pere"))
    alone = _import(finish, child)
    assert alone.job().after == [Dependency(job="pere")]
    assert any("not in this input" in line for line in alone.said("child"))


def test_what_waits_for_a_held_job_is_held_too(finish: Finish) -> None:
    """It could never run, and its parent would be missing."""
    export = json.loads(json.dumps(_EXPORT).replace('"executor": "http"', '"executor": "kafka"'))
    outcome = _import(finish, *export)
    assert "task2" not in outcome.jobs
    assert outcome.held["task3"] == "it waits for task2, which cannot run yet"
    assert any(one.about == "history" for one in outcome.doubts)


_COMMANDS = [
    ({"command": "a 'b c' \"d\""}, {"argv": ["a", "b c", "d"]}, ""),
    ({"command": "a b && c"}, {"argv": ["a", "b"]}, "drops what follows '&&'"),
    ({"command": "a b>x"}, {"argv": ["a", "b"]}, "drops what follows '>'"),
    ({"command": "a 'b"}, {"argv": ["a", "'b"]}, "split at blanks"),
    ({"command": "a | b", "shell": "true"}, {"command": "a | b"}, ""),
    ({"command": "a", "cwd": "/srv"}, {"argv": ["a"], "cwd": "/srv"}, ""),
    ({"command": "a", "payload": "aGkK"}, {"argv": ["a"], "stdin": "hi\n"}, ""),
    ({"command": "a", "x": "1"}, {"argv": ["a"]}, "executor_config x"),
    ({"command": "a", "mem_limit": "1GB"}, {"argv": ["a"]}, "mem_limit 1GB: limits.memory"),
    ({"command": "a", "su": "joe"}, {"argv": ["a"]}, "these jobs run as joe"),
    ({"command": "a", "timeout": "soon"}, {"argv": ["a"]}, "timeout soon"),
    ({"command": "a", "env": "A=1,B"}, {"argv": ["a"]}, "env 'B'"),
]


@pytest.mark.parametrize(("config", "block", "doubt"), _COMMANDS)
def test_a_command_is_run_as_dkron_runs_it(
    finish: Finish, config: dict[str, str], block: dict[str, Any], doubt: str
) -> None:
    """Without shell: "true" it is split into words, and what would need a shell is dropped."""
    job, said = _job(finish, executor_config=config)
    assert job.config == block
    assert not doubt or any(doubt in line for line in said)


@pytest.mark.parametrize(
    ("limit", "size"), [("1GB", 1 << 30), ("512mb", 512 << 20), ("64MiB", 64 << 20), ("5", None)]
)
def test_its_user_and_its_memory_are_the_jobs(finish: Finish, limit: str, size: int | None) -> None:
    """Dkron's units are powers of 1024."""
    config = {"command": "a", "su": "joe:adm", "mem_limit": limit}
    job, _ = _job(finish, executor_config=config)
    assert (job.run_as, job.limits.memory_bytes) == ("joe:adm", size)


def test_variables_and_timeout_belong_to_the_job(finish: Finish) -> None:
    """ENV_JOB_NAME is there when the command uses it."""
    config = {
        "command": "echo $ENV_JOB_NAME",
        "shell": "true",
        "env": "A=1,B=x=y",
        "timeout": "1m30s",
    }
    job, _ = _job(finish, executor_config=config)
    assert job.env == {"A": "1", "B": "x=y", "ENV_JOB_NAME": "j"}
    assert job.timeout_s == 90


def test_input_that_is_no_text_holds_the_job(finish: Finish) -> None:
    """The payload stays there, as it was."""
    config = {"command": "a", "payload": "/w=="}
    document = {"name": "j", "executor": "shell", "executor_config": config}
    outcome = _import(finish, document)
    assert outcome.held == {"j": "its payload is no text"}
    assert "/w==" in outcome.text


def _request(finish: Finish, **config: Any) -> tuple[Job, list[str]]:
    """A job of Dkron's http, as it can be applied."""
    config = {"method": "get", "url": "http://x", "expectCode": "200", **config}
    outcome = _import(finish, {"name": "j", "executor": "http", "executor_config": config})
    assert not outcome.held
    return outcome.job(), outcome.said("j")


def test_a_request_means_what_it_meant(finish: Finish) -> None:
    """Every key has its equal."""
    job, _ = _request(
        finish, method="post", headers='["A: b", "X-T: {{ run.id }}"]', body="{{ x.y }}",
        timeout="5", expectCode="200,206", expectBody='"status": ?"(ok|healthy)"',
        tlsNoVerifyPeer="true", tlsCertificateFile="/c", tlsCertificateKeyFile="/k",
        tlsRootCAsFile="/ca",
    )  # fmt: skip
    assert job.timeout_s == 5
    assert job.config == {
        "url": "http://x",
        "method": "POST",
        "headers": {"A": "b", "X-T": "\\{{ run.id }}"},
        "body": "\\{{ x.y }}",
        "cert": "/c", "key": "/k", "ca": "/ca", "verify": False,
        "expect": {"status": ["200", "206"], "body": '"status": ?"(ok|healthy)"', "json": {}},
    }  # fmt: skip


def test_http_without_expected_codes_is_doubted(finish: Finish) -> None:
    """Dkron takes a 500 for a success, and so it stays."""
    job, said = _request(finish, expectCode="", debug="true", what="x", headers='["A: b:c", "D"]')
    assert job.config["expect"] == "100-599"
    assert job.config["headers"] == {"A": "b:c"}
    assert job.timeout_s == 30
    for doubt in ("without expectCode", "header 'D'", "header A", "debug", "executor_config what"):
        assert any(doubt in line for line in said), doubt


@pytest.mark.parametrize(
    ("theirs", "ours", "doubt"),
    [
        ("200", "200", ""),
        ("200,201", ["200", "201"], ""),
        ("200, 201", ["200", "201"], ""),
        ("1200", "200", "expectCode 1200: Dkron takes 200 alone"),
        ("200-299", "299", "expectCode 200-299: Dkron takes 299 alone"),
        ("2xx", "2xx", "expectCode 2xx: Dkron takes no status for it"),
        ("200,ok", "200", "expectCode ok: left out"),
        ("ok", "2xx", "expectCode ok: Dkron takes no status for it; here 2xx succeed"),
    ],
)
def test_expected_codes(finish: Finish, theirs: str, ours: object, doubt: str) -> None:
    """Dkron looks whether the code and a comma stand anywhere in the text."""
    job, said = _request(finish, expectCode=theirs)
    assert job.config["expect"] == ours
    found = [line for line in said if "expectCode" in line]
    assert any(doubt in line for line in found) if doubt else not found


@pytest.mark.parametrize(
    ("theirs", "ours", "matches", "not_matches"),
    [
        ("ok", "ok", "not ok", "no"),
        ("^a", "(?-m:^a)", "ab", "b\na"),
        ("(?i)b$", "(?i-m:b$)", "aB", "b\na"),
        ("(?m)^a", "(?m)^a", "b\na", "b"),
        (r"[[:alpha:]_]+\z", r"[A-Za-z_]+\Z", "1a_", "a1"),
        (r"a\\z", r"a\\z", r"a\z", "a"),
    ],
)
def test_expected_bodies(
    finish: Finish, theirs: str, ours: str, matches: str, not_matches: str
) -> None:
    """A pattern of Go finds here what it finds there."""
    job, _ = _request(finish, expectBody=theirs)
    assert job.config["expect"]["body"] == ours
    assert re.search(ours, matches, re.MULTILINE)
    assert not re.search(ours, not_matches, re.MULTILINE)


def test_a_pattern_that_is_none_here_holds_the_job(finish: Finish) -> None:
    """The comment has it whole, and the reason."""
    config = {"method": "GET", "url": "http://x", "expectBody": r"\pL+"}
    outcome = _import(finish, {"name": "j", "executor": "http", "executor_config": config})
    assert "no regular expression" in outcome.held["j"]
    assert r"\pL+" in outcome.text


@pytest.mark.parametrize(
    ("config", "doubt"),
    [
        ({"url": "http://ann:p%40ss@x/?a=b"}, "a user in the url: written as auth"),
        ({"headers": '["Host: y"]'}, "left out: Dkron does not send it"),
        ({"headers": '["Content-Length: 3"]'}, "left out: it follows from what is sent"),
        ({"headers": '["A b: 3"]'}, "left out: it cannot be sent"),
        ({"headers": '["A: b\\nc"]'}, "left out: it cannot be sent"),
        ({"headers": '["A: 1", "a: 2"]'}, "given twice"),
        ({"headers": "{"}, "lost: headers"),
        ({"headers": '{"A": "b"}'}, "lost: headers"),
        ({"timeout": "soon"}, "timeout soon"),
        ({"timeout": "0"}, "ended after 1d"),
        ({"tlsCertificateKeyFile": "/k"}, "no certificate"),
        ({"tlsRootCAsFile": "/ca"}, "Dkron goes on without it"),
    ],
)
def test_what_differs_in_a_request_is_doubted(
    finish: Finish, config: dict[str, Any], doubt: str
) -> None:
    """And the job can be applied."""
    job, said = _request(finish, **config)
    assert any(doubt in line for line in said), said
    if "url" in config:
        assert job.config["url"] == "http://x/?a=b"
        assert job.config["auth"]["user"] == "ann"
        assert job.config["auth"]["password"] == "p@ss"


def test_a_message_has_the_keys_of_the_nats_executor(finish: Finish) -> None:
    """Several servers become a list."""
    config = {"url": "nats://a:4222, nats://b", "subject": "s.t", "message": "{{ a.b }}",
              "userName": "u", "password": "p", "debug": "true", "what": "x"}  # fmt: skip
    outcome = _import(finish, {"name": "j", "executor": "nats", "executor_config": config})
    text = outcome.text.partition("  # j:\n")[2]
    block = yaml.safe_load("j:\n" + re.sub("^  # ", "", text, flags=re.MULTILINE))
    assert block["j"]["nats"] == {
        "servers": ["nats://a:4222", "nats://b"],
        "subject": "s.t",
        "payload": "\\{{ a.b }}",
        "user": "u",
        "password": "p",
    }
    for doubt in ("debug", "executor_config what", "this is a secret"):
        assert any(doubt in line for line in outcome.said("j")), doubt


@pytest.mark.parametrize("executor", ["", None])
def test_a_job_without_executor_is_held(finish: Finish, executor: str | None) -> None:
    """In Dkron it fails whenever it is due."""
    outcome = _import(finish, {"name": "j", "executor": executor})
    assert outcome.held == {"j": "it names no executor"}


_BAD = [
    ("[{}]", "x.json: job 1: the key name is missing"),
    ('{"name": ""}', "x.json: the key name is missing"),
    ('[\n{"name": "a"},\n{]', "x.json:3: not JSON"),
    ("3", "x.json: expected a job of Dkron"),
    ("[[]]", "x.json: job 1: expected a job of Dkron"),
    ('{"name": NaN}', "x.json:1: not JSON: NaN"),
    ('{"name": "\\ud800"}', "x.json:1: not JSON: "),
    ("[" * 100_000, "x.json: nested too deeply"),
]


@pytest.mark.parametrize(("text", "words"), _BAD)
def test_what_is_no_job_of_dkron_is_an_error(text: str, words: str) -> None:
    """With the line, or the number of the job."""
    with pytest.raises(ConfigError) as caught:
        import_dkron([Source("x.json", text)], UTC)
    assert caught.value.message.startswith(words)


@pytest.mark.parametrize("row", _TABLES["job_name_rule"], ids=lambda row: row["id"])
def test_every_name_that_dkron_takes_becomes_one_that_tocsin_takes(
    finish: Finish, row: dict[str, Any]
) -> None:
    """Accents go; two that fall together are told apart."""
    if not row["valid"]:
        return
    one = {"name": row["name"], "executor": "shell", "executor_config": {"command": "a"}}
    outcome = _import(finish, one, one)
    assert len(outcome.jobs) == 2
