"""From the events of Cronicle to drafts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from tocsin.importing.cronicle.export import Holding
from tocsin.importing.cronicle.plugins import add_plugin
from tocsin.importing.cronicle.targets import add_target
from tocsin.importing.cronicle.timing import schedule_of
from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.draft import Draft, Imported, Options, Source
from tocsin.importing.json_text import Keys, shortened
from tocsin.importing.naming import Names, slug
from tocsin.importing.never import why_never
from tocsin.importing.zones import clock_changes

_HISTORY: Final = ("created", "modified", "username", "api_key", "session_id")
_OF_TIMING: Final = ("schedule", "timezone", "dst", "missed")
_LONGEST_S: Final = 366 * 86_400
_QUEUE_MAX: Final = 10_000
_RETRIES_MAX: Final = 1000


def import_cronicle(sources: Iterable[Source], options: Options) -> Imported:
    """The events of Cronicle as drafts.

    Raises:
        ConfigError: a file is neither an export of Cronicle nor an answer of its API.
    """
    doubts = Doubts()
    holding = Holding()
    for source in sources:
        holding.read(source, doubts)
    reading = _Reading(holding, options, doubts)
    drafts = [reading.draft(event, place) for event, place in reading.named]
    drafts += reading.chained(drafts)
    if drafts:
        reading.say_what_differs()
    return Imported(drafts=drafts, doubts=doubts.found)


class _Reading:
    def __init__(self, holding: Holding, options: Options, doubts: Doubts) -> None:
        self._holding = holding
        self._options = options
        self._doubts = doubts
        self._names = Names(options.prefix)
        self._by_id: dict[str, str] = {}
        self._switched_off: set[str] = set()
        """Jobs whose timing is disabled, which a chain may start all the same."""
        self.named: list[tuple[dict[str, Any], Place]] = []
        for event, place in holding.events:
            title = str(event.get("title") or event.get("id") or "")
            name = self._names.claim(slug(title.lower()))
            self._by_id.setdefault(str(event.get("id", "")), name)
            self.named.append((event, place.of(name)))

    def draft(self, event: dict[str, Any], place: Place) -> Draft:
        keys = Keys(event)
        keys.drop(_HISTORY)
        block: dict[str, Any] = {}
        if title := keys.text("title"):
            block["description"] = title
        self._times(block, keys, place)
        self._labels(block, keys, place)
        add_target(block, keys, self._holding, place, self._options, self._doubts)
        self._policies(block, keys, place)
        self._left_out(keys, place)
        params = keys.take("params")
        name = keys.text("plugin")
        plugin = self._holding.plugins.get(name)
        if plugin is not None and not Keys(plugin).truth("enabled"):
            self._disable(block, f"plugin {name}", place)
        params = _with_defaults(params if isinstance(params, dict) else {}, plugin)
        held = add_plugin(block, name, params, plugin, place, self._doubts)
        keys.drop(("chain", "chain_error"))
        for key, value in keys.left():
            self._doubts.lost(place, f"key {key}", f"{shortened(value)} is left out: unknown")
        return Draft(name=place.job, place=place, block=block, held=held)

    def _times(self, block: dict[str, Any], keys: Keys, place: Place) -> None:
        timing, zone = keys.take("timing"), keys.text("timezone")
        if not keys.truth("enabled"):
            block["enabled"] = False
            self._switched_off.add(place.job)
        if not isinstance(timing, dict):
            return
        schedule = schedule_of(timing, place, self._doubts)
        if schedule is None:
            return
        if why := why_never(schedule):
            self._doubts.check(
                place, "timing", f"it can never hold ({why}): no schedule", "the days"
            )
            return
        block["schedule"] = schedule
        block["timezone"] = zone or self._options.timezone
        if not zone:
            self._doubts.once(
                Weight.CHECK,
                "timezone",
                "events without one go by the zone of Cronicle's server; taken for "
                f"{self._options.timezone}{self._options.timezone_from}",
                "--tz ZONE if the server has another",
            )
        if clock_changes(block["timezone"]):
            block["dst"] = "literal"
            self._doubts.once(
                Weight.NOTE,
                "dst",
                "Cronicle leaves out a time of day that the clock leaps over, and runs twice what "
                "it shows twice; dst: literal keeps that",
                "without that line a job runs exactly once on each date",
            )

    def _labels(self, block: dict[str, Any], keys: Keys, place: Place) -> None:
        labels = {}
        if identity := keys.text("id"):
            labels["cronicle_id"] = identity
        if notes := keys.text("notes"):
            labels["notes"] = notes
        if name := keys.text("category"):
            category = self._holding.categories.get(name, {})
            labels["category"] = str(category.get("title") or name)
            if category and not Keys(category).truth("enabled"):
                self._disable(block, f"category {name}", place)
            limits = {key: value for key, value in category.items() if value}
            for key in (*_HISTORY, "id", "title", "enabled", "description", "color"):
                limits.pop(key, None)
            if limits:
                said = f"its {shortened(limits)} is left out"
                self._doubts.lost(place, f"category {name}", said, "what it needs")
        if labels:
            block["labels"] = labels

    def _disable(self, block: dict[str, Any], about: str, place: Place) -> None:
        block["enabled"] = False
        self._switched_off.discard(place.job)
        self._doubts.check(place, about, "it is disabled in Cronicle, and so is the job here")

    def _policies(self, block: dict[str, Any], keys: Keys, place: Place) -> None:
        catches_up, queues = keys.truth("catch_up"), keys.truth("queue")
        children, queue_max = int(keys.number("max_children")), int(keys.number("queue_max"))
        if children == 1:
            block["overlap"] = "queue" if catches_up or queues else "skip"
        else:
            block["overlap"] = "allow"
        if children > 1:
            self._doubts.lost(
                place,
                f"max_children {children}",
                "carried over as overlap: allow, without a bound",
                f"a pool of {children} slots bounds it",
            )
        if block["overlap"] == "queue":
            block["queue_limit"] = min(queue_max, _QUEUE_MAX) if queue_max > 0 else _QUEUE_MAX
        block["missed"] = {"policy": "skip"}
        if catches_up:
            block["missed"] = {"policy": "all", "within": "366d", "limit": 1000}
            self._doubts.note(
                place,
                "catch_up",
                "carried over as missed: all; Cronicle also runs again what a crash or a limit "
                "ended, Tocsin only what was due and never began",
            )
        self._attempts(block, keys, place)

    def _attempts(self, block: dict[str, Any], keys: Keys, place: Place) -> None:
        timeout_s, retries = keys.number("timeout"), int(keys.number("retries"))
        delay_s = keys.number("retry_delay")
        if timeout_s > 0:
            block["timeout"] = min(timeout_s, _LONGEST_S)
        else:
            self._doubts.once(
                Weight.CHECK,
                "timeout",
                "events with timeout 0 may run for ever; these are ended after 1d",
                "set timeout on jobs that may take longer",
            )
        if retries > 0:
            block["retry"] = {
                "limit": min(retries, _RETRIES_MAX),
                "delay": delay_s,
                "backoff": 1,
                "max_delay": max(delay_s, 1),
                "jitter": 0,
                "elsewhere": False,
            }
            self._doubts.check(
                place,
                f"retries {retries}",
                "here each attempt has the whole timeout and one that timed out is tried again; in "
                "Cronicle all attempts share it, and a timeout ends them",
                "whether the timeout is still right",
            )

    def _left_out(self, keys: Keys, place: Place) -> None:
        if keys.truth("detached"):
            self._doubts.note(place, "detached", "left out: every run outlives a restart of Tocsin")
        for key in ("notify_success", "notify_fail", "web_hook"):
            if text := keys.text(key):
                about = f"{key} {shortened(text)}"
                self._doubts.lost(place, about, "left out: nobody is told", "who has to hear")
        for key in ("cpu_limit", "memory_limit", "log_max_size"):
            if limit := keys.number(key):
                done = "left out: there it ends a job; limits of a shell job bound it instead"
                self._doubts.lost(place, f"{key} {limit:g}", done)
        keys.drop(("cpu_sustain", "memory_sustain"))

    def chained(self, drafts: list[Draft]) -> list[Draft]:
        """Let the ends of events start others, and give the copies that this takes.

        Any one of several events may start another, and so may its own timing; `after` asks for all
        that it names. So there is one job for each way to be started.
        """
        by_name = {draft.name: draft for draft in drafts}
        chains = list(self._chains(by_name))
        copies = []
        for target, after, on in chains:
            is_idle = "schedule" not in target.block or target.name in self._switched_off
            only = sum(one is target for one, _, _ in chains) == 1
            if is_idle and only:
                self._join(target, after, on)
            else:
                copies.append(self._copy(target, after, on))
        return copies

    def _chains(self, by_name: dict[str, Draft]) -> Iterator[tuple[Draft, Place, str]]:
        """What is started, by the end of which job, and by which end."""
        for event, place in self.named:
            ends = {
                "success": str(event.get("chain") or ""),
                "failure": str(event.get("chain_error") or ""),
            }
            if ends["success"] == ends["failure"]:
                ends = {"any": ends["success"]}
            for on, identity in ends.items():
                target = by_name.get(self._by_id.get(identity, ""))
                if target is not None:
                    yield target, place, on
                elif identity:
                    self._doubts.lost(
                        place, f"chain to {identity}", "left out: that event is not in this input"
                    )

    def _join(self, target: Draft, after: Place, on: str) -> None:
        if target.name in self._switched_off:
            self._doubts.check(
                target.place,
                "enabled",
                f"Cronicle starts it by the end of {after.job} although it is disabled, so it is "
                "enabled and its timing is left out",
            )
        target.block = {**self._without_timing(target), "after": [{"job": after.job, "on": on}]}
        self._say_handed_on()

    def _copy(self, target: Draft, after: Place, on: str) -> Draft:
        prefix = self._options.prefix
        own = target.name.removeprefix(prefix)
        place = target.place.of(self._names.claim(f"{own}-after-{after.job.removeprefix(prefix)}"))
        self._doubts.check(
            place,
            f"chain of {after.job}",
            f"a second job with the work of {target.name}, which is also started otherwise",
            "both may run at the same time",
        )
        self._say_handed_on()
        block = {**self._without_timing(target), "after": [{"job": after.job, "on": on}]}
        return Draft(name=place.job, place=place, block=block, held=target.held)

    def _without_timing(self, target: Draft) -> dict[str, Any]:
        """What stays of a job that another one starts; a disabled timing is none of its concern."""
        left_out = {*_OF_TIMING} | ({"enabled"} if target.name in self._switched_off else set())
        return {key: value for key, value in target.block.items() if key not in left_out}

    def _say_handed_on(self) -> None:
        self._doubts.once(
            Weight.CHECK,
            "chains",
            "after starts a job by the end of another one; the data that Cronicle hands on is not",
            "whether a job reads chain_data",
        )

    def say_what_differs(self) -> None:
        """What is so for every import from Cronicle, once."""
        self._doubts.once(Weight.NOTE, "history", f"{', '.join(_HISTORY)} of events are left out")


def _with_defaults(params: dict[str, Any], plugin: dict[str, Any] | None) -> dict[str, Any]:
    """The parameters of an event; what it does not set has the plugin's value, as in Cronicle."""
    declared = (plugin or {}).get("params")
    named = [one for one in declared if isinstance(one, dict)] if isinstance(declared, list) else []
    return {**{one["id"]: one.get("value") for one in named if "id" in one}, **params}
