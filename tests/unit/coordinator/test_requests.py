"""What is declined before the machine hears of it."""

from __future__ import annotations

from random import Random  # noqa: TID251 - a seeded one

from tocsin.coordinator.gateway import ClientAsked
from tocsin.coordinator.machine.machine import Machine
from tocsin.coordinator.machine.state import Policy
from tocsin.coordinator.registry import Registry
from tocsin.coordinator.requests import Requests
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.coordinator.updates import Updates
from tocsin.instants import Now
from tocsin.messages.client_link import Ask, Declined, PutJobs

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
    return requests.take(ClientAsked(ASKER, "ann", ask), Now(START_US, 0))


def test_a_job_that_is_given_twice_is_declined() -> None:
    """The store would refuse the second one, and with it the coordinator's whole batch."""
    answer = _answer(PutJobs([job(), job(schedule=[])]))

    assert isinstance(answer, Declined)
    assert answer.message == "a job is given twice"
