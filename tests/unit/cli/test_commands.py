"""Commands against a coordinator's place: what they ask, print and leave behind."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from tocsin.execution import check_config
from tocsin.executors.scripted import Scripted
from tocsin.instants import SECOND_US
from tocsin.messages.client_answers import (
    AgentsPage,
    Answer,
    Done,
    JobsPage,
    JobsPut,
    OutputPage,
    OutputPiece,
    PausesPage,
    RunsPage,
    Token,
)
from tocsin.messages.client_link import (
    AcceptAgent,
    Ask,
    CreateToken,
    GetAttempts,
    GetGroup,
    GetJobs,
    GetRuns,
    KillRuns,
    ListAgents,
    ListJobs,
    ListPauses,
    ListRuns,
    PauseJobs,
    PutJobs,
    ReadOutput,
    ReadOutputBack,
    RerunRuns,
    ResumeJobs,
    RunJobs,
)
from tocsin.model import (
    Agent,
    AgentState,
    Dependency,
    DependencyOn,
    Job,
    JobRow,
    Role,
    Run,
    RunState,
)

from .conftest import Desk, Tocsin
from .test_shapes import AT_US, RUN

_OVER = msgspec.structs.replace(RUN, state=RunState.SUCCEEDED, exit_code=0)
_WAITING = Agent(id="", key="cd" * 32, name="web2", state=AgentState.PENDING)


class Shop:
    """Jobs and runs as a coordinator would have them, with none of its cleverness."""

    def __init__(self, jobs: list[Job], runs: list[Run]) -> None:
        self.rows = {job.name: JobRow(id=1, job=job, version=3) for job in jobs}
        self.runs = {run.id: run for run in runs}
        self.pieces: list[OutputPiece] = []

    def answer(self, ask: Ask) -> Answer | None:  # noqa: C901, PLR0912 - one case a question
        """The answer to any question."""
        match ask:
            case ListJobs():
                return JobsPage(list(self.rows.values()))
            case GetJobs(names):
                return JobsPage([self.rows[name] for name in names if name in self.rows])
            case PutJobs():
                return JobsPut([])
            case PauseJobs(names) | ResumeJobs(names):
                return Done(names)
            case RunJobs():
                return Done(list(self.runs))
            case ListRuns():
                return RunsPage(list(self.runs.values()))
            case GetRuns(ids):
                return RunsPage([self.runs[run_id] for run_id in ids if run_id in self.runs])
            case GetAttempts():
                return RunsPage([])
            case GetGroup(run_id):
                group = self.runs[run_id].group
                return RunsPage([run for run in self.runs.values() if run.group == group])
            case RerunRuns():
                return Done(["01NEW"])
            case KillRuns(ids):
                return Done(ids)
            case ReadOutput(_, after):
                rest = [piece for piece in self.pieces if piece.position > after]
                return OutputPage(rest, ended=True, more=False)
            case ReadOutputBack(_, before):
                back = [piece for piece in self.pieces if not before or piece.position < before]
                gaps = sum(piece.gap_bytes for piece in self.pieces)
                return OutputPage(back[-2:], ended=False, more=len(back) > 2, not_kept_bytes=gaps)
            case ListPauses():
                return PausesPage([])
            case ListAgents():
                return AgentsPage([_WAITING])
            case AcceptAgent():
                return Done(["web2"])
            case CreateToken():
                return Token("t1", "s3cret", 7371, AT_US)
        return None


@pytest.fixture
def shop(desk: Desk) -> Shop:
    """One job `hello` and one run of it that is over."""
    hello = Job(
        name="hello",
        executor="scripted",
        config=check_config(Scripted, {"lines": 3}),
        schedule=["0 9 * * *"],
        timeout_s=60.0,
    )
    shop = Shop([hello], [_OVER])
    desk.answer = shop.answer
    return shop


@pytest.mark.usefixtures("shop")
def test_jobs_are_listed_and_shown(tocsin: Tocsin) -> None:
    """As a table, as JSON, and as they would stand in a file."""
    assert "hello  0 9 * * *" in tocsin("job", "list").out
    assert [job["name"] for job in json.loads(tocsin("job", "list", "-o", "json").out)] == ["hello"]
    shown = json.loads(tocsin("job", "show", "hello", "-o", "json").out)
    assert shown["definition"] == {
        "schedule": ["0 9 * * *"],
        "timeout": "1m",
        "scripted": {"lines": 3},
    }
    assert "jobs:\n  hello:\n    schedule:\n" in tocsin("job", "show", "hello").out
    assert len(json.loads(tocsin("job", "next", "hello", "-n", "3", "-o", "json").out)) == 3


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "ask", "said"),
    [
        (
            ["pause", "hello", "--reason", "why"],
            PauseJobs(["hello"], "why"),
            "paused hello\nundo: tocsin job resume hello\n",
        ),
        (
            ["pause", "hello", "--for", "2h"],
            PauseJobs(["hello"], for_s=7200.0),
            "paused hello\nundo: tocsin job resume hello\n",
        ),
        (
            ["pause", "hello", "--until", "2026-01-01T01:00:00+01:00"],
            PauseJobs(["hello"], until_us=AT_US),
            "paused hello\nundo: tocsin job resume hello\n",
        ),
        (
            ["resume", "hello"],
            ResumeJobs(["hello"]),
            "resumed hello\nundo: tocsin job pause hello\n",
        ),
    ],
)
def test_an_action_says_what_it_did(
    tocsin: Tocsin, desk: Desk, arguments: list[str], ask: Ask, said: str
) -> None:
    """And how to undo it; the same as JSON."""
    assert tocsin("job", *arguments) == (0, said, "")
    assert desk.asked[-1] == ask
    told = json.loads(tocsin("job", *arguments, "-o", "json").out)
    assert list(told) == ["action", "names", "undo"]


@pytest.mark.usefixtures("shop")
def test_a_removed_job_can_be_brought_back(tocsin: Tocsin, desk: Desk) -> None:
    """Its definition is kept before it goes."""
    said = tocsin("job", "rm", "hello")
    assert desk.asked[-1] == PutJobs([], {"hello": 3}, remove=["hello"])
    kept = re.fullmatch(r"removed hello\nundo: tocsin apply (\S+)\n", said.out)
    assert kept is not None
    assert json.loads(Path(kept[1]).read_text())["jobs"]["hello"]["timeout"] == "1m"


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["job", "show", "helo"], 'there is no job helo\n  did you mean "hello"?'),
        (["job", "rm", "hello", "zzz"], "there is no job zzz\n  see: tocsin job list"),
        (["run", "kill", "01X"], "there is no run 01X\n  see: tocsin run list"),
        (["agent", "accept", "ab"], "no host waits with the fingerprint ab"),
    ],
)
def test_what_is_not_there_is_exit_code_4(
    tocsin: Tocsin, desk: Desk, arguments: list[str], said: str
) -> None:
    """Nothing is done to the others that were named."""
    found = tocsin(*arguments)
    assert found.code == 4
    assert said in found.err
    assert not any(isinstance(ask, PutJobs | KillRuns | AcceptAgent) for ask in desk.asked)


def test_running_and_waiting_tells_by_the_exit_code(tocsin: Tocsin, shop: Shop) -> None:
    """0 when all succeeded, 1 when one did not, or the time is up."""
    said = tocsin("job", "run", "hello", "--wait")
    assert said.code == 0
    assert said.out.startswith("run 01J is queued\nundo: tocsin run kill 01J\n")
    assert tocsin("run", "wait", "01j").code == 0
    shop.runs["01J"] = msgspec.structs.replace(_OVER, state=RunState.FAILED)
    assert tocsin("run", "wait", "01J").code == 1
    (waited,) = json.loads(tocsin("job", "run", "hello", "--wait", "-o", "json").out)
    assert waited["state"] == "failed"
    shop.runs["01J"] = RUN
    said = tocsin("run", "wait", "01J", "--timeout", "0.1s")
    assert said.code == 1
    assert "the time is up" in said.err


@pytest.mark.usefixtures("shop")
def test_runs_are_listed_shown_and_killed(tocsin: Tocsin, desk: Desk) -> None:
    """Filters go to the coordinator."""
    assert "01J  hello  succeeded" in tocsin("run", "list").out
    tocsin("run", "list", "--job", "hello", "--state", "failed", "--state", "lost", "-n", "7")
    assert desk.asked[-1] == ListRuns("hello", [RunState.FAILED, RunState.LOST], "", 7)
    shown = json.loads(tocsin("run", "show", "01J", "-o", "json").out)
    assert shown["earlier_attempts"] == []
    said = tocsin("run", "kill", "01J")
    assert said.out.startswith("run 01J of hello is being ended\nundo: ")


def test_a_group_is_shown_with_its_runs_and_repeated(
    tocsin: Tocsin, shop: Shop, desk: Desk
) -> None:
    """What is repeated is said, and how to undo it."""
    shop.runs = {
        run_id: msgspec.structs.replace(
            _OVER, id=run_id, group="01J", slot=slot, agent=f"web{slot}"
        )
        for slot, run_id in enumerate(["01J", "01K"])
    }
    assert "its group, 2 runs:" in tocsin("run", "show", "01K").out
    shown = json.loads(tocsin("run", "show", "01J", "-o", "json").out)
    assert [run["agent"] for run in shown["group_runs"]] == ["web0", "web1"]

    said = tocsin("run", "rerun", "01K", "--failed")

    assert said.out == "run 01NEW is queued\nundo: tocsin run kill 01NEW\n"
    assert desk.asked[-1] == RerunRuns(["01K"], failed_only=True)


def test_parameters_are_given_and_checked(tocsin: Tocsin, shop: Shop, desk: Desk) -> None:
    """A name that is not known says which one was meant."""
    row = shop.rows["hello"]
    params: dict[str, str | None] = {"days": "7", "host": None}
    job = msgspec.structs.replace(row.job, params=params)
    shop.rows["hello"] = msgspec.structs.replace(row, job=job)

    assert tocsin("job", "run", "hello", "--param", "host=a", "--param", "days=3").code == 0
    assert RunJobs(["hello"], {"hello": {"host": "a", "days": "3"}}) in desk.asked
    said = tocsin("job", "run", "hello", "--param", "hots=a")
    assert (said.code, 'did you mean "host"?' in said.err) == (1, True)
    assert "--param host=VALUE" in tocsin("job", "run", "hello").err
    assert tocsin("job", "run", "hello", "--param", "host").code == 2


def test_a_run_says_how_much_of_its_output_is_not_kept(tocsin: Tocsin, shop: Shop) -> None:
    """So nobody looks for what cannot be there."""
    shop.runs = {"01J": msgspec.structs.replace(_OVER, output_bytes=7)}
    shop.pieces = [OutputPiece(1, 1, 1, 0, 0, b"out")]
    assert "output      7 bytes; see" in tocsin("run", "show", "01J").out
    shop.pieces += [OutputPiece(2, 1, 1, 3, 0, b"late", gap_bytes=2048)]
    assert "output      7 bytes kept, 2048 not; see" in tocsin("run", "show", "01J").out
    shown = json.loads(tocsin("run", "show", "01J", "-o", "json").out)
    assert shown["output_not_kept_bytes"] == 2048


def test_output_is_printed_byte_for_byte_and_gaps_are_said(tocsin: Tocsin, shop: Shop) -> None:
    """Each stream goes to its own; a stream can be chosen."""
    shop.pieces = [
        OutputPiece(1, 1, 1, 0, 0, b"out\x1b[31m\n"),
        OutputPiece(2, 1, 2, 0, 0, b"err\n"),
        OutputPiece(3, 1, 1, 9, 0, b"", gap_bytes=2048),
        OutputPiece(4, 1, 1, 2057, 0, b"end"),
    ]
    gap = "tocsin: 2 KiB of stdout were not kept here\n"
    assert tocsin("run", "logs", "01J") == (0, "out\x1b[31m\nend", f"err\n{gap}")
    assert tocsin("run", "logs", "01J", "--stream", "stderr") == (0, "", "err\n")
    assert tocsin("run", "logs", "01J", "--stream", "stdout", "-f").out == "out\x1b[31m\nend"


@pytest.mark.parametrize(
    ("offset", "gap_bytes", "said"),
    [
        (4, 3072, "tocsin: 1 KiB of stdout were not kept here\n"),
        (4, 2048, ""),
        (2052, 0, ""),
        (3076, 0, "tocsin: 1 KiB of stdout were not kept here\n"),
    ],
)
def test_what_went_while_it_was_followed_is_said(
    tocsin: Tocsin, shop: Shop, offset: int, gap_bytes: int, said: str
) -> None:
    """What comes next may lie behind what was read last, and tell of a gap that was partly read."""
    shop.pieces = [
        OutputPiece(1, 1, 1, 0, 0, b"one\n"),
        OutputPiece(2, 1, 1, 4, 0, b"x" * 2047 + b"\n"),
        OutputPiece(9, 1, 1, offset, 0, b"end", gap_bytes=gap_bytes),
    ]
    shown = "one\n" + "x" * 2047 + "\nend"
    assert tocsin("run", "logs", "01J", "-f") == (0, shown, said)


@pytest.mark.parametrize(
    ("options", "out", "err"),
    [
        (["--tail", "1"], "seven", ""),
        (["--tail", "2"], "six\nseven", ""),
        (["--tail", "3"], "six\nseven", "err\n"),
        (["--tail", "4"], "ree\nsix\nseven", "tocsin: 2 KiB of stdout were not kept here\nerr\n"),
        (["--tail", "2", "--stream", "stderr"], "", "early\nerr\n"),
        (["--tail", "1", "-f", "--attempt", "1"], "six\n", ""),
        (["--tail", "99"], "one\ntwo\nthree\nsix\nseven", None),
    ],
)
def test_the_last_lines(
    tocsin: Tocsin, shop: Shop, options: list[str], out: str, err: str | None
) -> None:
    """They are read from the end; where a stream is cut, as many of its lines as were asked for."""
    shop.pieces = [
        OutputPiece(1, 1, 1, 0, 0, b"one\ntwo\nth"),
        OutputPiece(2, 1, 2, 0, 0, b"early\n"),
        OutputPiece(3, 1, 1, 10, 0, b"ree\n"),
        OutputPiece(4, 1, 1, 14, 0, b"", gap_bytes=2048),
        OutputPiece(5, 1, 2, 6, 0, b"err\n"),
        OutputPiece(6, 1, 1, 2062, 0, b"six\n"),
        OutputPiece(7, 2, 1, 0, 0, b"seven"),
    ]
    said = tocsin("run", "logs", "01J", *options)
    assert (said.code, said.out) == (0, out)
    assert err is None or said.err == err


def test_lines_with_their_times(tocsin: Tocsin, shop: Shop) -> None:
    """A line that came in pieces has the time of the first, whatever the other stream says."""
    at_us = 1_767_225_600 * SECOND_US
    shop.pieces = [
        OutputPiece(1, 1, 1, 0, at_us, b"one\n\r..\rtw"),
        OutputPiece(2, 1, 2, 0, at_us + 1, b"err\n"),
        OutputPiece(3, 1, 1, 7, at_us + 2, b"o"),
        OutputPiece(4, 1, 1, 8, at_us + 3, b"\nthree\n\xff"),
        OutputPiece(5, 1, 1, 90, at_us + 4, b"", gap_bytes=2048),
        OutputPiece(6, 1, 1, 99, at_us + 5, b"end"),
        OutputPiece(7, 2, 1, 0, at_us + 6, b"again\n"),
    ]
    said = tocsin("run", "logs", "01J", "-t")
    day = "2026-01-01T00:00:00"
    assert said.out.replace(day, "") == (
        ".000000Z one\n.000000Z \r..\rtwo\n.000003Z three\n.000003Z \ufffd"
        ".000005Z end.000006Z again\n"
    )
    assert said.err.startswith(f"{day}.000001Z err\n")


@pytest.mark.usefixtures("shop")
def test_output_of_an_attempt_that_was_not_made_is_exit_code_4(tocsin: Tocsin) -> None:
    """Nothing printed would look like an attempt that said nothing."""
    said = tocsin("run", "logs", "01J", "--attempt", "9")
    assert said.code == 4
    assert "has no attempt 9: 1 is the last\n  see: tocsin run show" in said.err
    assert tocsin("run", "logs", "01J", "--attempt", "0").code == 2


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("command", [["next", "* * * * *"], ["job", "next", "hello"]])
def test_a_list_of_due_times_is_bounded(tocsin: Tocsin, command: list[str]) -> None:
    """A slip of the finger does not reckon for hours."""
    said = tocsin(*command, "-n", "100000000")
    assert said.code == 2
    assert "1<=x<=10000" in said.err


@pytest.mark.usefixtures("shop")
def test_a_token_is_one_word_on_stdout(tocsin: Tocsin, desk: Desk) -> None:
    """The rest is for people, on stderr; a loopback address is pointed out."""
    options = ["--ttl", "2h", "--uses", "3", "--name", "web*", "--tag", "dc=eu", "--role", "author"]
    said = tocsin("agent", "token", *options)
    assert desk.asked == [CreateToken(7200.0, 3, "web*", {"dc": "eu"}, Role.AUTHOR)]
    assert said.out == f"j1:127.0.0.1:7371:{desk.own.public}:t1.s3cret\n"
    assert "good for 3 hosts until " in said.err
    assert "other hosts cannot reach 127.0.0.1" in said.err
    told = json.loads(tocsin("agent", "token", "--host", "c1", "-o", "json").out)
    assert told["join"].startswith("j1:c1:7371:")
    assert told["expires_at"] == "2026-01-01T00:00:00.000000Z"


@pytest.mark.usefixtures("shop")
def test_a_waiting_host_is_listed_and_accepted(tocsin: Tocsin, desk: Desk) -> None:
    """By the fingerprint that it shows."""
    (waiting,) = json.loads(tocsin("agent", "list", "-o", "json").out)
    said = tocsin("agent", "accept", waiting["fingerprint"])
    assert said.code == 0
    assert desk.asked[-1] == AcceptAgent(waiting["fingerprint"])


@pytest.mark.parametrize(
    ("word", "said"),
    [("x", "a join string begins with j1:"), ("j1:h:1:zz", "damaged or not whole")],
)
def test_a_damaged_join_string_is_refused(tocsin: Tocsin, word: str, said: str) -> None:
    """Before any file is written."""
    found = tocsin("agent", "join", word)
    assert found.code == 2
    assert said in found.err


def test_a_job_that_comes_after_others_says_so(tocsin: Tocsin, shop: Shop) -> None:
    """Beside its schedules, and where it has no due time."""
    row = shop.rows["hello"]
    after = [Dependency(job="dump"), Dependency(job="copy", on=DependencyOn.ANY)]
    job = msgspec.structs.replace(row.job, after=after)
    shop.rows["hello"] = msgspec.structs.replace(row, job=job)
    assert "0 9 * * *; after dump, copy (any)" in tocsin("job", "list").out
    (listed,) = json.loads(tocsin("job", "list", "-o", "json").out)
    assert listed["after"] == [{"job": "dump", "on": "success"}, {"job": "copy", "on": "any"}]

    job = msgspec.structs.replace(job, schedule=[])
    shop.rows["hello"] = msgspec.structs.replace(row, job=job)

    assert tocsin("job", "next", "hello").out == (
        "hello is not due: it runs after dump, copy (any)\n"
    )
