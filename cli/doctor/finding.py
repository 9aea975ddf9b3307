"""What a check has found."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias


class Verdict(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and will not for ever, or not everywhere."""
    FAULT = "fault"


class Finding(NamedTuple):
    """One thing that was looked at."""

    check: str
    verdict: Verdict
    said: str
    mend: str = ""
    """What to do about it: a command, where one does it."""


Findings: TypeAlias = Iterator[Finding]


def fine(check: str, said: str) -> Finding:
    """It is as it should be."""
    return Finding(check, Verdict.OK, said)


def warning(check: str, said: str, mend: str) -> Finding:
    """It should be mended some day."""
    return Finding(check, Verdict.WARNING, said, mend)


def fault(check: str, said: str, mend: str) -> Finding:
    """It has to be mended."""
    return Finding(check, Verdict.FAULT, said, mend)
