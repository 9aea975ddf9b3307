"""Ends a reckoning that takes too long, in the middle of it.

A regular expression can take longer than anybody lives, and nothing else happens meanwhile: `re`
holds the interpreter, but it looks for signals as it goes. So the time that the process computes
is measured by a timer whose signal ends the match. Waiting for a busy machine does not count.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooLongError(Exception):
    """It took longer than it was allowed to."""


@contextmanager
def cpu_limit(limit_s: float) -> Iterator[None]:
    """Let what is inside compute for so long at most; in the main thread, and not in itself.

    Raises:
        TooLongError: it took longer; whatever was under way is left as it was at that moment.
    """
    signal.signal(signal.SIGVTALRM, _end)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        # What came in between is of a match that is over.
        signal.signal(signal.SIGVTALRM, signal.SIG_IGN)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise TooLongError
