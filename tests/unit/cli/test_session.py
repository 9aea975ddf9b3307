"""A client's conversation with a coordinator, over a real link."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec
import pytest

from tocsin.config import Context
from tocsin.errors import ConfigError, LinkError, ProtocolError, RequestError
from tocsin.link import new_keypair
from tocsin.messages.client_answers import (
    Answer,
    Declined,
    Done,
    JobsPage,
    OutputPage,
    OutputPiece,
    RunsPage,
    Status,
)
from tocsin.messages.client_link import (
    Ask,
    GetRuns,
    GetStatus,
    ListJobs,
    ListRuns,
    ReadOutput,
    RunJobs,
)
from tocsin.model import Job, JobRow, RunState
from tocsin.session import Session

from .conftest import Desk, context_of
from .test_shapes import RUN, STATUS


def test_an_answer_arrives(desk: Desk, home: Path) -> None:
    """A question is answered by the kind that belongs to it."""
    desk.answer = lambda _ask: STATUS
    with Session(context_of(home)) as session:
        assert session.answer(Status, GetStatus()) == STATUS
        assert session.ask(GetStatus()) == STATUS
        with pytest.raises(ProtocolError, match="Status is no answer to RunJobs"):
            session.answer(Done, RunJobs(["a"]))


def test_declined_is_an_error_with_its_hint(desk: Desk, home: Path) -> None:
    """What the coordinator says is what the user reads."""
    desk.answer = lambda _ask: Declined("no", "do that")
    with Session(context_of(home)) as session, pytest.raises(RequestError, match="no") as caught:
        session.ask(RunJobs(["a"]))
    assert caught.value.hint == "do that"


def test_a_silent_coordinator_is_named(desk: Desk, home: Path) -> None:
    """It took the question; that is more than nothing."""
    with (
        Session(context_of(home)) as session,
        pytest.raises(LinkError, match="did not answer in time") as caught,
    ):
        session.ask(GetStatus(), timeout_s=0.2)
    assert f"tcp://127.0.0.1:{desk.port}" in caught.value.message


def test_a_closed_port_is_said_before_the_patience_is_over(home: Path, desk: Desk) -> None:
    """Nobody listens there: waiting longer would not help."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    context = msgspec.structs.replace(context_of(home), endpoint=f"tcp://127.0.0.1:{port}")
    assert desk.port != port
    with Session(context) as session, pytest.raises(LinkError, match="connection refused"):
        session.ask(GetStatus(), timeout_s=60)


def test_a_refused_key_is_said(closed_desk: Desk, home: Path) -> None:
    """The next step is an administrator's."""
    with (
        Session(context_of(home)) as session,
        pytest.raises(LinkError, match="does not know our key") as caught,
    ):
        session.ask(GetStatus(), timeout_s=60)
    assert "tocsin agent token" in caught.value.hint
    assert closed_desk.asked == []


def test_another_server_key_is_said(desk: Desk, home: Path) -> None:
    """One who cannot prove to be the coordinator gets no question."""
    context = msgspec.structs.replace(context_of(home), server_key=new_keypair().public)
    with Session(context) as session, pytest.raises(LinkError, match="another key"):
        session.ask(GetStatus(), timeout_s=60)
    assert desk.asked == []


def test_a_question_is_asked_again_when_the_link_breaks(desk: Desk, home: Path) -> None:
    """Reading twice does no harm."""
    desk.answer = lambda _ask: STATUS
    desk.hang_up_after = 1
    with Session(context_of(home)) as session:
        assert session.ask(GetStatus(), timeout_s=60) == STATUS
    assert desk.asked == [GetStatus(), GetStatus()]


def test_a_change_is_not_asked_for_again_when_the_link_breaks(desk: Desk, home: Path) -> None:
    """It may have been done, and nobody wants it twice."""
    desk.hang_up_after = 1
    with (
        Session(context_of(home)) as session,
        pytest.raises(LinkError, match="it may have been done, or not"),
    ):
        session.ask(RunJobs(["a"]), timeout_s=60)
    assert desk.asked == [RunJobs(["a"])]


def test_lists_are_read_page_by_page(desk: Desk, home: Path) -> None:
    """Each page begins behind the last row of the one before."""
    rows = [
        JobRow(id=n, job=Job(name=f"j{n}", executor="shell", config={}), version=1)
        for n in range(3)
    ]
    runs = [msgspec.structs.replace(RUN, id=f"R{n}") for n in (5, 4, 3, 2)]

    def answer(ask: Ask) -> Answer | None:
        match ask:
            case ListJobs(after):
                left = [row for row in rows if row.job.name > after]
                return JobsPage(left[:2], len(left) > 2)
            case ListRuns(_, _, before, limit):
                older = [run for run in runs if not before or run.id < before]
                return RunsPage(older[: min(limit, 2)], len(older) > 2)
        return None

    desk.answer = answer
    with Session(context_of(home)) as session:
        assert list(session.jobs()) == rows
        assert [run.id for run in session.runs()] == ["R5", "R4", "R3", "R2"]
        assert [run.id for run in session.runs(limit=3)] == ["R5", "R4", "R3"]


def test_held_questions_are_repeated_until_it_is_over(desk: Desk, home: Path) -> None:
    """The coordinator holds an answer for a while only."""
    over = msgspec.structs.replace(RUN, state=RunState.FAILED)

    def answer(ask: Ask) -> Answer | None:
        assert isinstance(ask, GetRuns)
        return RunsPage([over if len(desk.asked) == 3 else RUN])

    desk.answer = answer
    with Session(context_of(home)) as session:
        assert session.runs_over(["01J"]) == [over]
    assert len(desk.asked) == 3


def test_output_is_followed_to_its_end(desk: Desk, home: Path) -> None:
    """Each question begins behind the last piece; without `follow` it ends with what there is."""
    pieces = [OutputPiece(n, 1, 1, n, 0, b"x") for n in (1, 2, 3)]

    def answer(ask: Ask) -> Answer | None:
        assert isinstance(ask, ReadOutput)
        found = [piece for piece in pieces if piece.position > ask.after][:1]
        return OutputPage(found, ended=not found and ask.wait_s > 0, more=len(found) > 0)

    desk.answer = answer
    with Session(context_of(home)) as session:
        assert list(session.output("01J", attempt=0, follow=True)) == pieces
        assert list(session.output("01J", attempt=0, follow=False)) == pieces
    assert [ask.after for ask in desk.asked if isinstance(ask, ReadOutput)] == [0, 1, 2, 3] * 2


def test_a_missing_key_file_is_said(tmp_path: Path) -> None:
    """Before anything is dialled."""
    context = Context(
        name="x", endpoint="tcp://127.0.0.1:1", server_key="ab" * 32, key_file=tmp_path / "no.key"
    )
    with pytest.raises(ConfigError, match="there is no key file"):
        Session(context)


def test_a_question_too_large_for_the_link_is_not_sent(desk: Desk, home: Path) -> None:
    """The coordinator would hang up on it."""
    with (
        Session(context_of(home)) as session,
        pytest.raises(RequestError, match="at most 1048576 are taken"),
    ):
        session.ask(RunJobs(["a" * 100] * 20_000))
    assert desk.asked == []
