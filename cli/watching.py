"""What happened to runs, as plain lines: for `tocsin up` without a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from tocsin.instants import to_rfc3339
from tocsin.model import TERMINAL, Run, RunState
from tocsin.units import format_duration, format_size


def event_line(run: Run) -> str:
    """One line for the state that a run is in now."""
    at_us = run.finished_us or run.started_us or run.dispatched_us or run.created_us
    time = to_rfc3339(at_us)[11:23]
    facts = [f"attempt {run.attempt}"] if run.attempt > 1 else []
    if run.agent:
        facts.append(f"on {run.agent}")
    if run.finished_us is not None and run.started_us is not None:
        facts.append(f"after {format_duration((run.finished_us - run.started_us) / 1e6)}")
    if run.exit_code:
        facts.append(f"exit {run.exit_code}")
    if run.output_bytes and run.state in TERMINAL:
        facts.append(format_size(run.output_bytes))
    if run.reason:
        facts.append(f"({run.reason})")
    return f"{time}Z  {run.state:<10}  {run.job}  {run.id}  {' '.join(facts)}".rstrip()


class Watch:
    """Remembers how each run was seen last, and says what is new."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[RunState, int]] = {}

    def news(self, runs: Iterable[Run]) -> list[Run]:
        """The runs that changed since they were seen last, oldest first."""
        fresh = []
        for run in sorted(runs, key=lambda run: run.id):
            state = (run.state, run.attempt)
            if self._seen.get(run.id) != state:
                self._seen[run.id] = state
                fresh.append(run)
        return fresh

    def settled(self, run: Run) -> bool:
        """Whether a run was seen over already."""
        state = self._seen.get(run.id)
        return state is not None and state[0] in TERMINAL
