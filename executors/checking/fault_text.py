"""Where a Python process was when it died or was ended, from what its fault handler wrote.

The form is that of the `faulthandler` module: a line that says what happened, then the frames of
each thread, the innermost first.
"""

from __future__ import annotations

import re
from typing import Final

FRAMES_MAX: Final = 4
_FAULT: Final = re.compile(
    r"^(?:Current thread|Stack) 0x.*\(most recent call first\):\n((?:  .*\n?)*)", re.MULTILINE
)
_OURS: Final = re.compile(r"importlib|<frozen|/tocsin/executors/|/asyncio/|runpy")


def frames(text: str) -> list[str]:
    """The innermost frames, those of the machinery around the executor's own code left out."""
    found = _FAULT.findall(text)
    if not found:
        return []
    every = [line.strip() for line in found[-1].splitlines() if line.strip().startswith("File ")]
    own = [line for line in every if not _OURS.search(line)]
    return (own or every)[:FRAMES_MAX]


def how_it_ended(code: int) -> str:
    """An exit code, or the number of a signal below zero, in words."""
    import signal

    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:  # a real-time signal has no name
        return f"signal {-code}"
