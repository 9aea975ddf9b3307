"""A coordinator and an agent under systemd, as their packages install them."""

from __future__ import annotations

from typing import Final

from tests.fleet import until

from .fleet import RUNS, Fleet

HOST: Final = "tocsin.executors.host shell"


def test_fifty_runs_outlive_everybody(fleet: Fleet) -> None:
    """Fifty in flight: the agent is restarted and killed, its host too, systemd begins anew.

    Each run happens once, and ends as it would have without all that; none is lost.
    """
    witness = fleet.machine.path("/root/witness")
    line = "echo $TOCSIN_RUN_ID >> /root/witness; sleep 25; echo done $TOCSIN_RUN_ID"
    fleet.apply("long", shell={"command": line, "unit": True})
    fleet.machine.run(
        "sh",
        "-c",
        f"for n in $(seq {RUNS}); do tocsin job run long & done; wait",
    )
    until(lambda: fleet.states("long")["running"] == RUNS, "all of them")
    run = fleet.machine.run
    run("systemctl", "restart", "tocsin-agent")
    run("systemctl", "daemon-reload")
    run("systemctl", "kill", "--signal=KILL", "--kill-who=main", "tocsin-agent")
    run("systemctl", "daemon-reexec")
    until(lambda: fleet.tell("agent", "list")[0]["state"] == "up", "the agent")
    run("pkill", "-KILL", "-f", HOST)
    until(lambda: fleet.states("long") == {"succeeded": RUNS}, "all runs to end", 120)
    ids = [one["id"] for one in fleet.runs("long")]
    assert sorted(witness.read_text(encoding="ascii").split()) == sorted(ids)
    assert {fleet.call("run", "logs", it) for it in ids[::5]} == {f"done {it}\n" for it in ids[::5]}
    left = "systemctl list-units --all --no-legend 'tocsin-run-*'"
    until(lambda: run("sh", "-c", left).stdout == "", "the units to be forgotten")


def test_a_job_of_another_user_within_limits(fleet: Fleet) -> None:
    """`run_as` and `limits` of a job reach its process, and its record says what holds."""
    fleet.apply(
        "other",
        run_as="nobody:daemon",
        limits={"memory": "64M", "cpu": "50%", "tasks": 32},
        shell='id -un; id -gn; systemctl show "$(ps -o unit= $$)" --property=MemoryMax,TasksMax',
    )
    shown = fleet.run("other")
    assert shown["state"] == "succeeded"
    said = fleet.call("run", "logs", shown["id"]).split()
    assert said == ["nobody", "daemon", "MemoryMax=67108864", "TasksMax=32"]


def test_a_gigabyte_of_output(fleet: Fleet) -> None:
    """The job is not held up, and its beginning and its end are kept."""
    fleet.apply(
        "flood", shell="echo begin; head -c 1G /dev/zero; echo end", output={"keep": "64KiB"}
    )
    shown = fleet.run("flood")
    assert shown["state"] == "succeeded"
    said = fleet.call("run", "logs", shown["id"])
    assert said.startswith("begin\n\0")
    assert said.endswith("\0end\n")
    assert len(said) == shown["output_bytes"] == 64 << 10
