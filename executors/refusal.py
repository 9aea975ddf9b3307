"""The refusal of an executor to start an attempt, with the exit code a shell would give it."""

from __future__ import annotations

from tocsin.errors import ExecutorError


class CannotStart(ExecutorError):  # noqa: N818 - named for the fact, as its siblings are
    """An attempt that was not started; `exit_code` is what a shell says in such a case."""

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
