"""What is asked of jobs that come after others, of parameters and of repeated runs."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.coordinator.machine.commands import SaveRun
from tocsin.coordinator.machine.machine import Stored
from tocsin.messages.client_answers import Declined, Done, RunsPage
from tocsin.messages.client_link import (
    Ask,
    GetGroup,
    KillRuns,
    PutJobs,
    RemoveJobs,
    RerunRuns,
    RunJobs,
)
from tocsin.model import Agent, AgentState, Job, Run, RunState, Trigger

from .bench import START_US, job
from .office import Office
from .test_chains import after


class Counter(Office):
    """A coordinator without its sockets, and three hosts."""

    def __init__(self) -> None:
        super().__init__()
        hosts = [
            Agent(id=f"A{n}", key=f"{n}", name=f"web{n}", state=AgentState.UP) for n in range(3)
        ]
        self.machine.restore(Stored(agents=hosts), self.now)

    def put(self, *jobs: Job) -> None:
        """Define jobs, which must be accepted."""
        answer = self.ask(PutJobs(list(jobs)))
        assert not isinstance(answer, Declined), answer

    def declined(self, ask: Ask) -> str:
        """What is said when a request is declined."""
        answer = self.ask(ask)
        assert isinstance(answer, Declined), answer
        return f"{answer.message}; {answer.hint}"

    def over(self, *states: RunState, **fields: Any) -> list[Run]:
        """A fire of job 1 that is over, a run for each state, each on a host of its own."""
        group = f"G{next(self.ids):04}"
        runs = [
            Run(
                id=group if slot == 0 else f"{group}{slot}",
                group=group,
                slot=slot,
                pin=f"A{slot}" if len(states) > 1 else "",
                agent_id=f"A{slot}",
                job_id=1,
                job="copy",
                job_version=1,
                trigger=Trigger.MANUAL,
                state=state,
                created_us=START_US,
                finished_us=None if state is RunState.RUNNING else START_US,
                **fields,
            )
            for slot, state in enumerate(states)
        ]
        self.store.stage([SaveRun(run) for run in runs])
        return runs


def plain(name: str, *upstream: str, **fields: Any) -> Job:
    """A job that runs when asked to, or after others."""
    return job(name, schedule=[], after=after(*upstream), **fields)


@pytest.mark.parametrize(
    ("puts", "said"),
    [
        ([plain("x", "nobody")], "job x: after[0].job: there is no job nobody; see what there is"),
        ([plain("dump"), plain("x", "dunp")], 'there is no job dunp; did you mean "dump"?'),
        ([plain("x", "x")], "job x: after[0].job: a job cannot come after itself"),
        ([plain("x", "dump", "dump")], "after[1].job: dump stands twice"),
        ([plain("dump", "copy")], "these jobs wait for each other: dump -> copy -> dump"),
        (
            [plain("c", "b"), plain("b", "a"), plain("a", "c")],
            "these jobs wait for each other: c -> a -> b -> c",
        ),
        ([plain("dump", "send")], "these jobs wait for each other: dump -> copy -> send -> dump"),
        ([plain("once", ephemeral=True), plain("x", "once")], "once is ephemeral: it is gone"),
        ([plain("dump", ephemeral=True)], "job dump cannot be ephemeral: copy comes after it"),
    ],
)
def test_an_order_that_cannot_be_is_declined(puts: list[Job], said: str) -> None:
    """By what is put together with what exists: who is meant, and the way around a circle."""
    counter = Counter()
    counter.put(plain("dump"), plain("copy", "dump"), plain("send", "copy"))

    answer = counter.declined(PutJobs(puts))

    assert said in answer


def test_jobs_of_one_request_may_come_after_each_other_in_any_order() -> None:
    """And what exists may be turned around at once."""
    counter = Counter()
    counter.put(plain("b", "a"), plain("a"))

    counter.put(plain("a", "b"), plain("b"))

    assert counter.machine.after("a") == ["b"]
    assert counter.machine.after("b") == []


def test_a_job_that_others_come_after_is_removed_only_with_them() -> None:
    """Else they would wait for ever."""
    counter = Counter()
    counter.put(plain("a"), plain("b", "a"))
    assert counter.declined(RemoveJobs(["a"])).startswith(
        "job a cannot be removed: b comes after it"
    )

    assert counter.ask(RemoveJobs(["a", "b"])) == Done(["a", "b"])


def test_a_long_chain_is_judged_without_recursion() -> None:
    """Its circle is named whole."""
    counter = Counter()
    chain = [plain("j0"), *(plain(f"j{n}", f"j{n - 1}") for n in range(1, 3000))]
    counter.put(*chain)

    answer = counter.declined(PutJobs([plain("j0", "j2999")]))

    assert answer.count(" -> ") == 3000


# Parameters.


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"params": {"Days": "7"}}, "job x: params.Days: is no name"),
        ({"params": {"days": "a\0"}}, "params.days: holds a NUL byte"),
        ({"params": {"days": "x" * 4097}}, "params.days: has 4097 bytes; expected at most 4096"),
        ({"params": {f"p{n}": "" for n in range(65)}}, "params: 65 parameters"),
        ({"params": {"host": None}, "schedule": ["@daily"]}, "params.host: must be given"),
        ({"params": {"host": None}, "after": after("dump")}, "params.host: must be given"),
    ],
)
def test_parameters_that_cannot_be_are_declined(fields: dict[str, Any], said: str) -> None:
    """Whatever a client says, as a job file says it."""
    counter = Counter()
    counter.put(plain("dump"))

    answer = counter.declined(PutJobs([job("x", **{"schedule": [], **fields})]))

    assert said in answer


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dais": "3", "host": "a"}, 'job x has no parameter dais; did you mean "days"?'),
        ({}, "job x must be given host; for example: --param host=VALUE"),
        ({"host": "\0"}, "parameter host holds a NUL byte"),
    ],
)
def test_what_a_run_cannot_be_given_is_declined(given: dict[str, str], said: str) -> None:
    """Unknown, missing or impossible."""
    counter = Counter()
    counter.put(plain("x", params={"days": "7", "host": None}))

    assert said in counter.declined(RunJobs(["x"], {"x": given}))


# Repeated runs.

OK, BAD, LOST = RunState.SUCCEEDED, RunState.FAILED, RunState.LOST


@pytest.mark.parametrize(
    ("failed_only", "pins"), [(False, ["A0", "A1", "A2"]), (True, ["A1", "A2"])]
)
def test_a_fire_is_repeated_on_its_hosts(*, failed_only: bool, pins: list[str]) -> None:
    """As one new group, with the same parameters; any of its runs stands for it."""
    counter = Counter()
    counter.put(plain("copy", params={"days": "7", "new": "x"}))
    runs = counter.over(OK, BAD, LOST, params={"days": "3", "old": "y"})

    answer = counter.ask(RerunRuns([runs[2].id, runs[0].id], failed_only))

    again = counter.ask(GetGroup(answer.names[-1])).rows
    assert [run.id for run in again] == answer.names
    assert [run.pin for run in again] == pins
    assert {(run.trigger, run.cause, run.requested_by) for run in again} == {
        ("retry", runs[0].group, "ann")
    }
    assert {run.group for run in again} == {again[0].id}
    assert again[0].params == {"days": "3", "new": "x"}


def test_a_single_run_is_repeated_where_it_was() -> None:
    """On the agent that had its last attempt."""
    counter = Counter()
    counter.put(plain("copy"))
    (run,) = counter.over(OK)

    answer = counter.ask(RerunRuns([run.id]))

    page: RunsPage = counter.ask(GetGroup(answer.names[0]))
    assert [again.pin for again in page.rows] == ["A0"]


def test_what_cannot_be_repeated_is_declined() -> None:
    """With the way on."""
    counter = Counter()
    counter.put(plain("copy"))
    (good,) = counter.over(OK)
    going = counter.over(OK, RunState.RUNNING)
    said = counter.declined

    assert said(RerunRuns(["nobody"])) == "there is no run nobody; see: tocsin run list"
    assert said(RerunRuns([going[0].id])).endswith(f"tocsin run kill {going[1].id}")
    assert said(RerunRuns([good.id], failed_only=True)).startswith(f"nothing of {good.id} failed")
    counter.put(plain("copy", params={"host": None}))
    assert said(RerunRuns([good.id])).startswith("job copy must be given host")
    counter.ask(RemoveJobs(["copy"]))
    assert said(RerunRuns([good.id])).startswith(f"job copy of run {good.id} was removed")


def test_a_repeated_fire_that_succeeds_goes_on_with_the_chain() -> None:
    """It is an end like any other: here a job is fired when it is cancelled."""
    counter = Counter()
    counter.put(plain("copy"), job("alarm", schedule=[], after=after("copy", on="failure")))
    (run,) = counter.over(BAD)
    (again,) = counter.ask(RerunRuns([run.id])).names
    counter.ask(KillRuns([again]))

    fired = counter.store.list_runs("alarm", [], "", 10)
    assert [one.cause for one in fired] == [again]
