"""Resource limits of a process, see setrlimit(2), as a job file has them."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tocsin.units import parse_size

UNLIMITED: Final = -1
"""The value of `resource.RLIM_INFINITY`, without the module."""
Ulimit = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)] | str


class Ulimits(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Limits by their names in prlimit(1); what is not given stays as the agent has it."""

    address_space: Annotated[Ulimit | None, Meta(description="virtual memory, in bytes")] = (
        msgspec.field(default=None, name="as")
    )
    core: Annotated[Ulimit | None, Meta(description="size of a core file, in bytes")] = None
    cpu: Annotated[Ulimit | None, Meta(description="CPU time, in seconds")] = None
    data: Annotated[Ulimit | None, Meta(description="data segment, in bytes")] = None
    fsize: Annotated[Ulimit | None, Meta(description="size of a file, in bytes")] = None
    memlock: Annotated[Ulimit | None, Meta(description="locked memory, in bytes")] = None
    msgqueue: Annotated[Ulimit | None, Meta(description="message queues, in bytes")] = None
    nice: Annotated[Ulimit | None, Meta(description="20 less the lowest niceness allowed")] = None
    nofile: Annotated[Ulimit | None, Meta(description="open files")] = None
    nproc: Annotated[Ulimit | None, Meta(description="processes of the user")] = None
    rss: Annotated[Ulimit | None, Meta(description="resident memory, in bytes; unused")] = None
    rtprio: Annotated[Ulimit | None, Meta(description="real-time priority")] = None
    rttime: Annotated[Ulimit | None, Meta(description="real-time CPU time, in µs")] = None
    sigpending: Annotated[Ulimit | None, Meta(description="queued signals")] = None
    stack: Annotated[Ulimit | None, Meta(description="stack, in bytes")] = None

    def __post_init__(self) -> None:
        self.pairs()

    def pairs(self) -> dict[str, tuple[int, int]]:
        """Those that are given, by name: soft and hard limit, -1 for none at all.

        Raises:
            ValueError: one makes no sense.
        """
        # Each run asks, and most have none: `structs.fields` would cost as much as the spawn.
        names = zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True)
        given = ((name, getattr(self, field)) for field, name in names)
        return {name: _pair(name, value) for name, value in given if value is not None}


def _pair(name: str, value: int | str) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    first, _, second = value.partition(":")
    try:
        soft, hard = _one(first), _one(second or first)
    except ValueError:
        how = "a number, a size such as 64MiB, `unlimited`, or two of them as SOFT:HARD"
        raise ValueError(f"`{name}`: {value!r} is no limit; write {how}") from None
    if hard != UNLIMITED and (soft == UNLIMITED or soft > hard):
        raise ValueError(f"`{name}`: the soft limit is above the hard one")
    return soft, hard


def _one(text: str) -> int:
    return UNLIMITED if text == "unlimited" else parse_size(text)
