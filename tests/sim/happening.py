"""Something from outside that befalls a world."""

from __future__ import annotations

import msgspec

from tocsin.model import Job


class Happening(msgspec.Struct, frozen=True):
    """At a true instant: `who` it befalls, how much or how long, what."""

    at_us: int
    kind: str
    who: int = 0
    amount_us: int = 0
    number: int = 0
    job: Job | None = None
