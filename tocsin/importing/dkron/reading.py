"""From the JSON of Dkron to drafts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from tocsin.errors import ConfigError
from tocsin.importing.dkron.executors import add_executor
from tocsin.importing.dkron.schedule import ScheduleReader
from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.draft import Draft, Imported, Options, Source
from tocsin.importing.json_text import Keys, read_json, shortened
from tocsin.importing.naming import Names, slug

_COMPUTED: Final = (
    "id", "success_count", "error_count", "last_success", "last_error", "dependent_jobs", "status",
    "next",
)  # fmt: skip
_SET_BY_DKRON: Final = frozenset(
    {"role", "dc", "region", "version", "server", "bootstrap", "expect", "port", "rpc_addr"}
)
_GLOB: Final = re.compile(r"([*?\[])")
_LOCAL_MINUTE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)
_FRACTION: Final = re.compile(r"\.\d+(?=Z|[+-])")


def import_dkron(sources: Iterable[Source], options: Options) -> Imported:
    """The jobs of Dkron's documents as drafts.

    Raises:
        ConfigError: a file is no JSON, or no job or list of jobs.
    """
    doubts = Doubts()
    documents = [(one, place) for source in sources for one, place in _documents(source)]
    names = Names(options.prefix)
    by_name: dict[str, str] = {}
    named = []
    for document, place in documents:
        theirs = document["name"]
        ours = names.claim(slug(theirs, 128))
        by_name.setdefault(theirs, ours)
        named.append((document, place.of(ours)))
        if ours != options.prefix + theirs:
            doubts.check(place.of(ours), f"name {theirs}", f"the job is called {ours} here")
    reading = _Reading(by_name, options, doubts)
    drafts = [reading.draft(document, place) for document, place in named]
    if drafts:
        reading.say_what_differs(documents[0][0])
    return Imported(drafts=drafts, doubts=doubts.found)


def _documents(source: Source) -> list[tuple[dict[str, Any], Place]]:
    value = read_json(source.text, source.name)
    documents = value if isinstance(value, list) else [value]
    found = []
    for number, document in enumerate(documents, 1):
        which = f"{source.name}: job {number}" if isinstance(value, list) else source.name
        if not isinstance(document, dict):
            raise ConfigError(f"{which}: expected a job of Dkron, an object with a name")
        name = document.get("name")
        if not isinstance(name, str) or not name:
            raise ConfigError(
                f"{which}: the key name is missing: this is no job of Dkron",
                "expected what GET /v1/jobs or GET /v1/jobs/NAME answers",
            )
        found.append((document, Place(source.name)))
    return found


class _Reading:
    def __init__(self, by_name: dict[str, str], options: Options, doubts: Doubts) -> None:
        self._by_name = by_name
        self._options = options
        self._doubts = doubts

    def draft(self, document: dict[str, Any], place: Place) -> Draft:
        keys = Keys(document)
        block: dict[str, Any] = {}
        theirs = keys.text("name")
        keys.drop(_COMPUTED)
        if title := keys.text("displayname"):
            block["description"] = title
        self._due(block, keys, theirs, place)
        self._target(block, _block(keys, "tags"), place)
        self._policies(block, keys, place)
        self._labels(block, keys, place)
        held = add_executor(
            block,
            keys.text("executor"),
            _block(keys, "executor_config"),
            theirs,
            place,
            self._doubts,
        )
        for name, config in _block(keys, "processors").items():
            self._doubts.lost(
                place,
                f"processor {name}",
                f"left out ({shortened(config)}): output is kept with the run",
                "who reads it there",
            )
        for key, value in keys.left():
            self._doubts.lost(place, f"key {key}", f"{shortened(value)} is left out: unknown")
        return Draft(name=place.job, place=place, block=block, held=held)

    def _due(self, block: dict[str, Any], keys: Keys, name: str, place: Place) -> None:
        schedule, zone = keys.text("schedule"), keys.text("timezone")
        parent = keys.text("parent_job")
        for key in ("starts_at", "expires_at"):
            if text := keys.text(key):
                block[key] = _instant(text)
        if keys.truth("disabled"):
            block["enabled"] = False
        if keys.truth("ephemeral"):
            block["ephemeral"] = True
        if parent:
            self._after(block, parent, place)
            if schedule:
                self._doubts.note(
                    place, f"schedule {schedule}", "left out: Dkron ignores it beside parent_job"
                )
        elif schedule:
            reader = ScheduleReader(name, place, self._options, self._doubts)
            block |= reader.read(schedule, zone)
        else:
            self._doubts.check(place, "schedule", "there is none: it runs only when asked to")

    def _after(self, block: dict[str, Any], parent: str, place: Place) -> None:
        job = self._by_name.get(parent)
        if job is None:
            job = self._options.prefix + slug(parent, 128)
            self._doubts.check(
                place,
                f"parent_job {parent}",
                "it waits for a job that is not in this input",
                f"that a job {job} exists when you apply this",
            )
        block["after"] = [{"job": job, "on": "success"}]

    def _target(self, block: dict[str, Any], tags: dict[str, Any], place: Place) -> None:
        wanted: dict[str, str] = {}
        counts: list[int] = []
        for key, value in tags.items():
            bare, *rest = str(value).split(":")
            wanted[key] = _GLOB.sub(r"[\1]", bare)
            if len(rest) == 1:
                counts.append(int(rest[0]) if re.fullmatch(r"[+-]?\d{1,9}", rest[0]) else 0)
            if len(rest) > 1:
                self._doubts.check(
                    place, f"tag {key}={value}", f"read as Dkron does: {bare}, on all such agents"
                )
            if key in _SET_BY_DKRON:
                self._own_tag(key, bare, place)
        target: dict[str, Any] = {"tags": wanted} if wanted else {}
        count = min(counts) if counts else None
        if count is None:
            target["agents"] = "all"
            what = "all agents with these tags" if wanted else "all agents"
            self._doubts.check(place, "tags without a count", f"as in Dkron it runs on {what}")
        elif count < 1:
            block["enabled"] = False
            self._doubts.lost(
                place, "tags", "their count comes to no node, so Dkron never runs it: disabled"
            )
        else:
            target["agents"] = count
        if self._options.host:
            target.setdefault("tags", {})["name"] = self._options.host
        block["target"] = target

    def _own_tag(self, key: str, value: str, place: Place) -> None:
        if key == "role" and value != "dkron":
            done = "carried over; Dkron sets role to dkron on every node, so it never matched there"
        else:
            done = "carried over; Dkron sets this tag by itself, and Tocsin has no such tag"
        self._doubts.check(
            place, f"tag {key}={value}", done, f"give agents the tag {key}, or take it away here"
        )

    def _policies(self, block: dict[str, Any], keys: Keys, place: Place) -> None:
        block["overlap"] = "skip" if keys.text("concurrency") == "forbid" else "allow"
        if retries := int(keys.number("retries")):
            block["retry"] = {"limit": min(max(retries, 0), 1000), "elsewhere": False}
            self._doubts.note(
                place,
                f"retries {retries}",
                "carried over with Tocsin's delays, 10s and longer; Dkron waits less than that",
            )

    def _labels(self, block: dict[str, Any], keys: Keys, place: Place) -> None:
        labels = {key: str(value) for key, value in _block(keys, "metadata").items()}
        for key in ("owner", "owner_email"):
            if text := keys.text(key):
                labels[key if key not in labels else f"dkron_{key}"] = text
                if key == "owner_email":
                    self._doubts.check(
                        place, f"owner_email {text}", "kept as a label: no mail is sent"
                    )
        if labels:
            block["labels"] = labels

    def say_what_differs(self, first: dict[str, Any]) -> None:
        """What is so for every import from Dkron, once."""
        if any(first.get(key) for key in _COMPUTED if key != "id"):
            self._doubts.once(
                Weight.NOTE, "history", f"{', '.join(_COMPUTED)} are computed, and left out"
            )
        self._doubts.once(
            Weight.CHECK,
            "tags",
            "agents of Tocsin have only the tag name by themselves",
            "that they were let in with the tags that jobs ask for (tocsin agent token --tag)",
        )
        self._doubts.once(
            Weight.NOTE,
            "missed",
            "Dkron forgets what was due while it had no leader; these run the latest such due time "
            "once, if it is not older than the interval, at most 1h",
            "missed: {policy: skip} is Dkron's way",
        )
        self._doubts.once(
            Weight.CHECK,
            "timeout",
            "Dkron has none unless it is set; these are ended after 1d",
            "set timeout on jobs that may take longer",
        )


def _block(keys: Keys, key: str) -> dict[str, Any]:
    value = keys.take(key)
    return value if isinstance(value, dict) else {}


def _instant(text: str) -> str:
    """RFC 3339; without an offset Dkron reads UTC."""
    plain = _FRACTION.sub("", text)
    return f"{plain}:00Z" if _LOCAL_MINUTE.fullmatch(plain) else plain
