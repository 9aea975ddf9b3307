"""What truly befell the coordinator's time, and whether records blame the right thing for it."""

from __future__ import annotations

from typing import Final

from tocsin.model import Job, Run, RunState, SkipReason, Trigger

from .evidence import Violation
from .oracle import SECOND_US

WORDS: Final = {"was down": "down", "set forward": "step", "stood still": "stall", "late by": ""}
EXPLAINED: Final = frozenset({SkipReason.MISSED, SkipReason.CATCHUP_LIMIT})
EDGE_US: Final = 2 * SECOND_US
"""Nearer to the edges of an absence nothing is certain."""


class Reasons:
    """The world's own account of what befell the coordinator."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        """What has happened at all."""
        self._absences: list[tuple[int, int]] = []
        self._gone_us: int | None = None

    def went(self, wall_us: int) -> None:
        """The coordinator died."""
        self.kinds.add("down")
        self._gone_us = wall_us

    def came(self, wall_us: int) -> None:
        """The next one is there."""
        if self._gone_us is not None:
            self._absences.append((self._gone_us, wall_us))
        self._gone_us = None

    def check(self, run: Run, job: Job) -> None:
        """A record of a due time that was late blames what happened then."""
        if run.state is RunState.SKIPPED:
            if run.reason not in EXPLAINED:
                return
            blamed, words = run.facts.get("incident", ""), str(run.facts.get("because", ""))
        elif run.trigger is Trigger.CATCHUP and not job.after:
            words = run.cause
            blamed = next((kind for text, kind in WORDS.items() if text in words), "")
        else:
            return
        if not any(text in words for text in WORDS):
            raise Violation("blame", f"says {words!r}", run.id)
        if blamed and blamed not in self.kinds:
            raise Violation("blame", f"blames {words!r}, and there was only {self.kinds}", run.id)
        if self.kinds == {"down"} and self._was_away(run.due_us or 0) and blamed != "down":
            raise Violation("blame", f"blames {words!r}, and nobody was there", run.id)

    def _was_away(self, due_us: int) -> bool:
        return any(a_us + EDGE_US < due_us < b_us - EDGE_US for a_us, b_us in self._absences)
