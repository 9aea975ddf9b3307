"""What a check comes to."""

from __future__ import annotations

import enum
from typing import NoReturn

import msgspec


class Verdict(enum.StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    LEFT_OUT = "left out"


class Result(msgspec.Struct, frozen=True, kw_only=True, tag="result"):
    """One check, and what it came to."""

    check: str
    sentence: str
    """What it holds an executor to."""
    verdict: Verdict
    expected: str = ""
    happened: str = ""
    """Of one that was left out: why."""
    hint: str = ""

    def __str__(self) -> str:
        """For people, on one line or several."""
        lines = [f"{self.verdict:8}  {self.check:20}  {self.sentence}"]
        told = [("expected", self.expected), ("happened", self.happened), ("hint", self.hint)]
        if self.verdict is Verdict.LEFT_OUT:
            lines[0] = f"{self.verdict:8}  {self.check:20}  {self.happened}"
            told = [("hint", self.hint)]
        for name, text in told:
            first, *more = text.splitlines() or [""]
            lines += [f"            {name:9} {first}"] if first else []
            lines += [f"                      {line}" for line in more]
        return "\n".join(lines)


class Finding(Exception):  # noqa: N818 - named for the fact
    """What a check found wrong."""

    def __init__(self, expected: str, happened: str, hint: str = "") -> None:
        super().__init__(f"expected {expected}; {happened}")
        self.expected = expected
        self.happened = happened
        self.hint = hint


class LeftOut(Exception):  # noqa: N818 - named for the fact
    """Why a check cannot be made."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


def find(expected: str, happened: str, hint: str = "") -> NoReturn:
    """A check has found something wrong.

    Raises:
        Finding: always.
    """
    raise Finding(expected, happened, hint)
