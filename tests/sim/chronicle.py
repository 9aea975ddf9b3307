"""What was due when, as the coordinator's durable decisions made it; and what got a record.

Definitions change and pauses begin at some *horizon*: the latest due time that was dealt with by
then. Due times up to it belong to the term before, later ones to the term behind it, however the
wall clock jumps.
"""

from __future__ import annotations

from collections import defaultdict

from tocsin.model import Job, JobRow, Run

from .evidence import Term, Violation
from .oracle import dues_us, is_due, next_due_us


class Chronicle:
    """The terms of all jobs, and the record of each of their due times."""

    def __init__(self) -> None:
        self.terms: list[Term] = []
        self.recorded: dict[int, dict[int, str]] = defaultdict(dict)
        """By job: the group of the record of each due time."""
        self._open: dict[int, Term] = {}
        self._reached: dict[int, int] = {}
        """By job: the latest wall clock of a tick, or the beginning, of its present term."""
        self._checked: dict[int, int] = {}
        """By job: up to here no due time is without a record."""

    def saved(self, row: JobRow, wall_us: int) -> None:
        """A definition, or whether it is paused, was changed."""
        old = self._open.get(row.id)
        after_us = wall_us
        if old is not None:
            at_us = self._close(row.id, wall_us)
            if _same_times(old.job, row.job):
                after_us = at_us
            else:
                after_us = max(wall_us, max(self.recorded[row.id], default=0))
        term = Term(
            row.id, row.job, row.version, row.paused, after_us, pause_until_us=row.pause_until_us
        )
        self._open[row.id] = term
        self._reached[row.id] = after_us
        self.terms.append(term)

    def dropped(self, job_id: int, wall_us: int) -> None:
        """A job was removed."""
        if job_id in self._open:
            self._close(job_id, wall_us)
            del self._open[job_id], self._reached[job_id]

    def _close(self, job_id: int, wall_us: int) -> int:
        term = self._open[job_id]
        term.until_us = max(self._reached[job_id], wall_us)
        self._check(term, term.until_us)
        return term.until_us

    def ticked(self, wall_us: int) -> None:
        """The coordinator dealt with everything due by now."""
        for job_id, reached_us in self._reached.items():
            self._reached[job_id] = max(reached_us, wall_us)

    def record(self, run: Run) -> Term:
        """A record was made of one due time, or of several; the term that they fall into."""
        assert run.due_us is not None
        last_us = run.due_us if run.due_last_us is None else run.due_last_us
        found = [t for t in self.terms if t.job_id == run.job_id and _holds(t, last_us)]
        if not found:
            raise Violation("due", f"{last_us} was not due", run.id)
        term = found[-1]
        covered = list(dues_us(term.job.schedule, run.due_us - 1, last_us))
        if len(covered) != run.dues or not _holds(term, run.due_us):
            raise Violation("due", f"{run.dues} records for {len(covered)} due times", run.id)
        mine = self.recorded[run.job_id]
        for due_us in covered:
            if mine.setdefault(due_us, run.group) != run.group:
                raise Violation("due", f"{due_us} has a record already: {mine[due_us]}", run.id)
        return term

    def check(self, until_us: int | None) -> None:
        """Everything that was due by the horizon, and before an instant, has a record."""
        for term in self._open.values():
            horizon_us = self._reached[term.job_id]
            self._check(term, horizon_us if until_us is None else min(horizon_us, until_us - 1))

    def _check(self, term: Term, until_us: int) -> None:
        if not term.job.enabled or not term.job.schedule:
            return
        checked_us = max(self._checked.get(term.job_id, 0), term.after_us)
        due_us = next_due_us(term.job.schedule, checked_us)
        while due_us is not None and due_us <= until_us:
            if due_us not in self.recorded[term.job_id]:
                raise Violation("due", f"job {term.job.name} has no record for {due_us}")
            due_us = next_due_us(term.job.schedule, due_us)
        self._checked[term.job_id] = max(checked_us, until_us)

    def owes_before(self, job_id: int, until_us: int) -> bool:
        """Whether a due time before an instant has no record yet."""
        term = self._open[job_id]
        if not term.job.enabled or not term.job.schedule:
            return False
        after_us = max(self._checked.get(job_id, 0), term.after_us)
        recorded = self.recorded[job_id]
        return any(
            due not in recorded for due in dues_us(term.job.schedule, after_us, until_us - 1)
        )

    def open_terms(self) -> list[Term]:
        """The terms that jobs are in now."""
        return list(self._open.values())

    def term_at(self, job_id: int) -> Term | None:
        """The term that a job is in now."""
        return self._open.get(job_id)

    def finished(self) -> list[Term]:
        """All terms; those that are not over end at the horizon."""
        for term in self._open.values():
            term.until_us = self._reached[term.job_id]
        return self.terms


def _holds(term: Term, due_us: int) -> bool:
    if due_us <= term.after_us or (term.until_us is not None and due_us > term.until_us):
        return False
    return term.job.enabled and is_due(term.job.schedule, due_us)


def _same_times(old: Job, new: Job) -> bool:
    return (old.schedule, old.enabled) == (new.schedule, new.enabled)
