"""The schema of a job's `exec` block; light, because it is checked at apply."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1, pattern=r"^[^\x00]*$")]
_Argument = Annotated[str, Meta(pattern=r"^[^\x00]*$")]


class ExecConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `exec` block of a job."""

    program: Annotated[
        _Text, Meta(description="path of the program, or its name to be looked up in `PATH`")
    ]
    args: Annotated[list[_Argument], Meta(description="its arguments, passed as they are")] = []
    config: Annotated[
        Any, Meta(description="anything: it is `config` in the JSON that the program reads")
    ] = None
    cwd: Annotated[_Text | None, Meta(description="working directory; by default the home")] = None
