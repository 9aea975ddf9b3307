"""An alarm on the wall clock: never early, and it rings when somebody sets the clock.

timerfd_create(2) with TFD_TIMER_CANCEL_ON_SET; Python has it since 3.13, before that ctypes.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from typing import Final

_CANCEL_ON_SET: Final = 2
_ABSTIME: Final = 1
_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC  # TFD_NONBLOCK and TFD_CLOEXEC are the same bits
_NOTHING_TO_READ: Final = (errno.EAGAIN, errno.ECANCELED)  # not yet due; the clock was set
_LATEST_NS: Final = 1 << 62  # below what the kernel's clock can hold


class Alarm:
    """Readable (`fd`) from the instant it was set to, or from a step of the clock, whichever first.

    Raises:
        OSError: the kernel has no descriptor left.
    """

    def __init__(self) -> None:
        self.fd, self._set = _open()
        self._at_us: int | None = None

    def set(self, at_us: int | None) -> bool:
        """Ring at `at_us`, or not at all. True: the clock was set meanwhile; that rang too."""
        if at_us == self._at_us:
            return False
        self._at_us = at_us
        at_ns = 0 if at_us is None else min(max(at_us * 1000, 1), _LATEST_NS)
        try:
            self._set(at_ns)
        except OSError as error:
            if error.errno == errno.ECANCELED:
                return True
            raise
        return False

    def acknowledge(self, now_us: int) -> bool:
        """Stop ringing. False: it rang too early for a clock that shows `now_us`.

        That clock is not the kernel's (libfaketime shows such a one), so setting this alarm to
        the same instant again would only make it ring again.
        """
        try:
            os.read(self.fd, 8)
        except OSError as error:
            if error.errno not in _NOTHING_TO_READ:
                raise
        else:
            if self._at_us is not None and now_us < self._at_us:
                return False
        self._at_us = None
        return True

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)


def _open() -> tuple[int, Callable[[int], None]]:
    if sys.version_info >= (3, 13):
        fd = os.timerfd_create(time.CLOCK_REALTIME, flags=_FLAGS)

        def set_ns(at_ns: int) -> None:
            os.timerfd_settime_ns(fd, flags=_ABSTIME | _CANCEL_ON_SET, initial=at_ns)

        return fd, set_ns
    return _open_through_ctypes()


def _open_through_ctypes() -> tuple[int, Callable[[int], None]]:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    # struct itimerspec: interval (s, ns), first (s, ns); time_t is a long wherever libzmq is built
    spec = (ctypes.c_long * 4)()

    def checked(result: int) -> int:
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result

    fd = checked(libc.timerfd_create(time.CLOCK_REALTIME, _FLAGS))

    def set_ns(at_ns: int) -> None:
        spec[2], spec[3] = divmod(at_ns, 1_000_000_000)
        checked(libc.timerfd_settime(fd, _ABSTIME | _CANCEL_ON_SET, spec, None))

    return fd, set_ns
