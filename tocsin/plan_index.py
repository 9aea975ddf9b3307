"""The index of a plan: a short word for all that the plan was compared with, and when.

`mjuohs3f-3f2a9c01de`: the millisecond of the coordinator's clock in base 36, and a hash over names
and versions. Who applies with an index is refused when any of it has changed since; the time says
from when on to look for who changed it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from tocsin.model import Calendar, Pool

MILLISECOND_US: Final = 1000
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_FORM: Final = re.compile(r"([0-9a-z]{1,11})-([0-9a-f]{10})")
_HASH_CHARS: Final = 10


def shared_key(thing: Calendar | Pool) -> str:
    """`calendar NAME` or `pool NAME`."""
    return f"{'calendar' if isinstance(thing, Calendar) else 'pool'} {thing.name}"


def shared_digest(thing: Calendar | Pool | None) -> str:
    """What stands for a version of a calendar or a pool; "" for one that does not exist."""
    if thing is None:
        return ""
    return hashlib.sha256(msgspec.json.encode(thing)).hexdigest()[:_HASH_CHARS]


def hash_of(
    versions: Mapping[str, int], shared: Mapping[str, str], options: Iterable[str] = ()
) -> str:
    """The hash over what a plan was compared with, and the options that chose it.

    `versions` are those of jobs (0: there is none), `shared` the digests of what they share.
    """
    said = (sorted(versions.items()), sorted(shared.items()), list(options))
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:_HASH_CHARS]


def index_of(compared: str, at_us: int) -> str:
    """The index of a plan that was made at an instant, from the hash of what it compared."""
    left, text = at_us // MILLISECOND_US, ""
    while left:
        left, digit = divmod(left, len(_DIGITS))
        text = _DIGITS[digit] + text
    return f"{text or '0'}-{compared}"


def parse_index(text: str) -> tuple[int, str]:
    """The instant and the hash of an index.

    Raises:
        ValueError: it is none.
    """
    found = _FORM.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is no index of a plan")
    return int(found[1], len(_DIGITS)) * MILLISECOND_US, found[2]
