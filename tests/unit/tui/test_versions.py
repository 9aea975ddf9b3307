"""What a version changed, in words and in lines."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.tui.fleet import BERLIN, NOW_US
from tests.tui.history import VERSIONS
from tocsin.model import JobVersion
from tocsin.tui.versions import change_line, change_words, diff, to_revert_to, with_before

NEW, OLD, FIRST = VERSIONS
GONE = replace(OLD, job=None)


@pytest.mark.parametrize(
    ("version", "before", "said"),
    [
        (NEW, OLD, "timeout: 2m → 5m"),
        (OLD, FIRST, 'schedule: ["*/20 * * * *"] → ["*/15 * * * *"]'),
        (FIRST, None, "created"),
        (NEW, None, ""),
        (GONE, FIRST, "removed"),
        (NEW, GONE, "brought back"),
        (NEW, NEW, "nothing that a job file has"),
    ],
)
def test_words(version: JobVersion, before: JobVersion | None, said: str) -> None:
    """Key by key; of a version whose past is not known, nothing."""
    assert change_words(version, before) == said


def test_line() -> None:
    """Number, when, who, what."""
    assert change_line(NEW, OLD, NOW_US, BERLIN) == "v3 11:33:22 bo  timeout: 2m → 5m"


def test_diff() -> None:
    """Lines of the job file: `-` is how it was, `+` how it became, and what is around them."""
    assert NEW.job is not None
    assert OLD.job is not None
    lines = diff(OLD.job, NEW.job)
    assert ("-timeout: 2m", "bad") in [(line.text, line.tone) for line in lines]
    assert ("+timeout: 5m", "good") in [(line.text, line.tone) for line in lines]
    assert diff(NEW.job, NEW.job) == []
    assert {line.text[0] for line in diff(None, NEW.job)} == {"+"}
    assert {line.text[0] for line in diff(NEW.job, None)} == {"-"}


def test_what_a_revert_goes_to() -> None:
    """The version chosen; from the current one, that before it."""
    assert with_before(VERSIONS, 3) == (NEW, OLD)
    assert with_before(VERSIONS, 1) == (FIRST,)
    assert with_before(VERSIONS, 9) == ()
    assert to_revert_to((NEW, OLD), 3) == OLD
    assert to_revert_to((OLD, FIRST), 3) == OLD
    assert to_revert_to((NEW,), 3) is None
    assert to_revert_to((GONE, FIRST), None) == GONE
