"""Names for schedules: `@daily` and its like, `@every`, `@at`, `@calendar`, `@manual`."""

from __future__ import annotations

from tocsin.errors import ScheduleError

CRON_OF = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
    "@minutely": "* * * * *",
}
_EXAMPLES = {
    "@every": "@every 1h30m",
    "@at": "@at 2026-01-01T09:00:00Z",
    "@calendar": "@calendar Mon..Fri 02:00",
}
_WITH_ARGUMENT = tuple(_EXAMPLES)
_ALONE = (*CRON_OF, "@manual")


def check_macro(name: str, argument: str) -> None:
    """Refuse an unknown name, a missing argument, or one where none belongs."""
    if name == "@reboot":
        raise ScheduleError(
            "@reboot is no schedule: a job of a fleet has no host whose start it could follow",
            hint="for work at boot, use a systemd unit on the host",
        )
    if name in _WITH_ARGUMENT:
        if not argument:
            raise ScheduleError(f"{name} needs an argument", hint=f"such as {_EXAMPLES[name]}")
    elif name not in _ALONE:
        raise ScheduleError(
            f"{name!r} is not a known schedule: expected one of "
            + ", ".join((*_ALONE, *_WITH_ARGUMENT)),
            hint=_nearest(name),
        )
    elif argument:
        raise ScheduleError(f"{name} stands alone: {argument!r} after it has no meaning")


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, (*_ALONE, *_WITH_ARGUMENT), n=1)
    return f"did you mean {near[0]}?" if near else ""
