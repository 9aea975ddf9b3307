"""What the end of a process means for its run."""

from __future__ import annotations

import signal
from collections.abc import Collection
from typing import Final, NamedTuple

from tocsin.execution import Status

SIGNAL_BASE: Final = 128
"""A shell's exit code for a death by signal n is this plus n."""
NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
_MEANINGS: Final = {NOT_EXECUTABLE: "not executable", NOT_FOUND: "command not found"}


class Verdict(NamedTuple):
    """How a run ended, the exit code that a shell would give it, and why it failed."""

    status: Status
    exit_code: int
    message: str


def verdict(code: int, success_codes: Collection[int], *, cancelled: bool) -> Verdict:
    """The verdict on an exit code, or on the negative number of the signal that was the end."""
    message = ""
    if code < 0:
        message = f"killed by {_signal_name(-code)}"
        code = SIGNAL_BASE - code
    if cancelled:
        return Verdict(Status.CANCELLED, code, message)
    if code in success_codes:
        return Verdict(Status.SUCCEEDED, code, "")
    meaning = _MEANINGS.get(code)
    said = f"exit code {code} ({meaning})" if meaning else f"exit code {code}"
    return Verdict(Status.FAILED, code, message or said)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return f"signal {number}"
