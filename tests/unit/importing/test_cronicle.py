"""Events of Cronicle."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tocsin.errors import ConfigError
from tocsin.importing import Options, Source
from tocsin.importing.cronicle import import_cronicle
from tocsin.model import Choose, Dependency, DependencyOn, Job, MissedPolicy, Overlap, Retry

from .conftest import BERLIN, UTC, Finish, Outcome, fires

_SHELL = {"plugin": "shellplug", "params": {"script": "#!/bin/sh\n\necho hi\n"}}


def _event(**keys: Any) -> dict[str, Any]:
    return {
        "enabled": 1, "params": {}, "timing": {"minutes": [0]}, "max_children": 1, "timeout": 3600,
        "catch_up": 0, "plugin": "shellplug", "title": "An Event", "category": "general",
        "target": "allgrp", "algo": "random", "multiplex": 0, "stagger": 0, "retries": 0,
        "retry_delay": 0, "detached": 0, "queue": 0, "chain": "", "chain_error": "",
        "notify_success": "", "notify_fail": "", "web_hook": "", "cpu_limit": 0, "cpu_sustain": 0,
        "memory_limit": 0, "memory_sustain": 0, "log_max_size": 0, "notes": "", "id": "e1",
        "modified": 1, "created": 1, "username": "admin", "timezone": "UTC", **_SHELL, **keys,
    }  # fmt: skip


def _import(finish: Finish, *events: dict[str, Any], options: Options = UTC) -> Outcome:
    text = json.dumps({"code": 0, "rows": events, "list": {"length": len(events)}})
    return finish(import_cronicle([Source("schedule.json", text)], options))


def _job(finish: Finish, options: Options = UTC, **keys: Any) -> tuple[Job, list[str]]:
    outcome = _import(finish, _event(**keys), options=options)
    return outcome.job(), outcome.said()


def _export(finish: Finish, *events: dict[str, Any], **lists: list[dict[str, Any]]) -> Outcome:
    """As `control.sh export` writes it: a head, users, then lists page by page."""
    lines = [
        "# Cronicle Data Export v1.0", "# Hostname: h", "", 'users/admin - {"password":"$2a$10$x"}',
    ]  # fmt: skip
    for name, items in {**lists, "schedule": list(events)}.items():
        lines.append(f'global/{name} - {{"page_size":50,"first_page":0,"last_page":0}}')
        lines.append(f"global/{name}/0 - {json.dumps({'type': 'list_page', 'items': items})}")
    return finish(import_cronicle([Source("export.txt", "\n".join(lines) + "\n")], UTC))


_WHEN: list[tuple[dict[str, list[int]], list[str]]] = [
    ({"minutes": [0]}, ["2026-01-01 13:00", "2026-01-01 14:00", "2026-01-01 15:00"]),
    ({}, ["2026-01-01 12:31", "2026-01-01 12:32", "2026-01-01 12:33"]),
    ({"hours": [4, 16], "minutes": [30]},
     ["2026-01-01 16:30", "2026-01-02 04:30", "2026-01-02 16:30"]),
    ({"days": [1, 15], "weekdays": [1, 2, 3, 4, 5], "hours": [6], "minutes": [15]},
     ["2026-01-15 06:15", "2026-04-01 06:15", "2026-04-15 06:15"]),
    ({"weekdays": [0], "hours": [3], "minutes": [0]},
     ["2026-01-04 03:00", "2026-01-11 03:00", "2026-01-18 03:00"]),
    ({"years": [2027], "months": [3, 4, 5], "days": [1], "hours": [0], "minutes": [0]},
     ["2027-03-01 00:00", "2027-04-01 00:00", "2027-05-01 00:00"]),
    ({"years": [2020], "minutes": [0]}, []),
    ({"days": [31], "months": [2], "hours": [0], "minutes": [0]}, []),
    ({"minutes": [75]}, []),
    ({"minutes": list(range(60)), "hours": [13]},
     ["2026-01-01 13:00", "2026-01-01 13:01", "2026-01-01 13:02"]),
]  # fmt: skip


@pytest.mark.parametrize(("timing", "dues"), _WHEN)
def test_an_event_is_due_when_all_its_lists_hold(
    finish: Finish, timing: dict[str, list[int]], dues: list[str]
) -> None:
    """Days and weekdays both; what is left out is every one."""
    job, _ = _job(finish, timing=timing)
    assert fires(job, "2026-01-01T12:30:30Z", 3) == dues


def test_a_change_of_the_clock_is_followed_literally(finish: Finish) -> None:
    """Cronicle looks at the clock each minute: nothing in a gap, twice in an overlap."""
    timing = {"hours": [2], "minutes": [30]}
    job, said = _job(finish, timing=timing, timezone="Europe/Berlin")
    assert fires(job, "2026-03-28T00:00:00Z", 2) == ["2026-03-28 01:30", "2026-03-30 00:30"]
    assert fires(job, "2026-10-25T00:00:00Z", 2) == ["2026-10-25 00:30", "2026-10-25 01:30"]
    assert any("dst: literal" in line for line in said)
    both, _ = _job(
        finish, timing={**timing, "days": [25], "weekdays": [0]}, timezone="Europe/Berlin"
    )
    assert fires(both, "2026-10-25T00:00:00Z", 2) == ["2026-10-25 00:30", "2026-10-25 01:30"]
    servers, said = _job(finish, BERLIN, timezone=None)
    assert servers.timezone == "Europe/Berlin"
    assert any("taken for Europe/Berlin" in line for line in said)


@pytest.mark.parametrize("timing", [False, None, "x"])
def test_an_event_without_timing_runs_when_asked_to(finish: Finish, timing: object) -> None:
    """On demand, as Cronicle calls it."""
    job, _ = _job(finish, timing=timing)
    assert (job.schedule, job.enabled) == ([], True)


_POLICIES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"max_children": 1}, {"overlap": Overlap.SKIP}, ""),
    ({"max_children": 0}, {"overlap": Overlap.ALLOW}, ""),
    ({"max_children": 4}, {"overlap": Overlap.ALLOW}, "max_children 4"),
    ({"queue": 1, "queue_max": 7}, {"overlap": Overlap.QUEUE, "queue_limit": 7}, ""),
    ({"queue": 1}, {"overlap": Overlap.QUEUE, "queue_limit": 10_000}, ""),
    ({"catch_up": 1}, {"overlap": Overlap.QUEUE}, "catch_up"),
    ({"timeout": 0}, {"timeout_s": 86_400}, "events with timeout 0"),
    ({"timeout": "90"}, {"timeout_s": 90}, ""),
    ({"retries": 3, "retry_delay": 30},
     {"retry": Retry(limit=3, delay_s=30, backoff=1, max_delay_s=30, jitter=0, elsewhere=False)},
     "retries 3"),
    ({"enabled": 0}, {"enabled": False}, ""),
    ({"detached": 1}, {}, "detached"),
    ({"notify_fail": "a@b", "web_hook": "http://x"}, {}, "notify_fail a@b"),
    ({"web_hook": "http://x"}, {}, "web_hook http://x"),
    ({"memory_limit": 1024, "cpu_limit": 100}, {}, "memory_limit 1024"),
    ({"log_max_size": 5}, {}, "log_max_size 5"),
    ({"brand_new": [1, 2]}, {}, "key brand_new: [1, 2]"),
    ({"title": "Do X"}, {"name": "do-x", "description": "Do X"}, ""),
    ({"notes": "two\nlines"},
     {"labels": {"cronicle_id": "e1", "notes": "two\nlines", "category": "general"}}, ""),
    ({"timing": {"minutes": [0], "seconds": [1]}}, {}, "timing seconds"),
    ({"timing": {"minutes": "0"}}, {"schedule": ["* * * * *"]}, "timing minutes"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "fields", "doubt"), _POLICIES)
def test_a_key_is_carried_over_or_doubted(
    finish: Finish, keys: dict[str, Any], fields: dict[str, Any], doubt: str
) -> None:
    """Each by itself; the history of an event is left out, with one note."""
    job, said = _job(finish, **keys)
    assert {name: getattr(job, name) for name in fields} == fields
    assert not doubt or any(doubt in line for line in said)
    assert sum("created, modified" in line for line in said) == 1


def test_catching_up_runs_all_that_was_missed(finish: Finish) -> None:
    """As much of it as Tocsin takes; without it nothing is."""
    kept, _ = _job(finish, catch_up=1)
    assert (kept.missed.policy, kept.missed.limit) == (MissedPolicy.ALL, 1000)
    gone, _ = _job(finish)
    assert gone.missed.policy is MissedPolicy.SKIP


_TARGETS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"target": "allgrp"}, {}, ""),
    ({"target": "db1.example.org"}, {"tags": {"name": "db1.example.org"}}, "names of agents"),
    ({"target": "gabc123"}, {"tags": {"cronicle_group": "gabc123"}}, "target gabc123"),
    ({"target": "maingrp"}, {"tags": {"cronicle_group": "maingrp"}}, "target maingrp"),
    ({"target": "allgrp", "multiplex": 1, "stagger": 30}, {"agents": "all", "stagger_s": 30.0}, ""),
    ({"target": "allgrp", "algo": "multiplex"}, {"agents": "all"}, ""),
    ({"target": "allgrp", "algo": "least_cpu"}, {"choose": Choose.LEAST_BUSY}, "algo least_cpu"),
    ({"target": "allgrp", "algo": "prefer_first"}, {"choose": Choose.STICKY}, "prefer_first"),
    ({"target": "allgrp", "algo": "random"}, {"choose": Choose.RANDOM}, ""),
    ({"target": ""}, {}, "target: there is none"),
]


@pytest.mark.parametrize(("keys", "fields", "doubt"), _TARGETS)
def test_a_target_is_a_host_or_a_group(
    finish: Finish, keys: dict[str, Any], fields: dict[str, Any], doubt: str
) -> None:
    """Without the export nobody knows which hosts a group has."""
    job, said = _job(finish, **keys)
    expected = {"tags": {}, "agents": 1, **fields}
    assert {name: getattr(job.target, name) for name in expected} == expected
    assert not doubt or any(doubt in line for line in said)


_GROUPS: list[tuple[str, dict[str, Any]]] = [
    (".+", {}),
    ("^(web1|web2\\.example\\.org)$", {"name": ["web1", "web2.example.org"]}),
    ("^db1$", {"name": "db1"}),
    ("^web", {"name": "web*"}),
    ("\\.example\\.org$", {"name": "*.example.org"}),
    ("web", {"name": "*web*"}),
    ("^web\\d+$", {"cronicle_group": "g1"}),
]


@pytest.mark.parametrize(("regexp", "tags"), _GROUPS)
def test_a_group_of_the_export_is_a_pattern_of_names(
    finish: Finish, regexp: str, tags: dict[str, Any]
) -> None:
    """Where a glob says the same; else a tag that somebody must give."""
    groups = [{"id": "g1", "title": "Web", "regexp": regexp}]
    outcome = _export(finish, _event(target="g1"), server_groups=groups)
    assert outcome.job().target.tags == tags
    assert any("target g1" in said for said in outcome.said("an-event"))


def test_an_export_tells_hosts_categories_and_plugins(finish: Finish) -> None:
    """What is disabled there is disabled here; users and keys are counted and left out."""
    outcome = _export(
        finish,
        _event(target="box", category="c1", title="a"),
        _event(target="box", category="c2", title="b", id="e2"),
        servers=[{"hostname": "box", "ip": "::1"}],
        categories=[
            {"id": "c1", "title": "Data", "enabled": 1, "max_children": 3, "created": 1},
            {"id": "c2", "title": "Off", "enabled": 0},
        ],
        plugins=[{"id": "shellplug", "enabled": 1, "params": [{"id": "annotate", "value": 1}]}],
        api_keys=[{"key": "s3cret"}],
    )
    assert outcome.jobs["a"].target.tags == {"name": "box"}
    assert outcome.jobs["a"].labels["category"] == "Data"
    assert (outcome.jobs["a"].enabled, outcome.jobs["b"].enabled) == (True, False)
    assert any('its {"max_children": 3} is left out' in said for said in outcome.said("a"))
    assert any("annotate" in said for said in outcome.said("a"))
    assert any("1 records users" in said for said in outcome.said())
    assert any("1 records api_keys" in said for said in outcome.said())
    assert "s3cret" not in outcome.text + "".join(outcome.said())


_INTERPRETERS = [
    ("#!/bin/sh\necho a $0\n", "a sh\n"),
    ("#!/bin/bash -e\nfalse\necho no\n", ""),
    ("#!/usr/bin/env python3\nprint(1 + 1)\n", "2\n"),
    ("#!/usr/bin/env -S python3 -s\r\nprint(1 + 1)\r\n", "2\n"),
    ("#!/usr/bin/awk -f\nBEGIN { print 3 }\n", "3\n"),
    ("#!/usr/bin/perl -l\nprint 1 + 3;\n", "4\n"),
    ("echo bare\n", "bare\n"),
    ("#!/bin/sh\n#" + "x" * 120_000 + "\necho long\n", "long\n"),
]


@pytest.mark.parametrize(("script", "output"), _INTERPRETERS)
def test_a_script_is_run_by_its_own_interpreter(finish: Finish, script: str, output: str) -> None:
    """With the options of its first line, however long it is."""
    job, _ = _job(finish, params={"script": script, "annotate": 0, "json": 0})
    argv = job.config.get("argv") or ["sh", "-c", job.config["command"]]
    done = subprocess.run(
        argv, input=job.config.get("stdin", ""), stdout=subprocess.PIPE, check=False, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.stdout.replace("/bin/sh", "sh") == output


def test_what_a_script_had_from_cronicle_is_doubted(finish: Finish) -> None:
    """Its variables, its JSON, its time stamps."""
    params = {"script": "#!/bin/sh\necho $JOB_ID", "annotate": 1, "json": 1, "extra": "x"}
    _, said = _job(finish, params=params)
    for doubt in ("JOB_ID", "annotate", "lost: json", "params extra", "shell scripts"):
        assert any(doubt in line for line in said), doubt


def test_a_test_event_is_a_scripted_job(finish: Finish) -> None:
    """It does here what it does there."""
    params = {"duration": "5", "action": "Failure", "progress": 1, "secret": "x", "burn": 1}
    job, said = _job(finish, plugin="testplug", params=params)
    assert job.executor == "scripted"
    assert (job.config["run_for"], job.config["exit_code"]) == (5, 1)
    assert any("params burn" in line for line in said)
    crash, _ = _job(finish, plugin="testplug", params={"duration": 1, "action": "Crash"})
    assert crash.config["crash"]


def test_a_request_means_what_it_meant(finish: Finish) -> None:
    """Success by status and patterns, redirects only where it follows them."""
    params = {
        "method": "post", "url": "https://x/{{ a.b }}", "headers": "A: b\r\n", "data": "d",
        "timeout": "30", "follow": 1, "ssl_cert_bypass": 1, "success_match": "^ok",
        "error_match": "no{2}",
    }  # fmt: skip
    job, _ = _job(finish, plugin="urlplug", params=params, timeout=3600)
    assert job.config == {
        "method": "POST", "url": "https://x/\\{{ a.b }}", "headers": {"A": "b"}, "body": "d",
        "verify": False, "redirects": 32,
        "expect": {"status": "200-399", "body": "(?-m:^ok)", "json": {}},
    }  # fmt: skip
    assert job.timeout_s == 30
    assert job.expect is not None
    assert job.expect.not_match == "no{2}"
    plain, _ = _job(finish, plugin="urlplug", params={"url": "http://x", "timeout": 0})
    assert (plain.config["method"], plain.config["redirects"]) == ("GET", False)


def test_what_differs_in_a_request_is_doubted(finish: Finish) -> None:
    """Placeholders, a body that is not sent, timeouts of parts."""
    params = {
        "method": "PUT", "url": "https://x/[id]", "headers": "A: b\nbad\nContent-Length: 3\n",
        "data": "d", "what": 1, "idle_timeout": 3, "connect_timeout": 4, "timeout": 7,
    }  # fmt: skip
    job, said = _job(finish, plugin="urlplug", params=params)
    assert "body" not in job.config
    doubts = (
        "'bad'", "params what", "placeholders", "Cronicle sends none with PUT", "timeout 7",
        "params idle_timeout", "params connect_timeout", "header Content-Length",
    )  # fmt: skip
    for doubt in doubts:
        assert any(doubt in line for line in said), doubt


def test_another_plugin_is_held_with_its_command(finish: Finish) -> None:
    """And with what it would read."""
    plugins = [{"id": "p1", "enabled": 1, "command": "/opt/p.js", "cwd": "/opt", "uid": "joe",
                "params": [{"id": "db", "value": "main"}]}]  # fmt: skip
    outcome = _export(finish, _event(plugin="p1", params={"x": 1}), plugins=plugins)
    assert outcome.held == {"an-event": "its plugin p1 is Cronicle's own"}
    assert "command: /opt/p.js" in outcome.text
    assert '"db": "main", "x": 1' in outcome.text
    assert any("plugin uid" in said for said in outcome.said("an-event"))


def test_a_chain_is_after_the_other_job(finish: Finish) -> None:
    """On success, on failure, or at any end; a disabled event is started all the same."""
    outcome = _import(
        finish,
        _event(title="a", id="a", chain="b", chain_error="c"),
        _event(title="b", id="b", timing=False, chain="d", chain_error="d"),
        _event(title="c", id="c", enabled=0),
        _event(title="d", id="d", timing=None, chain="gone"),
    )
    after = {name: job.after for name, job in outcome.jobs.items()}
    assert after == {
        "a": [],
        "b": [Dependency(job="a")],
        "c": [Dependency(job="a", on=DependencyOn.FAILURE)],
        "d": [Dependency(job="b", on=DependencyOn.ANY)],
    }
    assert (outcome.jobs["c"].enabled, outcome.jobs["c"].schedule) == (True, [])
    assert any("although it is disabled" in said for said in outcome.said("c"))
    assert any("chain to gone" in said for said in outcome.said("d"))


def test_an_event_that_is_started_in_several_ways_is_several_jobs(finish: Finish) -> None:
    """Any of them is enough in Cronicle, while `after` asks for all."""
    outcome = _import(
        finish,
        _event(title="a", id="a", chain="c"),
        _event(title="b", id="b", chain="c"),
        _event(title="c", id="c"),
    )
    assert list(outcome.jobs) == ["a", "b", "c", "c-after-a", "c-after-b"]
    assert outcome.jobs["c"].schedule == ["0 * * * *"]
    assert outcome.jobs["c-after-b"].after == [Dependency(job="b")]
    assert outcome.jobs["c-after-b"].schedule == []
    assert any("second job" in said for said in outcome.said("c-after-a"))


def test_a_host_and_a_disabled_plugin_count_for_every_event(finish: Finish) -> None:
    """--host goes before the target; a plugin that is disabled runs nothing."""
    job, _ = _job(finish, Options(host="web1", prefix="web1/"), target="other.example.org")
    assert (job.name, job.target.tags) == ("web1/an-event", {"name": "web1"})
    outcome = _export(finish, _event(), plugins=[{"id": "shellplug", "enabled": 0}])
    assert not outcome.job().enabled


def test_a_single_event_and_a_list_are_taken(finish: Finish) -> None:
    """The answer of get_event, an event, and an array of them."""
    event = _event()
    for value in ({"code": 0, "event": event}, event, [event]):
        outcome = finish(import_cronicle([Source("x", json.dumps(value))], UTC))
        assert list(outcome.jobs) == ["an-event"]


_BAD = [
    ("hello\n", "x:1: this is no record"),
    ('# c\n\nglobal/schedule/0 - {"items": [}\n', "x:3: not JSON"),
    ('global/schedule/0 - {"items": [3]}\n', "x:1: an item of schedule is no object"),
    ('{"code": "session", "description": "No such key"}', "x: Cronicle answered with an error: No"),
    ('{"a": 1}', "x: this holds no events of Cronicle"),
    ('{"rows": [{"id": "x"}]}', "x: item 1 is no event of Cronicle"),
    ('[\n{"id": }]', "x:2: not JSON"),
    ("{", "x:1: not JSON"),
]


@pytest.mark.parametrize(("text", "words"), _BAD)
def test_what_is_no_export_is_an_error(text: str, words: str) -> None:
    """With the line, or the number of the item."""
    with pytest.raises(ConfigError) as caught:
        import_cronicle([Source("x", text)], UTC)
    assert caught.value.message.startswith(words)
