"""Events: who did what (the audit), and what befell the fleet, as rows newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

import msgspec

from tocsin.incidents import in_words
from tocsin.model import AuditEntry, Incident

from .filtering import HAY, Facets
from .plain import one_line, wrap
from .sightings import Sighting
from .widgets.columns import Cell, Column
from .words import listed, moment, run_tail

EVENT_COLUMNS: Final = (
    Column(title="TIME", width=12),
    Column(title="WHO", width=8, flex=1),
    Column(title="WHAT", width=14, flex=1),
    Column(title="SUBJECT", width=12, flex=2),
    Column(title="DETAIL", width=14, flex=4, rank=1),
)
ITSELF: Final = "tocsin"
"""Who acts when nobody asked."""
_OF_JOBS: Final = frozenset({"job", "run"})
_WEIGHTY: Final = frozenset({"remove", "revoke", "kill"})


class Event(msgspec.Struct, frozen=True):
    """Something that somebody did, or that happened."""

    key: str
    at_us: int
    by: str
    what: str
    subject: str = ""
    job: str = ""
    """The job that it is about."""
    agent: str = ""
    """The agent that it is about."""
    runs: Sequence[str] = ()
    """The ids of runs that it is about."""
    detail: Mapping[str, Any] = {}
    text: str = ""
    """The particulars, where they are words already."""
    tone: str = ""


def of_entry(entry: AuditEntry) -> Event:
    """An entry of the audit."""
    verb, _, noun = entry.act.partition(" ")
    return Event(
        key=f"audit {entry.number}",
        at_us=entry.at_us,
        by=entry.by,
        what=entry.act,
        subject=entry.subject,
        job=entry.subject if noun in _OF_JOBS else "",
        agent=entry.subject if noun == "agent" else "",
        runs=entry.detail.get("runs", ()),
        detail=entry.detail,
        tone="quiet" if entry.by == ITSELF else "warn" if verb in _WEIGHTY else "",
    )


def of_incident(incident: Incident) -> Event:
    """Something that befell the coordinator's time."""
    return Event(
        key=f"incident {incident.kind} {incident.from_us}",
        at_us=incident.until_us,
        by=ITSELF,
        what=f"incident: {incident.kind}",
        subject="coordinator",
        text=in_words(incident),
        tone="bad",
    )


def of_sighting(sighting: Sighting) -> Event:
    """Something that was seen."""
    return Event(
        key=f"seen {sighting.at_us} {sighting.what} {sighting.agent} {sighting.detail}",
        at_us=sighting.at_us,
        by=ITSELF,
        what=sighting.what,
        subject=sighting.agent,
        agent=sighting.agent,
        text=sighting.detail,
        tone="bad" if sighting.bad else "",
    )


def merged(
    entries: Iterable[AuditEntry],
    incidents: Iterable[Incident],
    sightings: Iterable[Sighting],
    *,
    more: bool,
) -> dict[str, Event]:
    """All events by key, newest first.

    While there is `more` of the audit, what happened before its oldest known entry is left out:
    it would stand beside a gap.
    """
    told = [of_entry(entry) for entry in entries]
    oldest_us = min((event.at_us for event in told), default=0) if more else 0
    others = [*map(of_incident, incidents), *map(of_sighting, sightings)]
    told += [event for event in others if event.at_us >= oldest_us]
    told.sort(key=_newest_first)
    return {event.key: event for event in told}


def event_cells(event: Event, now_us: int, zone: tzinfo | None) -> tuple[Cell, ...]:
    """The cells of `EVENT_COLUMNS`."""
    return (
        Cell(moment(event.at_us, now_us, zone)),
        Cell(one_line(event.by), "quiet" if event.by == ITSELF else ""),
        Cell(one_line(event.what), event.tone),
        Cell(one_line(event.subject) or "-"),
        Cell(event.text or detail_words(event.detail, now_us, zone)),
    )


def event_lines(event: Event, now_us: int, zone: tzinfo | None, width: int) -> list[Cell]:
    """All that is known of an event, in as many lines as it takes."""
    at = moment(event.at_us, now_us, zone)
    head = f"{at} {one_line(event.by)}: {one_line(event.what)} {one_line(event.subject)}"
    detail = event.text or detail_words(event.detail, now_us, zone)
    return [
        *(Cell(line, event.tone) for line in wrap(head, width)),
        *(Cell(line) for line in (wrap(detail, width) if detail else ())),
    ]


def detail_words(detail: Mapping[str, Any], now_us: int, zone: tzinfo | None) -> str:
    """The particulars of an audit entry in words: `v3: schedule, timeout`."""
    parts: list[str] = []
    for key, value in detail.items():
        match key:
            case "version":
                parts.insert(0, f"v{value}")
            case "keys":
                parts.append(f"changed {', '.join(map(str, value))}")
            case "runs":
                parts.append(_run_words([str(one) for one in value]))
            case "count":
                parts += [f"{value} runs"] if value > len(detail.get("runs", ())) else []
            case "reason":
                parts.append(str(value))
            case "until_us" | "expires_us":
                word = "until" if key == "until_us" else "good until"
                parts.append(f"{word} {moment(value, now_us, zone)}")
            case "lost_now":
                parts.append("its runs lost at once")
            case "pause" | "id":
                pass  # a name for machines
            case _:
                parts.append(f"{key} {value}")
    return one_line(", ".join(parts))


def of_event(event: Event) -> Facets:
    """What an event says of itself, for a filter."""
    said = " ".join(f"{key} {value}" for key, value in event.detail.items())
    hay = (event.by, event.what, event.subject, event.text, said)
    return {
        HAY: " ".join(hay).lower(),
        "by": event.by.lower(),
        "what": event.what.lower(),
        "job": event.job.lower(),
        "agent": event.agent.lower(),
        "run": " ".join(event.runs).lower(),
    }


def _run_words(ids: Sequence[str]) -> str:
    word = "" if len(ids) > 2 else "run " if len(ids) == 1 else "runs "  # noqa: PLR2004 - `listed` counts from three on
    return word + listed("run", [run_tail(one) for one in ids])


def _newest_first(event: Event) -> tuple[int, int]:
    """Entries of one instant in the order of their numbers."""
    kind, _, rest = event.key.partition(" ")
    return -event.at_us, -int(rest) if kind == "audit" else 0
