"""What jobs themselves saw, and what may cost knowledge of it; no part of the product knows."""

from __future__ import annotations

from tocsin.execution import AttemptKey

from .evidence import End, Excuse, Start
from .monitor import Monitor
from .timeline import Timeline


class Witnesses(Timeline):
    """Starts, ends and output as the processes saw them, and the faults that excuse a loss."""

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self.monitor = monitor
        self.ends: list[End] = []
        self.starts: list[Start] = []
        self.paper: dict[tuple[AttemptKey, int], bytearray] = {}
        """What every attempt wrote to each stream."""
        self.excuses: list[Excuse] = []
        self._absences: dict[tuple[str, str], Excuse] = {}

    def began(self, start: Start) -> None:
        """A process bears witness to its start."""
        self.note("witness", start)
        self.starts.append(start)
        self.monitor.started(start)

    def over(self, end: End) -> None:
        """A process bears witness to its end."""
        self.note("witness", end)
        self.ends.append(end)

    def printed(self, key: AttemptKey, stream: int, data: bytes) -> None:
        """A process bears witness to its output."""
        self.paper.setdefault((key, stream), bytearray()).extend(data)

    def agent_changed(self, agent_id: str, *, up: bool) -> None:
        """An agent's process began or ended."""
        self.note(agent_id, "starts" if up else "ends")
        self.absence(agent_id, "down", begins=not up)

    def absence(self, agent_id: str, why: str, *, begins: bool) -> None:
        """An agent begins, or ceases, to be out of reach for one reason."""
        known = self._absences.pop((agent_id, why), None)
        if known is not None:
            known.until_us = self.now_us
        if begins:
            self._absences[agent_id, why] = self.excuse("absent", agent_id)

    def excuse(self, kind: str, agent_id: str) -> Excuse:
        """Something happened that may cost knowledge of runs, until the agent is heard."""
        excuse = Excuse(kind, agent_id, self.now_us)
        self.excuses.append(excuse)
        return excuse
