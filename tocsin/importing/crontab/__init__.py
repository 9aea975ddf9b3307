"""Crontabs: of users and of the system, as Debian's cron, cronie and FreeBSD's cron read them.

Sources: crontab(5) of Debian 12 and of cronie 1.7, and cronie's `entry.c`, `env.c`, `do_command.c`.
"""

from __future__ import annotations

from tocsin.importing.crontab.reading import CrontabOptions, import_crontabs

__all__ = ["CrontabOptions", "import_crontabs"]
