"""What is declined before the machine hears of it."""

from __future__ import annotations

from random import Random  # noqa: TID251 - a seeded one

import pytest

from tocsin.coordinator.gateway import ClientAsked
from tocsin.coordinator.machine.events import PausesStarted
from tocsin.coordinator.machine.machine import Machine
from tocsin.coordinator.machine.state import Policy
from tocsin.coordinator.registry import Registry
from tocsin.coordinator.requests import Requests
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.coordinator.updates import Updates
from tocsin.instants import SECOND_US, Now
from tocsin.messages.client_answers import Declined
from tocsin.messages.client_link import Ask, EndPause, PauseJobs, PauseScope, PutJobs, StartPause
from tocsin.model import Role, Scope

from .bench import ASKER, START_US, job


def _answer(ask: Ask) -> object:
    store = SqliteStore(None)
    machine = Machine(epoch=1, policy=Policy(), new_id=lambda: "R1", chance=Random(1))
    requests = Requests(
        store,
        machine,
        Registry(store, server_key="", port=1, new_id=lambda: "A1"),
        Updates(lambda _route, _update: True, store.list_jobs),
        enrol_port=1,
        dropped=dict,
        started_us=START_US,
    )
    return requests.take(ClientAsked(ASKER, "ann", ask, Role.ADMIN), Now(START_US, 0))


def test_a_job_that_is_given_twice_is_declined() -> None:
    """The store would refuse the second one, and with it the coordinator's whole batch."""
    answer = _answer(PutJobs([job(), job(schedule=[])]))

    assert isinstance(answer, Declined)
    assert answer.message == "a job is given twice"


_ALL = PauseScope(Scope.ALL)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (StartPause([], "x"), "nothing is named that is to be paused"),
        (StartPause([PauseScope(Scope.JOB)], "x"), "the job needs a name, which may be a glob"),
        (StartPause([PauseScope(Scope.TAG, "db")], "x"),
         "'db' is no tag: write key=value, where the value may be a glob"),
        (StartPause([PauseScope(Scope.ALL, "db")], "x"), "a pause of all jobs has no value"),
        (StartPause([_ALL], "x", for_s=5.0, until_us=START_US + 1),
         "a pause has a length or an end, not both"),
        (StartPause([_ALL], "x", until_us=START_US), "the pause would end before it begins"),
        (StartPause([_ALL], "x", for_s=-1.0), "the pause would end before it begins"),
        (StartPause([_ALL], "x" * 1001), "a text has 1001 characters, at most 1000 may be"),
        (StartPause([_ALL] * 1001, "x"), "there are 1000 pauses already"),
        (EndPause(["01P"]), "there is no pause 01P in force"),
        (PauseJobs([], "x", for_s=0.0), "the pause would end before it begins"),
    ],
)  # fmt: skip
def test_a_pause_that_means_nothing_is_declined(ask: Ask, message: str) -> None:
    """With what is wrong with it; nothing reaches the machine."""
    answer = _answer(ask)

    assert isinstance(answer, Declined)
    assert answer.message == message


def test_a_pause_for_a_while_ends_by_the_coordinators_clock() -> None:
    """Whatever the clock of the one who asks shows."""
    event = _answer(StartPause([_ALL, PauseScope(Scope.AGENT, "db*")], "disks", for_s=90.0))

    assert isinstance(event, PausesStarted)
    assert [pause.until_us for pause in event.pauses] == [START_US + 90 * SECOND_US] * 2
    assert [pause.scope for pause in event.pauses] == [Scope.ALL, Scope.AGENT]
