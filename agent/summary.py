"""How an agent is, in the one line that `systemctl status` shows."""

from __future__ import annotations

from .machine.state import Phase, Standing


def in_one_line(standing: Standing, endpoint: str) -> str:
    """The coordinator, runs, and executors that do not work."""
    where = endpoint.removeprefix("tcp://")
    match standing.phase:
        case Phase.UP:
            link = f"connected to {where}"
        case Phase.GREETING:
            link = f"greeting {where}"
        case Phase.REJECTED:
            link = f"turned away by {where}"
        case Phase.DOWN:
            link = f"not connected to {where}"
    parts = [link, f"{standing.runs} run{'s' * (standing.runs != 1)}"]
    if standing.broken:
        count = len(standing.broken)
        names = ", ".join(standing.broken)
        parts.append(f"{count} executor{'s' * (count != 1)} broken: {names}")
    if standing.draining:
        parts.append("ending when its runs are over")
    return ", ".join(parts)
