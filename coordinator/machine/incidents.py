"""What befell the coordinator's time, as the reason of due times that were late or missed."""

from __future__ import annotations

from typing import Any, Final

from tocsin.incidents import in_words
from tocsin.instants import SECOND_US, Now, to_rfc3339
from tocsin.model import Incident, IncidentKind, SkipReason
from tocsin.units import format_duration

from .commands import SaveIncident
from .events import IncidentsNoticed
from .fires import Skip
from .state import State

KEPT_MAX: Final = 100
"""So many of the latest are remembered as reasons."""
SLACK_US: Final = SECOND_US
"""The edges of an incident are known to a second."""
_EXPLAINED: Final = frozenset({SkipReason.MISSED, SkipReason.CATCHUP_LIMIT})


def key_of(incident: Incident) -> tuple[int, int, str]:
    """What tells incidents apart; they sort by it, oldest first."""
    return incident.until_us, incident.from_us, incident.kind


def on_noticed(state: State, event: IncidentsNoticed) -> None:
    """Keep incidents, and remember the latest."""
    keep(state, event.incidents)


def keep(state: State, found: list[Incident]) -> None:
    """Keep incidents, and remember the latest."""
    known = {key_of(incident): incident for incident in (*state.incidents, *found)}
    state.incidents = [known[key] for key in sorted(known)][-KEPT_MAX:]
    state.commands += [SaveIncident(incident) for incident in found]


def covering(state: State, due_us: int, now_us: int) -> Incident | None:
    """The incident in which a due time fell and that lasted longest until it was decided."""
    found, most_us = None, -1
    for incident in state.incidents:
        from_us, until_us = incident.from_us, incident.until_us
        if incident.kind is IncidentKind.ZONES or incident.amount_us < 0:
            continue  # these keep nobody from looking at the time
        if from_us - SLACK_US <= due_us <= until_us + SLACK_US:
            covered_us = max(min(until_us, now_us) - max(from_us, due_us), 0)
            if covered_us >= most_us:
                found, most_us = incident, covered_us
    return found


def cause(state: State, due_us: int, now: Now) -> str:
    """Why a due time is served late, in words."""
    incident = covering(state, due_us, now.wall_us)
    return in_words(incident) if incident is not None else _late(due_us, now)


def explained(state: State, skip: Skip, now: Now) -> Skip:
    """The skip, with what kept anybody from looking at its due times in time."""
    if skip.reason not in _EXPLAINED:
        return skip
    incident = covering(state, skip.first_us, now.wall_us)
    if incident is None:
        return skip._replace(facts={"because": _late(skip.last_us, now)})
    return skip._replace(facts=facts_of(incident))


def facts_of(incident: Incident) -> dict[str, Any]:
    """What the record of a due time says of an incident that it fell into."""
    return {
        "because": in_words(incident),
        "incident": incident.kind.value,
        "from": to_rfc3339(incident.from_us),
        "until": to_rfc3339(incident.until_us),
    }


def _late(due_us: int, now: Now) -> str:
    return f"late by {format_duration((now.wall_us - due_us) / SECOND_US)}"
