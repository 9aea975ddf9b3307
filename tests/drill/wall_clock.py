"""The coordinator's wall clock, which can be set; that of everybody else cannot.

libfaketime (github.com/wolfcw/libfaketime) shows a process another wall clock than the machine's,
and the true steady clock; alarms on the wall clock follow it from when they are next set. What it
does not do is what a kernel does when its clock is set: ring such alarms.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tocsin import clock
from tocsin.instants import SECOND_US

from .witness import true_us

_PLACES: Final = ("/usr/lib", "/usr/local/lib", "/lib")
_LIBRARY: Final = "libfaketimeMT.so.1"


def find_library() -> Path | None:
    """Where libfaketime is, if it is installed."""
    for place in _PLACES:
        for path in [*Path(place).glob(f"*/faketime/{_LIBRARY}"), *Path(place).glob(_LIBRARY)]:
            return path
    return None


class WallClock:
    """What the coordinator's wall clock shows at every true instant."""

    def __init__(self, file: Path, library: Path | None) -> None:
        self._file = file
        self._library = library
        self._base_us = clock.now_us() - true_us()
        self._spans: list[tuple[int, int]] = [(0, 0)]
        """From which true instant on it is how wrong."""
        self._write(0)

    @property
    def can_step(self) -> bool:
        """Whether it can be set."""
        return self._library is not None

    @property
    def offset_us(self) -> int:
        """How wrong it is."""
        return self._spans[-1][1]

    def environ(self) -> dict[str, str]:
        """What shows this clock to a process."""
        if self._library is None:
            return {}
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def step(self, by_s: int) -> None:
        """Set it forward or back."""
        offset_us = self.offset_us + by_s * SECOND_US
        self._write(offset_us)
        self._spans.append((true_us(), offset_us))

    def _write(self, offset_us: int) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset_us // SECOND_US:+d}\n")
        fresh.replace(self._file)

    def wall_us(self) -> int:
        """What it shows."""
        return true_us() + self._base_us + self.offset_us

    def shown_us(self, at_us: int) -> int:
        """What it showed at a true instant."""
        offset_us = next(off for since, off in reversed(self._spans) if since <= at_us)
        return at_us + self._base_us + offset_us

    def true_instants_us(self, wall_us: int, slack_us: int = SECOND_US // 2) -> list[int]:
        """The true instants at which it may have shown this, earliest first; perhaps none."""
        return list(self._candidates_us(wall_us, slack_us))

    def reached_us(self, wall_us: int) -> int:
        """The first true instant at which it showed this or later."""
        ends = [since for since, _ in self._spans[1:]] + [1 << 62]
        return next(
            max(since_us, wall_us - self._base_us - offset_us)
            for (since_us, offset_us), until_us in zip(self._spans, ends, strict=True)
            if wall_us - self._base_us - offset_us < until_us
        )

    def _candidates_us(self, wall_us: int, slack_us: int) -> Iterator[int]:
        ends = [since for since, _ in self._spans[1:]] + [1 << 62]
        for (since_us, offset_us), until_us in zip(self._spans, ends, strict=True):
            at_us = wall_us - self._base_us - offset_us
            if since_us - slack_us <= at_us <= until_us + slack_us:
                yield at_us

    def steps_between(self, from_us: int, until_us: int) -> list[int]:
        """By how much it was set between two true instants."""
        pairs = zip(self._spans, self._spans[1:], strict=False)
        return [new[1] - old[1] for old, new in pairs if from_us <= new[0] <= until_us]
