"""The schema of a job's `shell` block; light, because the coordinator checks it at apply."""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from .ulimits import Ulimits

_Text = Annotated[str, Meta(min_length=1, pattern=r"^[^\x00]*$")]
_Argument = Annotated[str, Meta(pattern=r"^[^\x00]*$")]
_Variable = Annotated[str, Meta(pattern=r"^[^=\x00]+$")]
_ExitCode = Annotated[int, Meta(ge=0, le=255)]
_UMASK: Final = re.compile(r"(0o?)?[0-7]{1,3}", re.ASCII)
_Account = _Text | Annotated[int, Meta(ge=0, le=(1 << 32) - 2)]
"""A user or a group, by name or by number."""


class ShellConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `shell` block of a job."""

    command: Annotated[
        _Text | None, Meta(description="a line for /bin/sh -c", extra={"template": False})
    ] = None
    argv: Annotated[
        Annotated[list[_Argument], Meta(min_length=1)] | None,
        Meta(description="a program and its arguments, run without a shell"),
    ] = None
    env: Annotated[
        dict[_Variable, _Argument], Meta(description="variables, over those of the job")
    ] = {}
    cwd: Annotated[_Text | None, Meta(description="working directory; by default the home")] = None
    stdin: Annotated[str | None, Meta(description="text that the process reads")] = None
    stdin_file: Annotated[
        _Text | None, Meta(description="path of a file that the process reads, in place of a text")
    ] = None
    user: Annotated[
        _Account | None, Meta(description="who runs it; by default whoever the agent is")
    ] = None
    group: Annotated[_Account | None, Meta(description="by default the user's own")] = None
    groups: Annotated[
        list[_Account] | None,
        Meta(description="supplementary groups; by default those of the user, `[]`: none"),
    ] = None
    login: Annotated[
        bool, Meta(description="`true`: in a login shell, which reads the user's profile")
    ] = False
    umask: Annotated[
        str | None, Meta(description="octal, in quotes; by default 022", examples=["027"])
    ] = None
    nice: Annotated[
        Annotated[int, Meta(ge=-20, le=19)] | None, Meta(description="niceness, see nice(1)")
    ] = None
    ulimits: Annotated[Ulimits, Meta(description="limits of each process, see prlimit(1)")] = (
        Ulimits()
    )
    unit: Annotated[
        bool | None,
        Meta(description="run as a systemd unit; by default where the agent can have it so"),
    ] = None
    success_codes: Annotated[
        list[_ExitCode], Meta(min_length=1, description="exit codes that mean success")
    ] = msgspec.field(default_factory=lambda: [0])

    def __post_init__(self) -> None:
        if (self.command is None) == (self.argv is None):
            raise ValueError("exactly one of `command` and `argv` must be given")
        if self.argv is not None and not self.argv[0]:
            raise ValueError("the first item of `argv` names the program and cannot be empty")
        if self.stdin is not None and self.stdin_file is not None:
            raise ValueError("only one of `stdin` and `stdin_file` can be given")
        if self.umask is not None and not _UMASK.fullmatch(self.umask):
            raise ValueError(f"`umask`: {self.umask!r} is none; write octal digits such as '027'")
