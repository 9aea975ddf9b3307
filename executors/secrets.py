"""The values of an attempt's secrets, from files of the agent's host, and where they must not show.

A secret is a file below one folder, `TOCSIN_SECRETS` in the environment of an executor's host,
whose name a job gives (`pg/backup`). Its value is read for each attempt anew, and kept nowhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from tocsin.errors import ExecutorError

FOLDER_VARIABLE: Final = "TOCSIN_SECRETS"
VALUE_BYTES_MAX: Final = 64 << 10
MASKED_CHARS_MIN: Final = 4
"""A shorter value is not masked: it would turn up in every other word."""
_MASK: Final = "***"


def resolve(secrets: Mapping[str, str], folder: str | None) -> dict[str, str]:
    """The values of an attempt's secrets, by the names of their variables.

    Raises:
        ExecutorError: one of them cannot be had; says which, and why.
    """
    if secrets and not folder:
        raise ExecutorError("this agent has no folder for secrets", "set secrets_dir in agent.toml")
    return {name: _value(name, entry, folder or "") for name, entry in secrets.items()}


def _value(name: str, entry: str, folder: str) -> str:
    parts = PurePosixPath(entry).parts
    if not parts or entry.startswith("/") or ".." in parts or "\0" in entry:
        raise ExecutorError(f"secret {name}: {entry!r} is not the name of a file below {folder}")
    try:
        fd = os.open(f"{folder}/{entry}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ExecutorError(f"secret {name}: {folder}/{entry}: {error.strerror}") from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ExecutorError(f"secret {name}: {folder}/{entry} is not a file")
        if status.st_mode & stat.S_IROTH:
            why = "everybody on the host can read it"
            raise ExecutorError(f"secret {name}: {folder}/{entry}: {why}; chmod 600 it")
        data = os.read(fd, VALUE_BYTES_MAX + 1)
    finally:
        os.close(fd)
    if len(data) > VALUE_BYTES_MAX or b"\0" in data:
        why = f"holds more than {VALUE_BYTES_MAX} bytes, or a NUL byte"
        raise ExecutorError(f"secret {name}: {folder}/{entry} {why}")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ExecutorError(f"secret {name}: {folder}/{entry} is not UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")


class Mask:
    """Puts `***` where a secret would show."""

    def __init__(self, values: Sequence[str]) -> None:
        lines = {line for value in values for line in (value, *value.splitlines())}
        shown = [line for line in lines if len(line) >= MASKED_CHARS_MIN]
        self._words = sorted(shown, key=len, reverse=True)
        self._bytes = [word.encode() for word in self._words]

    def text(self, text: str) -> str:
        """A text without secrets."""
        for word in self._words:
            text = text.replace(word, _MASK)
        return text

    def plain(self, value: Any) -> Any:  # noqa: ANN401 - plain data of any kind
        """Plain data without secrets in any of its strings."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.plain(key): self.plain(item) for key, item in value.items()}
            case list():
                return [self.plain(item) for item in value]
            case _:
                return value

    def data(self, data: bytes) -> bytes:
        """Bytes without the secrets that stand whole in them."""
        for word in self._bytes:
            data = data.replace(word, _MASK.encode())
        return data

    def held(self, data: bytes) -> int:
        """How many bytes at the end of `data` may be the beginning of a secret."""
        most = max((len(word) for word in self._bytes), default=1) - 1
        for size in range(min(most, len(data)), 0, -1):
            tail = data[-size:]
            if any(word.startswith(tail) for word in self._bytes):
                return size
        return 0
