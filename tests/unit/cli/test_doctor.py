"""What the doctor makes of what it sees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tocsin.agent.machine.state import Phase, Standing
from tocsin.agent.summary import in_one_line as of_agent
from tocsin.cli.doctor import links, services
from tocsin.cli.doctor.files import (
    OTHERS,
    OTHERS_WRITE,
    check_handover,
    check_path,
    judge_room,
)
from tocsin.cli.doctor.finding import Finding, Verdict
from tocsin.cli.doctor.machine import check_zones
from tocsin.cli.systemctl import Unit
from tocsin.coordinator.backup.handover import Handover, note_handover
from tocsin.execution import Offer
from tocsin.instants import SECOND_US
from tocsin.model import Agent, AgentState

OK, WARNING, FAULT = Verdict.OK, Verdict.WARNING, Verdict.FAULT
GOOD = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running",
        "UnitFileState": "enabled", "NRestarts": "0", "KillMode": "process"}  # fmt: skip


def seen(found: Finding) -> tuple[Verdict, str]:
    """How bad it is, and what would mend it."""
    assert bool(found.mend) == (found.verdict is not OK), found
    return found.verdict, found.mend


@pytest.mark.parametrize(
    ("shown", "verdict", "mend"),
    [
        ({}, OK, ""),
        ({"UnitFileState": "masked"}, FAULT, "systemctl unmask a.service"),
        ({"ActiveState": "failed", "Result": "watchdog"}, FAULT, "journalctl -u a.service"),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, FAULT, "journalctl"),
        ({"ActiveState": "activating", "NRestarts": "3"}, FAULT, "journalctl"),
        ({"ActiveState": "inactive"}, FAULT, "systemctl enable --now a.service"),
        ({"UnitFileState": "disabled"}, WARNING, "systemctl enable a.service"),
        ({"NRestarts": "9"}, WARNING, "journalctl"),
    ],
)
def test_a_unit(shown: Mapping[str, str], verdict: Verdict, mend: str) -> None:
    """That is meant to run, now and after a boot."""
    found = services.judge_unit("x", Unit("a.service", {**GOOD, **shown}))
    assert (found.verdict, mend in found.mend) == (verdict, True)


def test_a_unit_that_does_not_run_is_shown_with_what_it_said() -> None:
    """The cause is in its log, which nobody should have to look for."""
    found = services.judge_unit("x", Unit("a.service", {**GOOD, "ActiveState": "failed"}))
    told = services.with_log(found, ["the database has schema 9", "start a newer tocsin"])
    assert told.said.endswith("it said last: the database has schema 9 start a newer tocsin")
    assert services.with_log(found, []) == found


@pytest.mark.parametrize(
    ("text", "unit", "verdict"),
    [
        ("0::/system.slice/a.service\n", "a.service", OK),
        ("1:name=systemd:/system.slice/a.service\n0::/\n", "a.service", OK),
        ("0::/tocsin.slice/tocsin-jobs.slice/a.service\n", "a.service", FAULT),
        ("0::/user.slice/user-0.slice/session-3.scope\n", "a.service", WARNING),
        ("0::/user.slice/user-1.slice/session-3.scope\n", "", WARNING),
        ("0::/system.slice/b.service\n", "a.service", FAULT),
        ("0::/\n", "", OK),
        ("", "a.service", FAULT),
    ],
)
def test_a_cgroup(text: str, unit: str, verdict: Verdict) -> None:
    """A daemon has to be in that of its unit, and never among the runs."""
    assert seen(services.judge_cgroup("agent", text, unit))[0] is verdict


@pytest.mark.parametrize(("mode", "has_units", "count"), [
    ("process", False, 0), ("control-group", True, 0), ("control-group", False, 1),
])  # fmt: skip
def test_a_kill_mode(mode: str, has_units: bool, count: int) -> None:  # noqa: FBT001 - a table
    """What ends the agent must not end its runs."""
    unit = Unit("a.service", {**GOOD, "KillMode": mode})
    assert len(list(services.judge_kill_mode(unit, has_units=has_units))) == count


@pytest.mark.parametrize(("soft", "verdict"), [
    ("1023", WARNING), ("1024", OK), ("unlimited", OK),
])  # fmt: skip
def test_descriptors(soft: str, verdict: Verdict) -> None:
    """As /proc/PID/limits has them."""
    text = f"Limit  Soft Limit  Hard Limit  Units\nMax open files  {soft}  4096  files\n"
    assert seen(services.judge_files("agent", text, services.FILES_MIN["agent"]))[0] is verdict


def test_credentials_of_a_unit() -> None:
    """Those with a path have to be there; an empty line takes back those before it."""
    text = "[Service]\nLoadCredential=a\nLoadCredential=b:/b\nLoadCredentialEncrypted=c:/c\n"
    assert services.credentials_in(text) == {"b": "/b", "c": "/c"}
    assert services.credentials_in(text + "LoadCredential=\nLoadCredential=d:/d\n") == {
        "c": "/c", "d": "/d"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("free_bytes", "free_files", "verdict"),
    [(1 << 40, None, OK), (1 << 40, 10**6, OK), (1 << 40, 5, FAULT),
     (100 << 20, None, WARNING), (1 << 20, None, FAULT)],
)  # fmt: skip
def test_room_on_a_disk(free_bytes: int, free_files: int | None, verdict: Verdict) -> None:
    """For bytes, and for files."""
    assert seen(judge_room("x", "/d", free_bytes, free_files))[0] is verdict


@pytest.mark.parametrize(
    ("theirs_us", "verdict"),
    [(0, OK), (10 * SECOND_US, OK), (15 * SECOND_US, OK), (-6 * SECOND_US, WARNING),
     (17 * SECOND_US, WARNING), (80 * SECOND_US, FAULT)],
)  # fmt: skip
def test_a_clock(theirs_us: int, verdict: Verdict) -> None:
    """Read between two looks at ours, at 0 s and 10 s: it can be anywhere in between."""
    assert seen(links.judge_skew(theirs_us, 0, 10 * SECOND_US))[0] is verdict


def agent(name: str, **changes: Any) -> Agent:
    """An agent that is well."""
    fields: dict[str, Any] = {"id": name, "key": name, "name": name, "state": AgentState.UP,
                              "version": "1"}  # fmt: skip
    return Agent(**{**fields, **changes})


def test_versions() -> None:
    """Those of all that count."""
    fleet = [agent("a"), agent("b", version="0.9", state=AgentState.REVOKED)]
    assert links.judge_versions("1", "1", fleet).verdict is OK
    assert links.judge_versions("1", "2", []).verdict is WARNING
    old = links.judge_versions("1", "1", [*fleet, agent("c", version="0.9")])
    assert (old.verdict, "c is 0.9" in old.said) == (WARNING, True)


def test_agents_that_are_not_there() -> None:
    """One line for each reason, with the first names."""
    down = [agent(f"d{n}", state=AgentState.DOWN) for n in range(7)]
    found = list(links.judge_agents([agent("a"), *down, agent("p", state=AgentState.PENDING)]))
    assert [it.verdict for it in found] == [WARNING, FAULT, OK]
    assert found[1].said == "d0, d1, d2, d3, d4 and 2 more: not connected"
    assert found[2].said == "1 of 9 connected"


def test_executors_that_do_not_work() -> None:
    """Together where the reason is the same."""
    bad = Offer("nats", "", available=False, message="pip install")
    fleet = [agent("a", offers=[bad]), agent("b", offers=[bad, Offer("shell")])]
    (found,) = links.judge_executors(fleet)
    assert (found.verdict, found.said) == (WARNING, "nats does not work on a, b: pip install")
    assert [it.verdict for it in links.judge_executors([agent("c", offers=[Offer("shell")])])] == [
        OK
    ]


def test_a_host_that_is_connected_with_our_key() -> None:
    """It says its own name."""
    ours = agent("a", tags={"host": "web1"})
    assert list(links.judge_identity([ours], "web1")) == []
    (found,) = links.judge_identity([ours], "web2")
    assert (found.verdict, "web1 is connected as a" in found.said) == (FAULT, True)


def test_a_path(tmp_path: Path) -> None:
    """Whose it is, and who else may use it; the mend is a command."""
    path = tmp_path / "key"
    uid = tmp_path.stat().st_uid
    assert [it.said for it in check_path("x", path, (uid,), OTHERS)] == [f"{path} is missing"]
    path.touch(mode=0o600)
    assert [it.verdict for it in check_path("x", path, (uid,), OTHERS)] == [OK]
    path.chmod(0o664)
    (found,) = check_path("x", path, (uid,), OTHERS)
    assert found.mend == f"chmod 0600 {path}"
    (found,) = check_path("x", path, (uid,), OTHERS_WRITE)
    assert found.mend == f"chmod 0644 {path}"
    (found,) = check_path("x", path, (uid + 1,), 0)
    assert found.mend.startswith("chown -R ")


def test_a_directory_that_was_handed_over(tmp_path: Path) -> None:
    """No coordinator starts there; it says how it is taken back."""
    assert list(check_handover("x", tmp_path)) == []
    gone = Handover(id="1", at_us=0, file="/vault/tocsin.tar.gz", complete=True)
    note_handover(tmp_path, gone, None)

    (found,) = check_handover("x", tmp_path)
    assert found.verdict is FAULT
    assert "tocsin restore /vault/tocsin.tar.gz" in found.mend


def test_time_zone_data_of_this_host() -> None:
    """There is some, else these tests would not run."""
    assert [it.verdict for it in check_zones()] == [OK]


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing(Phase.UP, 1, [], draining=False), "connected to c1:7370, 1 run"),
        (Standing(Phase.UP, 3, ["nats", "x"], draining=False),
         "connected to c1:7370, 3 runs, 2 executors broken: nats, x"),
        (Standing(Phase.DOWN, 0, [], draining=True),
         "not connected to c1:7370, 0 runs, ending when its runs are over"),
        (Standing(Phase.REJECTED, 0, [], draining=False), "turned away by c1:7370, 0 runs"),
    ],
)  # fmt: skip
def test_an_agent_in_one_line(standing: Standing, said: str) -> None:
    """As `systemctl status` shows it."""
    assert of_agent(standing, "tcp://c1:7370") == said
