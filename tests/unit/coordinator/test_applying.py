"""One change of jobs, calendars and pools: all of it, or nothing and the reason."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.coordinator import auditing
from tocsin.coordinator.applying import JOBS_MAX, UPLOAD_IDLE_US
from tocsin.coordinator.gateway import ClientAsked
from tocsin.coordinator.machine.commands import FetchFires, Reply
from tocsin.coordinator.machine.events import Event, FiresEnded, JobsPut
from tocsin.coordinator.machine.machine import Machine
from tocsin.coordinator.machine.state import Policy
from tocsin.coordinator.registry import Registry
from tocsin.coordinator.requests import Requests
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.coordinator.updates import Updates
from tocsin.instants import Now
from tocsin.messages.client_link import Ask, Declined, Done, PutJobs, RemoveJobs
from tocsin.messages.client_link import JobsPut as JobsPutAnswer
from tocsin.model import Blackout, Calendar, Job, Pool
from tocsin.plan_index import shared_digest

from .bench import START_US, EvenChance, job

HOLIDAYS = Calendar(name="holidays", dates=["2026-12-25"])
DB = Pool(name="db", slots=2)


class Desk:
    """A coordinator without its sockets: requests, machine and store."""

    def __init__(self) -> None:
        self.store = SqliteStore(None)
        self.now = Now(START_US, 0)
        self.ids = iter(range(1, 10_000))
        self.machine = Machine(
            epoch=1, policy=Policy(), new_id=lambda: f"R{next(self.ids)}", chance=EvenChance()
        )
        registry = Registry(self.store, server_key="", port=1, new_id=lambda: "A1")
        self.requests = Requests(
            self.store,
            self.machine,
            registry,
            Updates(lambda _route, _update: True, self.store.list_jobs),
            enrol_port=1,
            dropped=dict,
            started_us=START_US,
        )

    def ask(self, ask: Ask, by: str = "ann", route: bytes = b"client") -> Any:
        """The answer to a request, with everything done that follows from it."""
        result = self.requests.take(ClientAsked((route, 1), by, ask), self.now)
        if not isinstance(result, Event):
            return result
        answers = []
        events: list[Event] = [result]
        for event in events:  # what is fetched becomes the next
            commands = self.machine.handle(event, self.now)
            commands += auditing.of_event(event, commands, self.now.wall_us)
            self.store.stage(commands)
            answers += [c.answer for c in commands if isinstance(c, Reply)]
            for fetch in (c for c in commands if isinstance(c, FetchFires)):
                fires = self.store.fires(fetch.groups)
                rows = self.store.jobs_by_id(fetch.job_ids)
                events.append(FiresEnded(list(fires.values()), rows))
        (answer,) = answers
        return answer

    def jobs(self) -> dict[str, int]:
        """All jobs, with their versions."""
        return {row.job.name: row.version for row in self.store.list_jobs("", 1000)}


@pytest.fixture
def desk() -> Desk:
    """A fresh coordinator."""
    return Desk()


def closed(name: str = "a") -> Job:
    """A job that needs the calendar and the pool."""
    return job(name, blackout=[Blackout(calendar="holidays")], pool="db")


def test_jobs_calendars_and_pools_come_and_go_together(desk: Desk) -> None:
    """One request creates, changes and removes; the answer says which."""
    desk.ask(PutJobs([closed("a"), job("b")], calendars=[HOLIDAYS], pools=[DB]))
    bigger = Pool(name="db", slots=3)

    answer = desk.ask(
        PutJobs([job("a")], remove=["b"], pools=[bigger], remove_calendars=["holidays"])
    )

    assert isinstance(answer, JobsPutAnswer)
    assert [(c.name, c.action, c.version) for c in answer.changes] == [
        ("a", "change", 2),
        ("b", "remove", 2),
    ]
    assert [(c.kind, c.name, c.action) for c in answer.shared] == [
        ("pool", "db", "change"),
        ("calendar", "holidays", "remove"),
    ]
    assert desk.jobs() == {"a": 2}
    stored = desk.store.stored()
    assert (stored.calendars, stored.pools) == ([], [bigger])
    assert (desk.machine.calendars(), desk.machine.pools()) == ({}, {"db": bigger})


def test_what_is_as_before_is_kept(desk: Desk) -> None:
    """The same request twice changes nothing the second time."""
    put = PutJobs([closed()], calendars=[HOLIDAYS], pools=[DB])
    desk.ask(put)

    answer = desk.ask(put)

    assert [c.action for c in (*answer.changes, *answer.shared)] == ["keep", "keep", "keep"]
    assert [e.act for e in desk.store.audit("", 0, 99, 99)] == [
        "create pool",
        "create calendar",
        "create job",
    ]


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (PutJobs([job("n", pool="none")]), "job n: there is no pool 'none'"),
        (
            PutJobs([job("n", blackout=[Blackout(calendar="none")])]),
            "job n: blackout: there is no calendar 'none'",
        ),
        (PutJobs([], remove_pools=["db"]), "pool db is used by job a"),
        (PutJobs([], remove_calendars=["holidays"]), "calendar holidays is used by job a"),
        (PutJobs([closed()], remove_pools=["db"]), "job a: there is no pool 'db'"),
        (PutJobs([], remove=["z"]), "there is no job z"),
        (PutJobs([], remove_pools=["z"]), "there is no pool z"),
        (PutJobs([job("a")], remove=["a"]), "a job is given twice"),
        (PutJobs([], pools=[DB], remove_pools=["db"]), "a pool is given twice"),
        (PutJobs([], pools=[Pool(name="db", slots=0)]), "pool db: it has 1 to 100000 slots"),
        (PutJobs([], calendars=[Calendar(name="a b")]), "'a b' is no name"),
        (PutJobs([], calendars=[Calendar(name="c", dates=["soon"])]), "calendar c: calendar date"),
    ],
)
def test_what_would_not_fit_together_is_declined_whole(
    desk: Desk, put: PutJobs, message: str
) -> None:
    """The refusal names who is concerned, and nothing is done."""
    desk.ask(PutJobs([closed()], calendars=[HOLIDAYS], pools=[DB]))

    answer = desk.ask(put)

    assert isinstance(answer, Declined)
    assert answer.message.startswith(message)
    assert desk.jobs() == {"a": 1}


def test_what_nobody_uses_any_more_may_go_with_its_last_user(desk: Desk) -> None:
    """Removed or changed in the same request, the job stands in nobody's way."""
    desk.ask(PutJobs([closed("a"), closed("b")], calendars=[HOLIDAYS], pools=[DB]))

    answer = desk.ask(
        PutJobs([job("a")], remove=["b"], remove_calendars=["holidays"], remove_pools=["db"])
    )

    assert isinstance(answer, JobsPutAnswer)
    assert (desk.machine.calendars(), desk.machine.pools()) == ({}, {})


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (PutJobs([job("a")], {"a": 1}), "job a is at version 2 now, not 1: changed by bob at 2026"),
        (PutJobs([], {"a": 1}, remove=["a"]), "job a is at version 2 now, not 1: changed by bob"),
        (PutJobs([job("a")], {"a": 0}), "job a exists: it was made by bob"),
        (PutJobs([job("z")], {"z": 3}), "job z was removed, and was to be at version 3"),
        (
            PutJobs([], expected_shared={"pool db": shared_digest(Pool(name="db", slots=9))}),
            "pool db is not what it was",
        ),
        (PutJobs([], expected_shared={"calendar holidays": ""}), "calendar holidays is not what"),
    ],
)
def test_what_somebody_else_changed_is_not_overwritten(
    desk: Desk, put: PutJobs, message: str
) -> None:
    """Versions are compared for removals too, and digests for what has no version."""
    desk.ask(PutJobs([closed()], calendars=[HOLIDAYS], pools=[DB]))
    desk.ask(PutJobs([job("a", description="his")]), by="bob")

    answer = desk.ask(put)

    assert isinstance(answer, Declined)
    assert answer.message.startswith(message)


def test_a_job_that_is_made_again_goes_on_counting_its_versions(desk: Desk) -> None:
    """So one name never has two versions of one number."""
    desk.ask(PutJobs([job("a")]))
    desk.ask(RemoveJobs(["a"]))

    answer = desk.ask(PutJobs([job("a")]))

    assert [(c.action, c.version) for c in answer.changes] == [("create", 3)]
    assert [v.version for v in desk.store.job_versions("a")] == [1, 2, 3]


def test_a_change_in_parts_is_made_with_the_last_of_them(desk: Desk) -> None:
    """Before that nothing of it is seen, and what the parts say together is checked."""
    desk.ask(PutJobs([job("old")]))
    first = PutJobs([closed("a")], {"a": 0, "old": 1}, remove=["old"], more=True)
    last = PutJobs([closed("b")], calendars=[HOLIDAYS], pools=[DB], part=1)

    taken = desk.ask(first)
    before = desk.jobs()
    answer = desk.ask(last)

    assert (taken, before) == (Done([]), {"old": 1})
    assert [c.name for c in answer.changes] == ["a", "b", "old"]
    assert desk.jobs() == {"a": 1, "b": 1}


def test_parts_of_two_connections_do_not_mix(desk: Desk) -> None:
    """Each upload belongs to its connection."""
    desk.ask(PutJobs([job("a")], more=True), route=b"one")
    desk.ask(PutJobs([job("b")], more=True), route=b"two")

    desk.ask(PutJobs([job("c")], part=1), route=b"two")

    assert desk.jobs() == {"b": 1, "c": 1}


def test_a_part_that_lacks_those_before_it_is_declined(desk: Desk) -> None:
    """After a broken connection, a wrong part, or a minute of silence."""
    lone = desk.ask(PutJobs([job("a")], part=1))
    desk.ask(PutJobs([job("a")], more=True))
    wrong = desk.ask(PutJobs([job("b", schedule=["61 * * * *"])], part=1, more=True))
    after_wrong = desk.ask(PutJobs([job("c")], part=2))
    desk.ask(PutJobs([job("a")], more=True))
    desk.now = Now(START_US, UPLOAD_IDLE_US + 1)
    late = desk.ask(PutJobs([job("b")], part=1))

    answers = (lone, wrong, after_wrong, late)
    assert all(isinstance(answer, Declined) for answer in answers)
    assert lone.message == after_wrong.message == late.message
    assert desk.jobs() == {}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(desk: Desk) -> None:
    """In parts too."""
    desk.ask(PutJobs([job("a")], more=True))

    answer = desk.ask(PutJobs([job("b")], pools=[DB], part=1, dry_run=True))

    assert [c.action for c in (*answer.changes, *answer.shared)] == ["create"] * 3
    assert (desk.jobs(), desk.machine.pools()) == ({}, {})


def test_a_change_has_a_bound(desk: Desk) -> None:
    """Agents wait while one is made."""
    jobs = [job(f"j{number}", schedule=[]) for number in range(JOBS_MAX // 2 + 1)]
    desk.ask(PutJobs(jobs, more=True))

    answer = desk.ask(PutJobs(jobs, part=1))

    assert isinstance(answer, Declined)
    assert "at most 20000 jobs" in answer.message


def test_an_event_is_what_the_machine_is_told() -> None:
    """`JobsPut` is among the events, so that `Desk` hands it on."""
    assert isinstance(JobsPut((b"", 1), "ann", []), Event)
