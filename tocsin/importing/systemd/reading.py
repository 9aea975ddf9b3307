"""From unit files to drafts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.draft import Draft, Imported, Options, Source
from tocsin.importing.hosting import place_on_host
from tocsin.importing.naming import Names, slug
from tocsin.importing.systemd.commands import CommandsError, environment, shell_block
from tocsin.importing.systemd.services import add_policies, doubt_what_is_left, success_codes
from tocsin.importing.systemd.timers import add_times
from tocsin.importing.systemd.units import Unit, Units
from tocsin.importing.systemd.words import expand_specifiers


def import_units(sources: Iterable[Source], options: Options) -> Imported:
    """The timers among unit files as drafts, each with what its service runs.

    Raises:
        ConfigError: a file is no unit file.
    """
    doubts = Doubts()
    units = Units(sources)
    for passed_over, taken in units.twice:
        doubts.note(Place(passed_over), "the whole file", f"left out: {taken} goes before it")
    reading = _Reading(units, options, doubts)
    drafts = [reading.draft(name) for name in _timers(units)]
    others = [name for name in units.names(".service") if name not in reading.started]
    if others:
        doubts.note(Place(), ", ".join(others), "left out: no timer here starts them")
    if drafts and not units.enabled:
        doubts.once(
            Weight.CHECK,
            "enabled",
            "a timer's file does not say whether it is enabled; taken as if they all were",
            "systemctl list-timers --all on the host",
        )
    return Imported(drafts=drafts, doubts=doubts.found)


def _timers(units: Units) -> list[str]:
    """All timers; a template counts as its instances where links name some."""
    names = []
    for name in units.names(".timer"):
        base = name.removesuffix(".timer")
        instances = sorted(one for one in units.enabled if one.startswith(base) and one != name)
        names += instances if base.endswith("@") and instances else [name]
    return list(dict.fromkeys(names))


class _Reading:
    def __init__(self, units: Units, options: Options, doubts: Doubts) -> None:
        self.started: set[str] = set()
        """The services that timers start, their templates included."""
        self._units = units
        self._options = options
        self._doubts = doubts
        self._names = Names(options.prefix)

    def draft(self, name: str) -> Draft:
        timer = self._units.get(name)
        assert timer is not None
        job = self._names.claim(slug(timer.stem.replace("@", "-")))
        place = timer.place.of(job)
        service_name = timer.text("Timer", "Unit").replace("%i", timer.instance)
        service_name = service_name or f"{timer.stem}.service"
        service = self._service(service_name, place)
        block: dict[str, Any] = {}
        for unit in (service, timer):
            text = unit.text("Unit", "Description") if unit else ""
            if unit and text and "description" not in block:
                block["description"] = expand_specifiers(text, unit)[0]
        add_times(block, timer, place, self._options, self._doubts)
        self._enabled(block, timer, place)
        place_on_host(block, self._options, self._doubts)
        held = self._run(block, service, service_name, place)
        if timer.is_template:
            held = "it is a template, and no link in a folder *.wants names its instances"
            self._doubts.lost(
                place,
                "the whole job",
                f"{held}, so it is written as a comment",
                "write a job for each instance",
            )
        timer.all("Install", "WantedBy")
        doubt_what_is_left(timer, place, self._doubts)
        return Draft(name=job, place=place, block=block, held=held)

    def _service(self, name: str, place: Place) -> Unit | None:
        if name in self.started:
            self._doubts.check(
                place,
                f"service {name}",
                "two timers start it: two jobs, which may run at the same time",
            )
        stem, _, kind = name.rpartition(".")
        self.started |= {name, f"{stem.partition('@')[0]}@.{kind}" if "@" in stem else name}
        return self._units.get(name) if kind == "service" else None

    def _enabled(self, block: dict[str, Any], timer: Unit, place: Place) -> None:
        if self._units.enabled and timer.name not in self._units.enabled:
            block["enabled"] = False
            self._doubts.check(
                place, "enabled", "no link in a folder *.wants names it: disabled", "if it runs"
            )

    def _run(self, block: dict[str, Any], service: Unit | None, name: str, place: Place) -> str:
        """Put what the service does into the job; why the job must be held back, or nothing."""
        if service is None:
            held = f"{name} is not among the files"
            self._doubts.lost(
                place,
                "the whole job",
                f"{held}, so it is written as a comment that starts it on its host",
                "give the service's file too",
            )
            block["shell"] = {"argv": ["systemctl", "start", "--wait", name]}
            return held
        where = service.place.of(place.job)
        add_policies(block, service, where, self._doubts)
        if env := environment(service, where, self._doubts):
            block["env"] = env
        held = ""
        try:
            shell = shell_block(service, where, self._doubts)
        except CommandsError as error:
            held = str(error)
            shell = {"argv": ["systemctl", "start", "--wait", name]}
            self._doubts.lost(
                where,
                "the whole job",
                f"{held}, so it is written as a comment that starts the service on its host",
                "what it is to run",
            )
        if codes := success_codes(service, where, self._doubts):
            shell["success_codes"] = codes
        block["shell"] = shell
        for key in ("Type", "RemainAfterExit"):
            service.all("Service", key)
        doubt_what_is_left(service, where, self._doubts)
        return held
