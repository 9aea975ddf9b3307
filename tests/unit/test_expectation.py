"""What a job expects of its output and exit code."""

from __future__ import annotations

import pytest

from tocsin.execution import Expect, Outcome, Status
from tocsin.expectation import by_exit_code, by_output, faults

GOOD = Outcome(Status.SUCCEEDED, 0)


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        (0, Status.SUCCEEDED, Status.FAILED),
        (1, Status.FAILED, Status.SUCCEEDED),
        (2, Status.FAILED, Status.FAILED),
        (1, Status.CANCELLED, Status.CANCELLED),
        (1, Status.LOST, Status.LOST),
        (None, Status.FAILED, Status.FAILED),
    ],
)
def test_exit_codes(code: int | None, before: Status, after: Status) -> None:
    """The codes that are expected decide, and only over success and failure."""
    assert by_exit_code(Expect(exit_codes=[1]), Outcome(before, code)).status is after


@pytest.mark.parametrize(
    ("expect", "stdout", "wrong"),
    [
        (Expect(match="^done$"), b"a\ndone\n", ""),
        (Expect(match="done"), b"", "the output does not match done"),
        (Expect(match="oh"), b"", ""),
        (Expect(not_match="(?i)error"), b"fine", ""),
        (Expect(not_match="ERR.*"), b"x\nERR 7\n", "the output matches ERR.*: ERR 7"),
        (Expect(json={"a.b[1]": 2}), b'{"a": {"b": [1, 2]}}', ""),
        (Expect(json={"a": "x"}), b'{"a": "y"}', 'a is "y"; expected "x"'),
        (Expect(json={"a": True}), b'{"a": 1}', "a is 1; expected true"),
        (Expect(json={"a.b": 1}), b'{"a": []}', "the output has no a.b"),
        (Expect(json={"a": 1}), b"\xff{", "the output is not JSON"),
    ],
)
def test_output(expect: Expect, stdout: bytes, wrong: str) -> None:
    """A success stands when the output is as expected, else it fails and says why."""
    outcome = by_output(expect, GOOD, stdout, b"oh\n")
    assert outcome.message == wrong
    assert outcome.status is (Status.FAILED if wrong else Status.SUCCEEDED)


def test_a_failure_stays_one() -> None:
    """Output cannot make a success of a failure."""
    bad = Outcome(Status.FAILED, 3, "exit code 3")
    assert by_output(Expect(match="x"), bad, b"x", b"") == bad


@pytest.mark.parametrize(
    ("expect", "key"),
    [
        (Expect(match="("), "match"),
        (Expect(not_match="*"), "not_match"),
        (Expect(match="x" * 1001), "match"),
        (Expect(json={"a..b": 1}), "json"),
        (Expect(json={"": 1}), "json"),
    ],
)
def test_faults(expect: Expect, key: str) -> None:
    """What cannot be looked for is refused at apply."""
    assert [found for found, _ in faults(expect)] == [key]
