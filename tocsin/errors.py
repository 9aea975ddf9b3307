"""The errors that Tocsin raises on purpose.

::

    TocsinError            message: the cause; hint: the next step
    ├── ConfigError        a file, option or environment variable is wrong
    │   ├── JobFileError   a job file is wrong; carries every fault found
    │   └── ScheduleError  a schedule cannot be understood or can never fire
    ├── ProtocolError      bytes from a peer do not decode to a known message
    ├── InvalidTransition  a machine was told something that cannot have happened
    ├── StoreError         the database or spool cannot be read or written now
    ├── LinkError          a peer cannot be reached, or refuses us
    ├── RequestError       the coordinator understood a request and declined it
    └── ExecutorError      an executor is missing, broken or cannot start
"""

from __future__ import annotations


class TocsinError(Exception):
    """The root of the tree; shown to the user as `message`, then `hint`."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(TocsinError):
    """A file, option or environment variable is wrong."""


class JobFileError(ConfigError):
    """A job file is wrong; `faults` holds one line for each fault found."""

    def __init__(self, faults: list[str], hint: str = "") -> None:
        super().__init__("\n".join(faults), hint)
        self.faults = faults


class ScheduleError(ConfigError):
    """A schedule cannot be understood, or can never fire."""


class ProtocolError(TocsinError):
    """Bytes from a peer do not decode to a known message."""


class InvalidTransition(TocsinError):  # noqa: N818 - named for the fact, as the field does
    """A machine was told something that cannot have happened."""


class StoreError(TocsinError):
    """The database or the spool cannot be read or written at this moment."""


class LinkError(TocsinError):
    """A peer cannot be reached, or refuses us."""


class RequestError(TocsinError):
    """The coordinator understood a request and declined it."""


class ExecutorError(TocsinError):
    """An executor is missing, broken or cannot start."""
