"""What the settings of a crontab mean for the entries below them."""

from __future__ import annotations

import re
from typing import Any, Final

from tocsin.importing.crontab.lines import Setting
from tocsin.importing.doubt import Doubts, Place

_MAIL: Final = frozenset({"MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING"})
_LEFT_OUT: Final = {
    "": "a setting needs a name",
    "LOGNAME": "cron overrides it with the name of the user",
    "USER": "cron overrides it with the name of the user",
    "MLS_LEVEL": "it is for cron's own session",
    "XDG_SESSION_CLASS": "it is for cron's own session",
}
_FOR_CRON: Final = _MAIL | {"MLS_LEVEL", "XDG_SESSION_CLASS", "CRON_TZ", "RANDOM_DELAY"}
_DELAY_MIN_MAX: Final = 24 * 60
PLAIN_SHELL: Final = "/bin/sh"


class Settings:
    """The settings that hold at one line of a crontab."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def take(self, setting: Setting, place: Place, doubts: Doubts) -> None:
        """Let a setting hold from here on."""
        self._values.pop(setting.name, None)
        self._values[setting.name] = setting.value
        _doubt(setting, place, doubts)

    def copy(self) -> Settings:
        """These settings, as they are."""
        same = Settings()
        same._values = dict(self._values)
        return same

    def get(self, name: str) -> str:
        """The value of a setting; empty when there is none."""
        return self._values.get(name, "")

    def env_for(self, command: str) -> dict[str, str]:
        """The variables of a command; those that are for cron alone only where it uses them."""
        return {
            name: value
            for name, value in self._values.items()
            if name
            and name not in {"LOGNAME", "USER"}
            and (name not in _FOR_CRON or re.search(rf"\${{?{name}\b", command))
        }

    def apply(self, block: dict[str, Any], shell: dict[str, Any]) -> None:
        """Put into a job what is no variable: zone, delay, shell and working directory."""
        zone = self.get("CRON_TZ")
        if zone and "schedule" in block:
            block["timezone"] = zone
        delay_min = _delay_min(self.get("RANDOM_DELAY"))
        if delay_min:
            block["jitter"] = f"{delay_min}m"
        if self.get("SHELL") not in {"", PLAIN_SHELL}:
            shell["argv"] = [self.get("SHELL"), "-c", shell.pop("command")]
        if self.get("HOME"):
            shell["cwd"] = self.get("HOME")


def _delay_min(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,4}", text) and int(text) <= _DELAY_MIN_MAX else 0


def _doubt(setting: Setting, place: Place, doubts: Doubts) -> None:
    name, value = setting.name, setting.value
    about = f"{name}={value}"
    delay_ok = bool(_delay_min(value)) or value == "0"
    if name in _MAIL:
        doubts.lost(
            place,
            about,
            "no mail is sent; the output and the end of every run are on record",
            "who has to hear of failures",
        )
    elif name == "CRON_TZ":
        doubts.check(
            place,
            about,
            "the schedules below it are read in this zone, as cronie does",
            "whether it came from Debian's cron, which reads schedules in the host's zone",
        )
    elif name in _LEFT_OUT or (name == "RANDOM_DELAY" and not delay_ok):
        why = _LEFT_OUT.get(name, "cron refuses it: it takes 0 to 1440 minutes")
        doubts.lost(place, about, f"left out: {why}")
    elif note := _carried(name, value):
        doubts.note(place, about, note)


def _carried(name: str, value: str) -> str:
    """What is to be said of a setting that is carried over; mostly nothing."""
    if name == "RANDOM_DELAY":
        return "carried over as jitter, which stays the same for each job and agent"
    if name == "SHELL" and value not in {"", PLAIN_SHELL}:
        return f"commands below it are run as {value} -c …"
    if name == "HOME":
        return "carried over as variable and as working directory"
    if name == "TZ":
        return "carried over as a variable; as in cron it moves no schedule"
    return (
        "carried over as it stands: like cron, Tocsin replaces no $ in it" if "$" in value else ""
    )
