"""Names of jobs: readable, allowed by the job file, unique, and the same for the same input."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from tocsin.model import NAME_LENGTH_MAX

_SLUG_CHARS: Final = 60
_NOT_ALLOWED: Final = re.compile(r"[^A-Za-z0-9._/-]+")
_NAMELESS: Final = "job"
# German and Nordic letters that Unicode does not take apart.
_SPELLED: Final = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d"})


def slug(text: str, chars: int = _SLUG_CHARS) -> str:
    """The text as a part of a name: ASCII, with `-` for what a name cannot hold; may be empty."""
    plain = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    plain = plain.encode("ascii", "ignore").decode()
    plain = re.sub(r"-{2,}", "-", _NOT_ALLOWED.sub("-", plain))
    return plain.lstrip("-._/")[:chars].rstrip("-._/")


class Names:
    """Gives each job a name that no other has."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._taken: set[str] = set()

    def claim(self, wanted: str) -> str:
        """The wanted name, or the first of `wanted-2`, `wanted-3`, … that is free."""
        base = self._prefix + (wanted or _NAMELESS)
        name = base[:NAME_LENGTH_MAX]
        number = 1
        while name in self._taken:
            number += 1
            end = f"-{number}"
            name = base[: NAME_LENGTH_MAX - len(end)] + end
        self._taken.add(name)
        return name

    def claim_all(self, wanted: Sequence[tuple[str, str]]) -> list[str]:
        """Names for (short, long) pairs: those that share a short one get their long one.

        So the names of two lines do not depend on which of them stands first.
        """
        shorts = [short for short, _ in wanted]
        return [
            self.claim(long if shorts.count(short) > 1 and long else short)
            for short, long in wanted
        ]
