"""Backups of a coordinator at work, and what becomes of its agents when one is restored."""

from __future__ import annotations

import json
import random  # noqa: TID251 - the seed is fixed, the moments are not
import resource
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fleet import TOCSIN, Fleet, free_ports, until
from tocsin.instants import SECOND_US, from_rfc3339

JOBS = 50
BACKUPS = 8
SECOND = "second"


def restored(fleet: Fleet, file: Path, *options: str, who: str = "") -> dict[str, Any]:
    """Restore a backup; what is said of it."""
    done = fleet.call("restore", str(file), "-o", "json", *options, who=who)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def backed_up(fleet: Fleet, file: Path, *options: str) -> Path:
    """Take a backup, and check it."""
    done = fleet.call("backup", str(file), *options)
    assert done.returncode == 0, done.stderr
    checked = fleet.call("backup", "--check", str(file))
    assert checked.returncode == 0, checked.stderr
    return file


def second_host(fleet: Fleet) -> int:
    """Prepare a place for another coordinator; its port."""
    ports = free_ports(2)
    config = fleet.home / SECOND / "config"
    config.mkdir(parents=True)
    (config / "coordinator.toml").write_text(
        f'bind = "127.0.0.1"\nport = {ports[0]}\nenrol_port = {ports[1]}\n'
    )
    return ports[0]


def start_second(fleet: Fleet) -> None:
    """Start the other coordinator, and let commands go to it from now on."""
    fleet.start(SECOND, "coordinator")
    fleet.operator = SECOND
    until(lambda: fleet.call("status").returncode == 0, "the second coordinator")


def redirect(fleet: Fleet, agent: str, port: int) -> None:
    """Let an agent serve the coordinator at another port from its next start on."""
    if agent in fleet.processes:
        assert fleet.stop(agent) == 0
    settings = fleet.home / agent / "config/agent.toml"
    lines = settings.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("endpoint")]
    settings.write_text("\n".join([f'endpoint = "tcp://127.0.0.1:{port}"', *kept]) + "\n")


def log(fleet: Fleet, who: str) -> str:
    """What a member has logged."""
    return (fleet.home / f"{who}.log").read_text()


@pytest.mark.timeout(240)
def test_backups_under_load_verify_and_cost_no_run(fleet: Fleet, tmp_path: Path) -> None:
    """Fifty runs a second; each backup is whole, and each due time has its one run afterwards."""
    fleet.join("one")
    fleet.start_agent("one")
    entry = '    schedule: "* * * * * *"\n    overlap: allow\n    scripted: {lines: 3}\n'
    fleet.apply("jobs:\n" + "".join(f"  job-{n}:\n{entry}" for n in range(JOBS)))
    until(fleet.runs, "the first runs")

    made = [backed_up(fleet, tmp_path / f"{number}.tar.gz") for number in range(BACKUPS)]

    names = [f"job-{n}" for n in range(JOBS)]
    assert fleet.call("job", "pause", *names).returncode == 0
    until(lambda: all(run["finished_at"] for run in fleet.runs()), "the runs to end")
    runs = [run for run in fleet.runs() if run["reason"] != "paused"]
    assert Counter(run["state"] for run in runs) == {"succeeded": len(runs)}
    for name in names:
        dues = sorted(from_rfc3339(run["due"]) for run in runs if run["job"] == name)
        assert dues == list(range(dues[0], dues[-1] + 1, SECOND_US))
    assert "store.failed" not in log(fleet, "coordinator")
    counts = [fleet.json("backup", "--check", str(file))["runs"] for file in made]
    assert counts == sorted(counts)
    assert 0 < counts[0] < counts[-1] <= len(runs)

    second_host(fleet)
    restored(fleet, made[-1], who=SECOND)
    start_second(fleet)
    assert fleet.json("status")["jobs"] == JOBS
    known = {run["id"]: run for run in runs}
    kept = [run for run in fleet.runs() if run["id"] in known]
    assert len(kept) == counts[-1]
    for run in kept:
        assert run["state"] == "lost" or run == known[run["id"]]


def test_what_agents_run_outlives_a_restore(fleet: Fleet, tmp_path: Path) -> None:
    """A run that the backup knows comes right; one that it does not know ends by itself."""
    fleet.join("one")
    fleet.start_agent("one")
    gate, witness = tmp_path / "gate", tmp_path / "witness"
    script = (
        f"echo $TOCSIN_JOB >> {witness}; while ! test -e {gate}; do sleep 0.1; done; "
        f"echo $TOCSIN_JOB ended >> {witness}"
    )
    fleet.apply(
        "jobs:\n"
        + "".join(
            f"  {name}:\n    on_lost: retry\n    shell: '{script}'\n"
            for name in ("known", "later", "over")
        )
    )
    (known,) = fleet.json("job", "run", "known")
    (over,) = fleet.json("job", "run", "over")
    both = {"known", "over"}
    until(lambda: witness.exists() and set(witness.read_text().split()) == both, "both runs")
    file = backed_up(fleet, tmp_path / "backup.tar.gz")
    fleet.call("run", "kill", over["id"])
    fleet.call("run", "wait", over["id"])
    (later,) = fleet.json("job", "run", "later")
    until(lambda: "later" in witness.read_text(), "the run after the backup")

    fleet.kill("coordinator")
    said = restored(fleet, file, "--replace")
    fleet.start_coordinator()
    fleet.until_agent("one", "up")

    assert fleet.json("status")["epoch"] == said["epoch"]
    until(lambda: fleet.runs("--job", "over")[0]["state"] == "lost", "what is not known")
    assert fleet.runs("--job", "known")[0]["state"] == "running"
    assert fleet.runs("--job", "later") == []
    gate.touch()
    assert fleet.call("run", "wait", known["id"]).returncode == 0
    until(lambda: "later ended" in witness.read_text(), "the unknown run to end by itself")
    lines = witness.read_text().splitlines()
    assert sorted(lines) == ["known", "known ended", "later", "later ended", "over"]
    acts = {entry["act"]: entry for entry in fleet.json("audit", "list")}
    assert acts["restore backup"]["subject"] == str(file)
    assert acts["leave attempts"]["detail"]["attempts"] == [f"{later['id']}.1"]
    assert "attempts.left_alone" in log(fleet, "coordinator")
    assert fleet.call("audit", "verify").returncode == 0
    assert [it["kind"] for it in fleet.json("status")["incidents"]][:1] == ["restore"]
    until(lambda: not fleet.json("agent", "show", "one")["runs"], "the agent to be idle")


def test_an_old_coordinator_is_refused_by_agents_that_heard_of_the_new_one(
    fleet: Fleet, tmp_path: Path
) -> None:
    """It was left alive; the agent that served the new one takes nothing from it any more."""
    fleet.join("one")
    fleet.start_agent("one")
    witness = tmp_path / "witness"
    fleet.apply(f"jobs: {{mark: {{shell: 'echo $TOCSIN_RUN_ID >> {witness}'}}}}")
    file = backed_up(fleet, tmp_path / "backup.tar.gz")
    port = second_host(fleet)
    restored(fleet, file, who=SECOND)
    start_second(fleet)
    redirect(fleet, "one", port)
    fleet.start_agent("one")
    (run,) = fleet.json("job", "run", "mark")
    assert fleet.call("run", "wait", run["id"]).returncode == 0

    fleet.operator = "coordinator"
    redirect(fleet, "one", fleet.ports[0])
    fleet.json("job", "run", "mark")
    fleet.start("one", "agent")

    until(lambda: "session.rejected" in log(fleet, "one"), "the agent to be refused")
    assert "is over" in log(fleet, "one").split("session.rejected")[1]
    assert witness.read_text().split() == [run["id"]]
    assert log(fleet, "coordinator").count("epoch.over") == 1


def test_a_handover_is_like_an_absence(fleet: Fleet, tmp_path: Path) -> None:
    """What was queued runs at the new place, and due times of the gap are for their policies."""
    fleet.join("one")
    witness = tmp_path / "witness"
    fleet.apply(
        "jobs:\n"
        "  tick:\n"
        '    schedule: "* * * * * *"\n'
        "    missed: {policy: all, within: 1h, limit: 1000}\n"
        "    overlap: allow\n"
        f"    shell: 'echo $TOCSIN_RUN_ID >> {witness}'\n"
        f"  asked: {{shell: 'echo $TOCSIN_RUN_ID >> {witness}'}}\n"
    )
    (asked,) = fleet.json("job", "run", "asked")
    until(lambda: fleet.runs("--job", "tick"), "the first due time")
    early = fleet.call("backup", "--handover", str(tmp_path / "early.tar.gz"))
    assert early.returncode == 2
    assert "a coordinator with pid" in early.stderr

    assert fleet.stop("coordinator") == 0
    file = backed_up(fleet, tmp_path / "backup.tar.gz", "--handover")
    refused = fleet.call("coordinator")
    assert refused.returncode == 2
    assert f"to {file}" in refused.stderr
    assert f"tocsin restore {file}" in refused.stderr
    time.sleep(2.0)  # the gap

    port = second_host(fleet)
    restored(fleet, file, who=SECOND)
    start_second(fleet)
    redirect(fleet, "one", port)
    fleet.start_agent("one")
    fleet.call("job", "pause", "tick")
    until(lambda: all(run["finished_at"] for run in fleet.runs()), "the runs to end")

    runs = [run for run in fleet.runs() if run["reason"] != "paused"]
    assert Counter(run["state"] for run in runs) == {"succeeded": len(runs)}
    assert asked["id"] in {run["id"] for run in runs}
    dues = sorted(from_rfc3339(run["due"]) for run in runs if run["job"] == "tick")
    assert dues == list(range(dues[0], dues[-1] + 1, SECOND_US))
    assert Counter(witness.read_text().split()) == Counter(run["id"] for run in runs)


def test_a_disk_that_is_full_leaves_nothing(fleet: Fleet, tmp_path: Path) -> None:
    """Neither half a backup nor half a restore, and it says so; the coordinator does not notice."""
    fleet.apply("jobs: {a: {schedule: '* * * * *', shell: 'true'}}")
    file = backed_up(fleet, tmp_path / "good.tar.gz")
    folder = tmp_path / "full"
    folder.mkdir()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    backup = fleet.call("backup", str(folder / "backup.tar.gz"), preexec_fn=limited)
    assert backup.returncode in {1, 2}
    assert "Traceback" not in backup.stderr
    assert list(folder.iterdir()) == []

    second_host(fleet)
    put_back = fleet.call("restore", str(file), who=SECOND, preexec_fn=limited)
    assert put_back.returncode in {1, 2}
    assert "Traceback" not in put_back.stderr
    data = fleet.home / SECOND / "data/coordinator"
    assert [path.name for path in data.iterdir()] == ["coordinator.lock"]
    restored(fleet, file, who=SECOND)
    assert fleet.json("status")["store"] == "ok"


@pytest.mark.timeout(240)
def test_kills_at_random_moments_leave_the_old_or_the_new(fleet: Fleet, tmp_path: Path) -> None:
    """Of backups and of restores."""
    dice = random.Random(6)
    fleet.apply("jobs: {a: {schedule: '* * * * *', shell: 'true'}}")
    file = backed_up(fleet, tmp_path / "backup.tar.gz")
    for _ in range(8):
        killed(fleet, "coordinator", dice.uniform(0.15, 0.6), "backup", str(file))
        assert fleet.call("backup", "--check", str(file)).returncode == 0

    assert fleet.stop("coordinator") == 0
    for _ in range(8):
        killed(fleet, "coordinator", dice.uniform(0.15, 0.6), "restore", str(file), "--replace")
        fleet.start_coordinator()
        assert fleet.json("status")["jobs"] == 1
        assert fleet.stop("coordinator") == 0
    restored(fleet, file, "--replace")
    fleet.start_coordinator()
    left = [path.name for path in (fleet.home / "coordinator/data/coordinator").iterdir()]
    assert not [name for name in left if name.startswith(".restoring")]


def killed(fleet: Fleet, who: str, after_s: float, *arguments: str) -> None:
    """Run a command, and kill it a while after its begin, if it still runs."""
    process = subprocess.Popen(
        [TOCSIN, *arguments],
        env=fleet.environ(who),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_s)  # the moments are the test
    process.send_signal(signal.SIGKILL)
    process.wait()
