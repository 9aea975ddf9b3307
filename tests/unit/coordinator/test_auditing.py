"""Everything that changes something leaves an entry; nothing else does."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from tocsin.coordinator import auditing
from tocsin.coordinator.machine.commands import DropJob, SaveAudit, SaveJob
from tocsin.coordinator.machine.events import Tick
from tocsin.messages.client_link import (
    NEEDED_ROLE,
    AcceptAgent,
    Ask,
    CordonAgents,
    CreateToken,
    DrainAgents,
    EndPause,
    KillRuns,
    ListAgents,
    PauseJobs,
    PauseScope,
    PutJobs,
    RemoveJobs,
    RerunRuns,
    ResumeJobs,
    RevokeAgents,
    RunJobs,
    StartPause,
    UncordonAgents,
    UndrainAgents,
)
from tocsin.messages.enrolment import Denied, Enrol, Enrolled, fingerprint
from tocsin.model import AuditEntry, Calendar, JobRow, Pool, Role, Scope

from .bench import START_US, job
from .office import Office

HOST_KEY = "ab" * 32

CHANGING: dict[type[Any], tuple[Any, list[tuple[str, str]]]] = {
    PutJobs: (
        PutJobs(
            [job("a", env={"PASSWORD": "secret"}), job("new")],
            remove=["gone"],
            calendars=[Calendar(name="c")],
            pools=[Pool(name="p", slots=1)],
        ),
        [
            ("change job", "a"),
            ("create job", "new"),
            ("remove job", "gone"),
            ("create calendar", "c"),
            ("create pool", "p"),
        ],
    ),
    RemoveJobs: (RemoveJobs(["a", "gone"]), [("remove job", "a"), ("remove job", "gone")]),
    PauseJobs: (PauseJobs(["a", "gone"], "disks"), [("pause job", "a"), ("pause job", "gone")]),
    ResumeJobs: (ResumeJobs(["stopped", "a"]), [("resume job", "stopped")]),
    RunJobs: (RunJobs(["a", "gone", "a"]), [("run job", "a"), ("run job", "gone")]),
    RerunRuns: (RerunRuns(["R4"]), [("rerun job", "gone")]),
    StartPause: (
        StartPause([PauseScope(Scope.JOB, "a*"), PauseScope(Scope.ALL)], "disks"),
        [("start pause", "job a*"), ("start pause", "all")],
    ),
    EndPause: (EndPause(["R3"]), [("end pause", "tag role=db")]),
    KillRuns: (KillRuns(["R1", "R2"]), [("kill run", "busy")]),
    CreateToken: (CreateToken(), [("create token", "")]),
    CordonAgents: (CordonAgents(["db1", "db2"], "disks"), [("cordon agent", "db1")]),
    UncordonAgents: (UncordonAgents(["db1", "db2"]), [("uncordon agent", "db2")]),
    DrainAgents: (DrainAgents(["db1"], "", 60.0), [("drain agent", "db1")]),
    UndrainAgents: (UndrainAgents(["db2"]), [("uncordon agent", "db2")]),
    RevokeAgents: (RevokeAgents(["db1"], "stolen"), [("revoke agent", "db1")]),
    AcceptAgent: (AcceptAgent(fingerprint(HOST_KEY)), [("accept agent", "web1")]),
}
"""A request of each kind that changes something, and the entries it must leave (act, subject);
a subject that chance makes is ""."""


def prepared() -> Office:
    """A coordinator with something to change, and an empty audit behind it."""
    office = Office()
    names = ("a", "gone", "stopped", "busy")
    office.ask(PutJobs([job(name, overlap="queue") for name in names]))
    office.ask(PauseJobs(["stopped"]))
    office.ask(RunJobs(["busy", "busy"]))
    office.ask(StartPause([PauseScope(Scope.TAG, "role=db")]))
    office.ask(RunJobs(["gone"]))
    office.ask(KillRuns(["R4"]))
    for number in (1, 2):
        key = f"{number}" * 64
        office.requests._registry.enrol(key, Enrol(1, f"db{number}", {}, "", b"", ""), START_US)
        office.ask(AcceptAgent(fingerprint(key)))
    office.ask(CordonAgents(["db2"], "disks"))
    office.requests._registry.enrol(HOST_KEY, Enrol(1, "web1", {}, "", b"", ""), START_US)
    return office


@pytest.mark.parametrize("kind", get_args(Ask), ids=lambda kind: kind.__name__)
def test_every_kind_of_request_has_its_decision(kind: type[Any]) -> None:
    """A request that takes more than looking is one that changes something, and has its sample."""
    assert (kind in CHANGING) is (NEEDED_ROLE[kind] is not Role.VIEWER)


@pytest.mark.parametrize("kind", CHANGING, ids=lambda kind: kind.__name__)
def test_a_change_leaves_its_entries(kind: type[Any]) -> None:
    """Who did what to what, with the answer, and in the order done."""
    office = prepared()
    ask, expected = CHANGING[kind]
    (last,) = office.store.audit("", 0, 1 << 60, 1)

    office.ask(ask, by="bob")

    entries = office.store.audit_after(last.number, 100)
    assert [(e.act, e.subject if subject else "") for e, (_, subject) in
            zip(entries, expected, strict=True)] == expected  # fmt: skip
    assert {(e.by, e.at_us) for e in entries} == {("bob", START_US)}
    assert "secret" not in str(entries)


@pytest.mark.parametrize("kind", CHANGING, ids=lambda kind: kind.__name__)
def test_what_changed_nothing_leaves_no_entry(kind: type[Any]) -> None:
    """Neither a request that is declined, nor a second one for the same."""
    office = prepared()
    before = len(office.store.audit_after(0, 100))
    declined: dict[type[Any], Any] = {
        PutJobs: PutJobs([job("a", schedule=["never"])]),
        RemoveJobs: RemoveJobs(["none"]),
        PauseJobs: PauseJobs(["stopped"]),
        ResumeJobs: ResumeJobs(["a"]),
        StartPause: StartPause([]),
        EndPause: EndPause(["none"]),
        RunJobs: RunJobs(["none"]),
        RerunRuns: RerunRuns(["none"]),
        KillRuns: KillRuns(["none"]),
        CreateToken: CreateToken(uses=0),
        AcceptAgent: AcceptAgent("none"),
        CordonAgents: CordonAgents(["db2"], "disks"),
        UncordonAgents: UncordonAgents(["db1"]),
        DrainAgents: DrainAgents(["db1"], "", -1.0),
        UndrainAgents: UndrainAgents(["db1"]),
        RevokeAgents: RevokeAgents(["none"]),
    }

    office.ask(declined[kind])
    office.ask(ListAgents())

    assert len(office.store.audit_after(0, 100)) == before


def test_an_entry_says_which_keys_changed_and_no_value() -> None:
    """Values may be secret, and stand in the job's versions."""
    office = prepared()
    office.ask(PutJobs([job("a", overlap="queue", env={"P": "secret"}, priority=5)]))

    (entry,) = office.store.audit("a", 0, 1 << 60, 1)

    assert entry.detail == {"version": 2, "keys": ["env", "priority"]}


def test_what_the_coordinator_does_by_itself_is_in_the_audit() -> None:
    """Jobs that go away or end their pause without a request."""
    row = JobRow(id=1, job=job("a"), version=4, changed_by="tocsin")

    entries = [
        command.entry
        for command in auditing.of_event(Tick(), [SaveJob(row), DropJob(row, "ephemeral")], 7)
        if isinstance(command, SaveAudit)
    ]

    assert entries == [
        AuditEntry(at_us=7, by="tocsin", act="resume job", subject="a"),
        AuditEntry(at_us=7, by="ephemeral", act="remove job", subject="a", detail={"version": 5}),
    ]


def test_a_host_that_comes_with_a_token_is_in_the_audit() -> None:
    """Once: a host that is known already, or is denied, changes nothing."""
    ask = Enrol(1, "web1", {}, "t1", b"", "")
    enrolled = Enrolled("A1", "web1", 1)

    entries = [
        auditing.of_enrolment(ask, answer, known=known, at_us=7)
        for answer, known in ((enrolled, False), (enrolled, True), (Denied("no"), False))
    ]

    kept = AuditEntry(
        at_us=7,
        by="token t1",
        act="enrol agent",
        subject="web1",
        detail={"id": "A1", "token": "t1"},
    )
    assert entries == [[SaveAudit(kept)], [], []]
