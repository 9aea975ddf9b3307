"""Any input is imported or refused with an error for people; the file can always be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tocsin.errors import ConfigError
from tocsin.importing import Draft, Imported, Options, Place, Source, import_shape, settle, to_yaml
from tocsin.importing.cronicle import import_cronicle
from tocsin.importing.crontab import CrontabOptions, import_crontabs
from tocsin.importing.dkron import import_dkron
from tocsin.importing.systemd import import_units
from tocsin.jobfile import read_job_files
from tocsin.jobfile.yaml_text import read_yaml

from .conftest import EXECUTORS, Finish

_OPTIONS = Options(timezone="Europe/Berlin")
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def _assert_readable(take: Callable[[], Imported]) -> None:
    """The file is read by the reader of job files, and has just the jobs that are not held."""
    try:
        imported = settle(take(), EXECUTORS)
    except ConfigError:
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.yaml")
        path.write_text(to_yaml(imported, "any\nthing"), newline="")
        jobs = read_job_files([path], EXECUTORS).jobs
    assert [job.name for job in jobs] == [one.name for one in imported.drafts if not one.held]
    json.dumps(import_shape(imported))


_CRON_WORDS = st.sampled_from(
    ["*", "*/5", "1-5", "mon", "0", "~", "5~9", "@daily", "@reboot", "root", "A=b", "%", "\\%",
     "#", "-", "7", "1,2", "\t", "SHELL=/bin/zsh", "CRON_TZ=X", "\r", "\x1b", "'", '"', "=", "ü"]
)  # fmt: skip
_LINES = st.lists(_CRON_WORDS | st.text(max_size=5), max_size=9).map(" ".join)


@given(
    st.lists(_LINES | st.text(max_size=30), max_size=8).map("\n".join),
    st.none() | st.booleans(),
)
def test_any_text_as_a_crontab(text: str, system: bool | None) -> None:  # noqa: FBT001 - drawn
    """Lines of what crontabs are made of, and others."""
    source = Source("tab", text)
    _assert_readable(lambda: import_crontabs([source], _OPTIONS, CrontabOptions(system)))


_DKRON_KEYS = (
    "name", "schedule", "timezone", "tags", "metadata", "executor_config", "processors", "retries",
    "parent_job", "concurrency", "ephemeral", "disabled", "starts_at", "expires_at", "owner",
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(_DKRON_KEYS), _VALUES, max_size=6),
    st.sampled_from(["shell", "http", "nats", ""]),
    st.dictionaries(
        st.sampled_from(
            [
                "command",
                "shell",
                "env",
                "payload",
                "timeout",
                "su",
                "headers",
                "url",
                "method",
                "expectCode",
                "tlsRootCAsFile",
                "subject",
            ]
        ),
        st.text(max_size=12),
    ),
)
def test_any_keys_as_a_job_of_dkron(
    keys: dict[str, Any], executor: str, config: dict[str, str]
) -> None:
    """Of the wrong kind, too large, empty."""
    document = {"name": "j", "executor": executor, "executor_config": config, **keys}
    try:
        text = json.dumps([document, {**document, "name": "k"}], allow_nan=False)
    except ValueError:
        text = "[NaN]"
    _assert_readable(lambda: import_dkron([Source("x", text)], _OPTIONS))


_EVENT_KEYS = (
    "title", "timing", "timezone", "target", "algo", "multiplex", "stagger", "max_children",
    "queue", "queue_max", "catch_up", "timeout", "retries", "retry_delay", "chain",
    "chain_error", "notes", "category", "enabled", "params", "cpu_limit", "notify_fail", "id",
)  # fmt: skip
_TIMINGS = st.dictionaries(
    st.sampled_from(["years", "months", "days", "weekdays", "hours", "minutes"]),
    st.lists(st.integers(-1, 60) | st.integers(2020, 2040), max_size=4),
)


@given(
    st.dictionaries(st.sampled_from(_EVENT_KEYS), _VALUES, max_size=6),
    st.sampled_from(["shellplug", "urlplug", "testplug", "x"]),
    _TIMINGS,
    st.text(max_size=12),
)
def test_any_keys_as_an_event_of_cronicle(
    keys: dict[str, Any], plugin: str, timing: dict[str, list[int]], script: str
) -> None:
    """Of the wrong kind, too large, empty; timings of any numbers."""
    event = {"plugin": plugin, "timing": timing, "params": {"script": script}, "id": "a", **keys}
    try:
        text = json.dumps({"rows": [event, {**event, "chain": "a"}]}, allow_nan=False)
    except ValueError:
        text = "[NaN]"
    _assert_readable(lambda: import_cronicle([Source("x", text)], _OPTIONS))


_SETTINGS = st.sampled_from(
    ["OnCalendar=", "OnUnitActiveSec=", "RandomizedDelaySec=", "Unit=", "Persistent=", "ExecStart=",
     "ExecStartPre=-", "Environment=", "EnvironmentFile=", "WorkingDirectory=", "User=", "Type=",
     "TimeoutStartSec=", "TimeoutStopSec=", "SuccessExitStatus=", "Restart=", "[Service]",
     "[Timer]", "# ", "X="]
)  # fmt: skip
_UNIT_VALUES = st.sampled_from(
    ["", "daily", "Mon *-*-* 1:2", "5min", "infinity", "/bin/a $B ${C} 'd e'", "%i%%n%H", "yes",
     "'", "a=b", "0", "\\", "-/x", "oneshot", "99999999d"]
)  # fmt: skip
_UNIT_TEXTS = st.lists(
    st.tuples(_SETTINGS, _UNIT_VALUES | st.text(max_size=10)).map("".join), max_size=8
).map("\n".join)


@given(_UNIT_TEXTS, _UNIT_TEXTS)
def test_any_settings_as_units_of_systemd(timer: str, service: str) -> None:
    """Of the wrong kind, in the wrong section."""
    sources = [
        Source("/x/a.timer", f"[Timer]\n{timer}"),
        Source("/x/a.service", f"[Service]\n{service}"),
    ]
    _assert_readable(lambda: import_units(sources, _OPTIONS))


@given(st.text(max_size=40), st.text(max_size=40), st.booleans())
@example(text="\n0", comment="", is_held=True)
@example(text="x\n\ny", comment="", is_held=True)
def test_any_text_in_a_job_comes_back_from_the_file(
    text: str,
    comment: str,
    is_held: bool,  # noqa: FBT001 - drawn
) -> None:
    """Line breaks at its end, blanks, control characters; comments stay comments.

    What is held comes back as it was when the comment signs are taken away.
    """
    block = {"shell": {"argv": ["a"], "stdin": text}}
    draft = Draft(name="j", place=Place(), block=block, comments=[comment])
    draft.held = "for this test" * is_held
    last = Draft(name="k", place=Place(), block=block)
    written = to_yaml(Imported(drafts=[draft, last], doubts=[], comments=[comment]), comment)
    if is_held:
        _, _, below = written.partition("\njobs:\n")
        start = below.index("  # j:")
        held, rest = below[start:].split("\n  k:", 1)
        signless = "\n".join(line.replace("# ", "", 1) for line in held.split("\n"))
        written = f"jobs:\n{signless}\n  k:{rest}"
    assert read_yaml(written).value == {"jobs": {"j": block, "k": block}}


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\n\n", " \n", "\n "])
def test_the_end_of_a_text_is_kept(finish: Finish, end: str) -> None:
    """Also where the text ends the file, and where a comment follows."""
    block = {"shell": {"command": "a", "stdin": f"x\ny{end}"}}
    drafts = [Draft(name=name, place=Place("f", 1), block=block) for name in "jk"]
    for comments in ([], ["z"]):
        outcome = finish(Imported(drafts=drafts, doubts=[], comments=comments))
        assert [job.config["stdin"] for job in outcome.jobs.values()] == [f"x\ny{end}"] * 2
