"""Timers of systemd with the services that they start.

Sources: systemd.unit(5), systemd.timer(5), systemd.service(5), systemd.exec(5), systemd.time(7) and
systemd.syntax(7) of systemd 252.
"""

from __future__ import annotations

from tocsin.importing.systemd.reading import import_units

__all__ = ["import_units"]
