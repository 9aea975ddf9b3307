"""The schema of a job's `shell` block; light, because the coordinator checks it at apply."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1, pattern=r"^[^\x00]*$")]
_Argument = Annotated[str, Meta(pattern=r"^[^\x00]*$")]
_ExitCode = Annotated[int, Meta(ge=0, le=255)]


class ShellConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `shell` block of a job."""

    command: Annotated[
        _Text | None, Meta(description="a line for /bin/sh -c", extra={"template": False})
    ] = None
    argv: Annotated[
        Annotated[list[_Argument], Meta(min_length=1)] | None,
        Meta(description="a program and its arguments, run without a shell"),
    ] = None
    cwd: Annotated[_Text | None, Meta(description="working directory; by default the home")] = None
    stdin: Annotated[str | None, Meta(description="text that the process reads")] = None
    success_codes: Annotated[
        list[_ExitCode], Meta(min_length=1, description="exit codes that mean success")
    ] = msgspec.field(default_factory=lambda: [0])

    def __post_init__(self) -> None:
        if (self.command is None) == (self.argv is None):
            raise ValueError("exactly one of `command` and `argv` must be given")
        if self.argv is not None and not self.argv[0]:
            raise ValueError("the first item of `argv` names the program and cannot be empty")
