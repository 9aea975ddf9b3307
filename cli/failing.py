"""What a command that fails says, and the exit code it says it with.

| code | meaning |
|---|---|
| 0 | it is done |
| 1 | a run did not succeed, or the coordinator declined |
| 2 | bad usage, or a file, schedule or setting that is wrong |
| 3 | the coordinator cannot be reached |
| 4 | there is no such job, run or agent |
| 5 | `plan --exit-code`: there is something to do |
| 130 | interrupted |
| 141 | nobody reads the output any more |
"""

from __future__ import annotations

import sys
from typing import Final

from tocsin.errors import (
    ConfigError,
    JobFileError,
    LinkError,
    ProtocolError,
    TocsinError,
)

OK: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
UNREACHABLE: Final = 3
NOT_FOUND: Final = 4
CHANGES: Final = 5
INTERRUPTED: Final = 130
NOBODY_READS: Final = 141


class NotFoundError(TocsinError):
    """What a command names is not there."""


def say(error: TocsinError) -> None:
    """The cause, then the next step."""
    if isinstance(error, JobFileError):
        count = len(error.faults)
        lines = [*error.faults, f"tocsin: {count} fault{'s' * (count != 1)}"]
    else:
        lines = [f"tocsin: {error.message}"]
    if error.hint:
        lines.append(f"  {error.hint}")
    sys.stderr.write("\n".join(lines) + "\n")


def exit_code(error: TocsinError) -> int:
    """The exit code for an error that nobody handled."""
    match error:
        case NotFoundError():
            return NOT_FOUND
        case LinkError() | ProtocolError():
            return UNREACHABLE
        case ConfigError():
            return BAD_INPUT
        case _:
            return FAILED
