"""What a user may set about the TUI: `tui.toml` in the configuration directory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

import msgspec

from tocsin.config import read_settings
from tocsin.errors import ConfigError, ScheduleError
from tocsin.nearest import did_you_mean
from tocsin.schedule.zones import load_zone

FILE: Final = "tui.toml"
AUTO: Final = "auto"
THEMES: Final = (AUTO, "dark", "light", "high-contrast", "ansi-dark", "ansi-light")


class TuiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the TUI looks and behaves for one user.

    Raises:
        ConfigError: from `check`, when a value makes no sense.
    """

    theme: str = AUTO
    """`auto`, `dark`, `light`, `high-contrast`, `ansi-dark` or `ansi-light`. `auto` is dark, or
    light where the terminal says so (`COLORFGBG`); with sixteen colours it is one of the last two,
    which use the terminal's own."""
    mouse: bool = False
    """Whether the TUI takes the mouse. Without it the terminal's own way to mark text works."""
    ascii: bool | None = None
    """Whether nothing but ASCII is drawn. By default only where the locale that is set (`LC_ALL`,
    `LC_CTYPE`, `LANG`) is not UTF-8, and on the Linux console."""
    zone: str = "local"
    """Where times are told: `local`, `utc`, or a name such as `Europe/Berlin`."""
    read_only: bool = False
    """Whether everything that would change something is left out."""
    keys: dict[str, str] = {}
    """Other keys for actions: a table `[keys]` of action and key, such as `kill = "K"`."""

    def check(self) -> None:
        """Refuse what makes no sense."""
        check_theme(self.theme)
        self.tzinfo()

    def tzinfo(self) -> tzinfo | None:
        """The zone of times; None is the system's own.

        Raises:
            ConfigError: there is no such zone.
        """
        match self.zone.lower():
            case "local":
                return None
            case "utc":
                return UTC
        try:
            return load_zone(self.zone)
        except ScheduleError as error:
            raise ConfigError(f"zone: {error.message}", error.hint) from error


def check_theme(name: str) -> None:
    """Refuse a theme that there is not.

    Raises:
        ConfigError: names the nearest, or all.
    """
    if name not in THEMES:
        hint = did_you_mean(name, THEMES) or f"there are {', '.join(THEMES)}"
        raise ConfigError(f'theme: there is no "{name}"', hint)


def read_tui_settings(config_dir: Path, given: Mapping[str, object]) -> TuiSettings:
    """The settings of a user: `given` on the command line first, then the file, if there is one.

    Raises:
        ConfigError: something in them is wrong.
    """
    path = config_dir / FILE
    if path.exists():
        settings = read_settings(path, TuiSettings, given)
    else:
        settings = msgspec.convert(dict(given), TuiSettings)
    settings.check()
    return settings
