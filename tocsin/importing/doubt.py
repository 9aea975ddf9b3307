"""A doubt: one thing of the input that a person should look at, and where it stands."""

from __future__ import annotations

import enum

import msgspec


class Weight(enum.StrEnum):
    """How much a doubt asks of its reader."""

    NOTE = "note"
    """Decided, and safe as it is; worth knowing."""
    CHECK = "check"
    """Carried over, but it may behave otherwise."""
    LOST = "lost"
    """Not carried over, or not yet able to run."""


class Place(msgspec.Struct, frozen=True):
    """Where something stands in the input; `line` counts from 1, `job` is its name in Tocsin."""

    source: str = ""
    line: int | None = None
    job: str = ""

    def of(self, job: str) -> Place:
        """The same place, as part of a job."""
        return Place(self.source, self.line, job)


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """What is doubted (`about`, as the input has it), what was done, and what to check."""

    place: Place
    weight: Weight
    about: str
    done: str
    check: str = ""


class Doubts:
    """The doubts of one import, in the order in which they came up."""

    def __init__(self) -> None:
        self.found: list[Doubt] = []
        self._once: set[str] = set()

    def note(self, place: Place, about: str, done: str, check: str = "") -> None:
        """Keep what is decided and safe."""
        self._add(Weight.NOTE, place, about, done, check)

    def check(self, place: Place, about: str, done: str, check: str = "") -> None:
        """Keep what is carried over and may behave otherwise."""
        self._add(Weight.CHECK, place, about, done, check)

    def lost(self, place: Place, about: str, done: str, check: str = "") -> None:
        """Keep what is not carried over."""
        self._add(Weight.LOST, place, about, done, check)

    def once(self, weight: Weight, about: str, done: str, check: str = "") -> None:
        """Keep what holds for the whole import; a second time it is the same doubt."""
        if about not in self._once:
            self._once.add(about)
            self._add(weight, Place(), about, done, check)

    def _add(self, weight: Weight, place: Place, about: str, done: str, check: str) -> None:
        self.found.append(Doubt(place=place, weight=weight, about=about, done=done, check=check))
