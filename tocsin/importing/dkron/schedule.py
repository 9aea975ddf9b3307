"""A schedule of Dkron as one of Tocsin with the same due times.

Dkron's parser is robfig/cron v3 with six fields and names of its own. Where it differs: a day field
counts as open only when it is `*`, `?` or `*/1`; lists may have empty items; `?` stands anywhere;
names with `@` go by the server's zone; a time of day that the clock leaps over is left out, and
one that it shows twice is due twice.
"""

from __future__ import annotations

import re
from typing import Any, Final

from tocsin.importing.dkron.durations import go_seconds, iso_seconds
from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.draft import Options
from tocsin.importing.never import why_never
from tocsin.importing.zones import clock_changes

_FIELDS: Final = 6
_HASH_SPANS: Final = {2: (24, 0), 3: (28, 1), 4: (12, 1), 5: (7, 0)}
_MACROS: Final = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@minutely"}
)
_FREQUENT: Final = frozenset({"@hourly", "@minutely"})
_ZONE: Final = re.compile(r"(CRON_)?TZ=(\S*)\s+(.*)", re.DOTALL)
_INSTANT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_EVERY_S_MAX: Final = 3660 * 86_400
_WITHIN_S_MAX: Final = 366 * 86_400


class ScheduleReader:
    """Puts a schedule and what belongs to it into one job; `name` is the one in Dkron."""

    def __init__(self, name: str, place: Place, options: Options, doubts: Doubts) -> None:
        self._block: dict[str, Any] = {}
        self._name = name
        self._place = place
        self._options = options
        self._doubts = doubts

    def read(self, text: str, zone: str) -> dict[str, Any]:
        """The keys of the job file that say when it is due."""
        self._read(text.strip(), zone)
        return self._block

    def _read(self, text: str, zone: str) -> None:
        body = text
        if prefix := _ZONE.fullmatch(text):
            body = prefix[3]
            if zone or body.startswith(("@at", "@after", "@manually", "@minutely")):
                why = f"beside the timezone {zone}" if zone else "before such a name"
                self._check(text, f"Dkron refuses a TZ= {why}; read with the TZ=", "when it is due")
            zone = prefix[2]
            is_prefixed = True
        else:
            is_prefixed = False
        if not body.startswith("@"):
            self._cron(body, zone)
            return
        word, _, argument = body.partition(" ")
        if zone and not is_prefixed and word not in {"@at", "@after", "@manually", "@every"}:
            self._check(
                f"{text} with timezone {zone}",
                "Dkron goes by its server's zone for every schedule with @, and so it is kept",
                f"whether {zone} was meant; then write timezone: {zone}",
            )
            zone = ""
        self._named(word, argument.strip(), zone)

    def _named(self, word: str, argument: str, zone: str) -> None:
        if word == "@manually" and not argument:
            return
        if word == "@every":
            self._every(argument)
        elif word == "@at":
            self._at(argument)
        elif word == "@after":
            self._after(argument)
        elif word in _MACROS and not argument:
            self._block["schedule"] = word
            self._zone(zone, is_fixed=word not in _FREQUENT)
        else:
            self._refused(f"{word} {argument}".strip(), "Dkron knows no such name")

    def _every(self, argument: str) -> None:
        seconds = go_seconds(argument)
        if seconds is None or seconds > _EVERY_S_MAX:
            self._refused(f"@every {argument}", "this is no interval")
            return
        whole = max(int(seconds), 1)
        self._block["schedule"] = f"@every {_spelled(whole)}"
        self._check(
            f"@every {argument}",
            "due at each multiple of the interval since 1970, so no restart moves it; Dkron counts "
            "from the start of its leader",
            "whether the time within the interval matters",
        )

    def _at(self, argument: str) -> None:
        found = _INSTANT.fullmatch(argument)
        if found is None:
            self._refused(f"@at {argument}", "this is no RFC 3339 time")
            return
        if found[2]:
            self._check(f"@at {argument}", "the part of a second is left out")
        self._block["schedule"] = f"@at {found[1]}{found[3]}"

    def _after(self, argument: str) -> None:
        time, _, grace = argument.partition(" ")
        found = _INSTANT.fullmatch(time)
        seconds = iso_seconds(grace[1:]) if grace.startswith("<") else None
        if found is None or seconds is None:
            self._refused(f"@after {argument}", "expected a time and a duration such as <PT30M")
            return
        self._block["schedule"] = f"@at {found[1]}{found[3]}"
        within_s = min(max(seconds, 1), _WITHIN_S_MAX)
        self._block["missed"] = {"policy": "latest", "within": within_s}
        self._check(
            f"@after {argument}",
            "due once at that time; when nobody can act on it then, it runs later within the grace",
            "if the time has passed when you apply this, it does not run; Dkron would run it at "
            "once within the grace",
        )

    def _cron(self, body: str, zone: str) -> None:
        expanded = expand_hash(body, self._name)
        if expanded != body:
            self._doubts.note(
                self._place, body, f"~ is a number from the name, as in Dkron: {expanded}"
            )
        fields = expanded.split()
        if len(fields) == _FIELDS - 1:
            self._check(
                body, "Dkron refuses five fields; read as minute to weekday", "when it is due"
            )
            fields = ["0", *fields]
        if len(fields) != _FIELDS:
            self._refused(body, f"Dkron takes six fields, and these are {len(fields)}")
            return
        plain = [_plain(field) for field in fields]
        if "" in plain:
            self._refused(body, "a field without a value is never due")
            return
        if plain[3] != "*" and plain[5] != "*":
            plain[3], plain[5] = _closed(plain[3], "1-31"), _closed(plain[5], "0-6")
        schedule = " ".join(plain)
        if why := why_never(schedule):
            self._refused(body, why)
            return
        self._block["schedule"] = schedule
        self._zone(zone, is_fixed=not (plain[1].startswith("*") or plain[2].startswith("*")))

    def _zone(self, zone: str, *, is_fixed: bool) -> None:
        """The zone, and the rule for changes of the clock that keeps Dkron's due times."""
        if not zone or zone == "Local":
            zone = self._options.timezone
            self._doubts.once(
                Weight.CHECK,
                "timezone",
                "jobs without one, and schedules with @, go by the zone of Dkron's servers; taken "
                f"for {zone}{self._options.timezone_from}",
                "--tz ZONE if the servers have another",
            )
        self._block["timezone"] = zone
        if is_fixed and clock_changes(zone):
            self._block["dst"] = "literal"
            self._doubts.once(
                Weight.NOTE,
                "dst",
                "Dkron leaves out a time of day that the clock leaps over, and runs twice what it "
                "shows twice; dst: literal keeps that. Days that it loses where the clock changes "
                "at midnight, or by half an hour, are not lost here",
                "without that line a job runs exactly once on each date",
            )

    def _refused(self, about: str, why: str) -> None:
        self._block["enabled"] = False
        self._doubts.lost(
            self._place,
            f"schedule {about}",
            f"{why}: the job is kept without a schedule and disabled",
            "when it is to run",
        )

    def _check(self, about: str, done: str, check: str = "") -> None:
        self._doubts.check(self._place, about, done, check)


def expand_hash(spec: str, name: str) -> str:
    """The fields with each `~` replaced as Dkron does: by the sum of the name's code points."""
    total = sum(map(ord, name))
    parts = spec.split(" ")
    for index, part in enumerate(parts):
        span, first = _HASH_SPANS.get(index, (60, 0))
        parts[index] = part.replace("~", str(total % span + first))
    return " ".join(parts)


def _plain(field: str) -> str:
    """A field without `?` and empty items; `*` when it is open for Dkron; empty when never due."""
    items = [re.sub(r"^\?", "*", item) for item in field.split(",") if item]
    return "*" if any(item in {"*", "*/1"} for item in items) else ",".join(items)


def _closed(field: str, whole: str) -> str:
    """A day field that does not begin with `*`, which to Tocsin would mean "and"."""
    return ",".join(whole + item[1:] if item.startswith("*") else item for item in field.split(","))


def _spelled(seconds: int) -> str:
    text, left = "", seconds
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text
