"""What an executor is to be told so that it succeeds, fails, lingers, resists: its specimen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Block = dict[str, Any]
"""The block of an executor in a job file."""


class Specimen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Blocks that make one executor do what the contract speaks of.

    A block that is left out leaves out the checks that need it, and they say so.
    """

    succeed: Block
    """Succeeds, within a second or so."""
    greet: Block | None = None
    """Succeeds, and its output is `greet_stdout` and `greet_stderr`."""
    greet_stdout: str = "hello\n"
    greet_stderr: str = ""
    fail: Block | None = None
    """Begins, and fails within a second or so."""
    fail_message: str = ""
    """What the message of that failure holds."""
    fail_exit_code: int | None = None
    linger: Block | None = None
    """Runs for minutes, and ends at once when asked to."""
    resist: Block | None = None
    """Runs for minutes, and when asked to end goes on as long as it is let."""
    refuse: Block | None = None
    """Cannot be started: `start` raises `ExecutorError`."""
    flood: Block | None = None
    """Succeeds, and writes at least `flood_bytes` to standard output."""
    flood_bytes: Annotated[int, Meta(ge=1)] = 64 << 20
    secret: Block | None = None
    """Succeeds, and makes use of the secret `TOKEN`, as `{{ secret.TOKEN }}` or as a variable."""
    at_once: Annotated[int, Meta(ge=1, le=1000)] = 200
    """So many of `linger` can be under way together."""

    def blocks(self) -> dict[str, Block]:
        """The blocks that are there, by what they make it do."""
        names = ("succeed", "greet", "fail", "linger", "resist", "refuse", "flood", "secret")
        return {name: block for name in names if (block := getattr(self, name)) is not None}


OneSpecimen = Specimen | Callable[[], AbstractContextManager[Specimen]]
"""A specimen; or what makes one and takes it away, together with a server that it needs."""
AnySpecimen = OneSpecimen | Mapping[str, OneSpecimen]
"""What a module's `SPECIMEN` may be; by the executor's name where the package has several."""
