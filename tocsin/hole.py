"""Gives the middle of a file back to the file system, see fallocate(2)."""

from __future__ import annotations

import ctypes
import os
from typing import Final

_KEEP_SIZE: Final = 0x01
_PUNCH_HOLE: Final = 0x02

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]


def punch(path: str, offset: int, length: int) -> None:
    """Free `length` bytes from `offset`; they read as zeros, and the size stays.

    Raises:
        OSError: the file system cannot do that, or the file is not ours.
    """
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if _libc.fallocate(fd, _PUNCH_HOLE | _KEEP_SIZE, offset, length) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(fd)
