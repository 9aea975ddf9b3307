"""What one fire costs the coordinator's machine: from its due time to the order for an agent.

No store and no socket: a machine, agents that are connected, and jobs that are due together. The
processor time of every step from `Tick` to `Dispatch` is divided by the fires.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from itertools import count
from typing import Any, Final

import msgspec

from tocsin.coordinator.machine.commands import FetchDue, Send
from tocsin.coordinator.machine.events import AgentHello, JobsDue, Tick
from tocsin.coordinator.machine.machine import Machine, Stored
from tocsin.coordinator.machine.state import Policy
from tocsin.instants import SECOND_US, Now
from tocsin.messages import PROTOCOL_VERSION
from tocsin.messages.agent_link import Dispatch, Hello
from tocsin.model import Agent, Job, JobRow, Missed, Retry, Target
from tocsin.schedule import parse

from .harness import Size
from .report import Goal, Result

START_US: Final = 1_767_225_600 * SECOND_US
AGENTS: Final = 10
PLAIN: Final[dict[str, Any]] = {"schedule": ["* * * * *"]}
LADEN: Final[dict[str, Any]] = {
    "schedule": ["*/5 8-18 * * 1-5", "H 0 * * *"],
    "timezone": "Europe/Berlin",
    "missed": Missed(within_s=3600),
    "retry": Retry(limit=3),
    "labels": {"team": "data"},
    "env": {"PGHOST": "db1", "PGUSER": "backup"},
    "target": Target(tags={"role": "db", "dc": ["eu-*", "us-1"]}),
    "priority": 5,
}


def run(size: Size) -> Result:
    """Rounds of a herd of plain jobs, of one with policies, and of the bare arithmetic."""
    jobs, rounds = size.pick(100, 5_000, 20_000), size.pick(1, 3, 7)
    plain, laden, bare = [], [], []
    for _ in range(rounds):
        plain.append(_fires_us(jobs, PLAIN))
        laden.append(_fires_us(jobs, LADEN))
        bare.append(_bare_us(jobs))
    ours = {"plain_us": statistics.median(plain), "policies_us": statistics.median(laden)}
    limit_us = statistics.median(bare)
    return Result(
        ours,
        {"us": limit_us, "what": "the next due time, and one record encoded, for each"},
        {key: value / limit_us for key, value in ours.items()},
        [
            Goal("deciding a fire, CPU µs", ours["plain_us"], 50),
            Goal("deciding a fire with many policies, CPU µs", ours["policies_us"], 50),
        ],
        "microseconds of processor time for each fire",
    )


def _fires_us(jobs: int, fields: dict[str, Any]) -> float:
    ids = count()
    machine = Machine(
        epoch=1,
        policy=Policy(),
        new_id=lambda: f"{next(ids):026}",
        chance=random.Random(1),
    )
    rows = _rows(jobs, fields)
    due = [(row.next_due_us, row.id) for row in rows.values() if row.next_due_us is not None]
    before = Now(START_US, 0)
    machine.restore(Stored(due=sorted(due), next_job_id=jobs + 1), before)
    for number in range(AGENTS):
        machine.handle(_hello(number, slots=jobs), before)
    at = Now(due[0][0], before.steady_us)
    orders = 0
    gc.collect()
    gc.disable()
    began_s = time.process_time()
    while orders < jobs:
        commands = machine.handle(Tick(), at)
        for command in [one for one in commands if isinstance(one, FetchDue)]:
            asked = [(due_us, rows[job_id]) for due_us, job_id in command.due]
            for sent in machine.handle(JobsDue([*asked]), at):
                if isinstance(sent, Send) and isinstance(sent.message, Dispatch):
                    orders += len(sent.message.orders)
    took_s = time.process_time() - began_s
    gc.enable()
    return took_s * 1e6 / jobs


def _rows(jobs: int, fields: dict[str, Any]) -> dict[int, JobRow]:
    """Jobs with one due time, each with a schedule object that was parsed before."""
    rows = {}
    for number in range(1, jobs + 1):
        job = Job(name=f"job-{number}", executor="shell", config={"command": "true"}, **fields)
        schedules = [
            parse(text, job.timezone, key=job.name).next_us(START_US) for text in job.schedule
        ]
        due_us = schedules[0]
        rows[number] = JobRow(id=number, job=job, version=1, next_due_us=due_us)
    return rows


def _hello(number: int, slots: int) -> AgentHello:
    agent = Agent(id=f"A{number}", key=f"{number}", name=f"host-{number}")
    tags = {"role": "db", "dc": "eu-3"}
    hello = Hello(
        PROTOCOL_VERSION, f"s{number}", "spool", 0, "1", tags, slots, ["shell"], [], START_US, 1
    )
    return AgentHello(agent, hello, {})


def _bare_us(jobs: int) -> float:
    """What no scheduler can leave out."""
    schedule = parse("* * * * *")
    row = JobRow(id=1, job=Job(name="job", executor="shell", config={}), version=1)
    began_s = time.process_time()
    for number in range(jobs):
        schedule.next_us(START_US + number)
        msgspec.msgpack.encode(row)
    return (time.process_time() - began_s) * 1e6 / jobs
