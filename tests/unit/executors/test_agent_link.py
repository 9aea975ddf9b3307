"""What a host says fits the messages of its link, however much it holds."""

from __future__ import annotations

import msgspec
import pytest

from tocsin.execution import AttemptKey, Outcome, Status
from tocsin.executors import agent_link
from tocsin.executors.agent_link import hello_messages, report_messages
from tocsin.hosting import (
    HOST_MESSAGE_BYTES_MAX,
    FromHost,
    HostHello,
    HostReport,
    RunBegan,
    RunEnded,
)


def ends(count: int, message: str = "") -> list[RunEnded]:
    """Ended attempts."""
    outcome = Outcome(Status.FAILED, 1, message)
    return [RunEnded(AttemptKey(f"E{n}.1"), n or None, n + 1, outcome) for n in range(count)]


def begins(count: int) -> list[RunBegan]:
    """Begun attempts."""
    return [RunBegan(AttemptKey(f"B{n}.1"), n) for n in range(count)]


def decoded(messages: list[bytes]) -> list[FromHost]:
    """The messages, each of them of a size that is taken."""
    assert all(len(data) <= HOST_MESSAGE_BYTES_MAX for data in messages)
    return [msgspec.msgpack.decode(data, type=FromHost) for data in messages]


def reports(messages: list[FromHost]) -> list[HostReport]:
    """The messages, all of them reports."""
    found = [message for message in messages if isinstance(message, HostReport)]
    assert len(found) == len(messages)
    return found


def test_a_usual_report_is_one_message() -> None:
    """What fits is not split."""
    (report,) = reports(decoded(report_messages(begins(2), ends(3))))
    assert report == HostReport(begins(2), ends(3))


@pytest.mark.parametrize(("begun", "ended"), [(0, 25_000), (25_000, 0), (10_001, 3), (1, 10_001)])
def test_a_long_report_is_split(begun: int, ended: int) -> None:
    """Beyond a number of entries there are several messages, and nothing is lost or doubled."""
    split = reports(decoded(report_messages(begins(begun), ends(ended))))
    assert [one for report in split for one in report.began] == begins(begun)
    assert [one for report in split for one in report.ended] == ends(ended)
    assert all(len(report.ended) <= agent_link.ENTRIES_MAX for report in split)


def test_a_heavy_report_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number of bytes too."""
    monkeypatch.setattr(agent_link, "HOST_MESSAGE_BYTES_MAX", 4096)
    heavy = ends(50, "x" * 400)
    messages = report_messages([], heavy)
    assert all(len(data) <= 4096 for data in messages)
    split = reports(decoded(messages))
    assert [one for report in split for one in report.ended] == heavy


def test_a_hello_that_does_not_fit() -> None:
    """The hello names every attempt; the ends it has no room for follow."""
    ended = ends(12_000)
    hello, *rest = decoded(hello_messages(begins(3), ended))
    assert isinstance(hello, HostHello)
    assert hello.running[:3] == begins(3)
    assert [began.key for began in hello.running[3:]] == [end.key for end in ended]
    assert hello.ended == []
    assert [end for report in reports(rest) for end in report.ended] == ended
