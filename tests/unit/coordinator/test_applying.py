"""One change of jobs, calendars and pools: all of it, or nothing and the reason."""

from __future__ import annotations

import pytest

from tocsin.coordinator.applying import JOBS_MAX, UPLOAD_IDLE_US
from tocsin.instants import Now
from tocsin.messages.client_answers import Declined, Done
from tocsin.messages.client_answers import JobsPut as JobsPutAnswer
from tocsin.messages.client_link import PutJobs, RemoveJobs
from tocsin.model import Blackout, Calendar, Job, Pool
from tocsin.plan_index import shared_digest

from .bench import START_US, job
from .office import Office

HOLIDAYS = Calendar(name="holidays", dates=["2026-12-25"])
DB = Pool(name="db", slots=2)


@pytest.fixture
def office() -> Office:
    """A fresh coordinator."""
    return Office()


def closed(name: str = "a") -> Job:
    """A job that needs the calendar and the pool."""
    return job(name, blackout=[Blackout(calendar="holidays")], pool="db")


def test_jobs_calendars_and_pools_come_and_go_together(office: Office) -> None:
    """One request creates, changes and removes; the answer says which."""
    office.ask(PutJobs([closed("a"), job("b")], calendars=[HOLIDAYS], pools=[DB]))
    bigger = Pool(name="db", slots=3)

    answer = office.ask(
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
    assert office.jobs() == {"a": 2}
    stored = office.store.stored()
    assert (stored.calendars, stored.pools) == ([], [bigger])
    assert (office.machine.calendars(), office.machine.pools()) == ({}, {"db": bigger})


def test_what_is_as_before_is_kept(office: Office) -> None:
    """The same request twice changes nothing the second time."""
    put = PutJobs([closed()], calendars=[HOLIDAYS], pools=[DB])
    office.ask(put)

    answer = office.ask(put)

    assert [c.action for c in (*answer.changes, *answer.shared)] == ["keep", "keep", "keep"]
    assert [e.act for e in office.store.audit("", 0, 99, 99)] == [
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
    office: Office, put: PutJobs, message: str
) -> None:
    """The refusal names who is concerned, and nothing is done."""
    office.ask(PutJobs([closed()], calendars=[HOLIDAYS], pools=[DB]))

    answer = office.ask(put)

    assert isinstance(answer, Declined)
    assert answer.message.startswith(message)
    assert office.jobs() == {"a": 1}


def test_what_nobody_uses_any_more_may_go_with_its_last_user(office: Office) -> None:
    """Removed or changed in the same request, the job stands in nobody's way."""
    office.ask(PutJobs([closed("a"), closed("b")], calendars=[HOLIDAYS], pools=[DB]))

    answer = office.ask(
        PutJobs([job("a")], remove=["b"], remove_calendars=["holidays"], remove_pools=["db"])
    )

    assert isinstance(answer, JobsPutAnswer)
    assert (office.machine.calendars(), office.machine.pools()) == ({}, {})


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
    office: Office, put: PutJobs, message: str
) -> None:
    """Versions are compared for removals too, and digests for what has no version."""
    office.ask(PutJobs([closed()], calendars=[HOLIDAYS], pools=[DB]))
    office.ask(PutJobs([job("a", description="his")]), by="bob")

    answer = office.ask(put)

    assert isinstance(answer, Declined)
    assert answer.message.startswith(message)


def test_a_job_that_is_made_again_goes_on_counting_its_versions(office: Office) -> None:
    """So one name never has two versions of one number."""
    office.ask(PutJobs([job("a")]))
    office.ask(RemoveJobs(["a"]))

    answer = office.ask(PutJobs([job("a")]))

    assert [(c.action, c.version) for c in answer.changes] == [("create", 3)]
    assert [v.version for v in office.store.job_versions("a")] == [1, 2, 3]


def test_a_change_in_parts_is_made_with_the_last_of_them(office: Office) -> None:
    """Before that nothing of it is seen, and what the parts say together is checked."""
    office.ask(PutJobs([job("old")]))
    first = PutJobs([closed("a")], {"a": 0, "old": 1}, remove=["old"], more=True)
    last = PutJobs([closed("b")], calendars=[HOLIDAYS], pools=[DB], part=1)

    taken = office.ask(first)
    before = office.jobs()
    answer = office.ask(last)

    assert (taken, before) == (Done([]), {"old": 1})
    assert [c.name for c in answer.changes] == ["a", "b", "old"]
    assert office.jobs() == {"a": 1, "b": 1}


def test_parts_of_two_connections_do_not_mix(office: Office) -> None:
    """Each upload belongs to its connection."""
    office.ask(PutJobs([job("a")], more=True), route=b"one")
    office.ask(PutJobs([job("b")], more=True), route=b"two")

    office.ask(PutJobs([job("c")], part=1), route=b"two")

    assert office.jobs() == {"b": 1, "c": 1}


def test_a_part_that_lacks_those_before_it_is_declined(office: Office) -> None:
    """After a broken connection, a wrong part, or a minute of silence."""
    lone = office.ask(PutJobs([job("a")], part=1))
    office.ask(PutJobs([job("a")], more=True))
    wrong = office.ask(PutJobs([job("b", schedule=["61 * * * *"])], part=1, more=True))
    after_wrong = office.ask(PutJobs([job("c")], part=2))
    office.ask(PutJobs([job("a")], more=True))
    office.now = Now(START_US, UPLOAD_IDLE_US + 1)
    late = office.ask(PutJobs([job("b")], part=1))

    answers = (lone, wrong, after_wrong, late)
    assert all(isinstance(answer, Declined) for answer in answers)
    assert lone.message == after_wrong.message == late.message
    assert office.jobs() == {}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(office: Office) -> None:
    """In parts too."""
    office.ask(PutJobs([job("a")], more=True))

    answer = office.ask(PutJobs([job("b")], pools=[DB], part=1, dry_run=True))

    assert [c.action for c in (*answer.changes, *answer.shared)] == ["create"] * 3
    assert (office.jobs(), office.machine.pools()) == ({}, {})


def test_a_change_has_a_bound(office: Office) -> None:
    """Agents wait while one is made."""
    jobs = [job(f"j{number}", schedule=[]) for number in range(JOBS_MAX // 2 + 1)]
    office.ask(PutJobs(jobs, more=True))

    answer = office.ask(PutJobs(jobs, part=1))

    assert isinstance(answer, Declined)
    assert "at most 20000 jobs" in answer.message
