"""From crontabs to drafts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from tocsin.importing.crontab.command import names_for, split_percent
from tocsin.importing.crontab.entries import Found, read_crontab
from tocsin.importing.crontab.fields import RefusedError, Times, read_fields
from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.draft import Draft, Imported, Options, Source
from tocsin.importing.hosting import place_on_host
from tocsin.importing.naming import Names
from tocsin.importing.never import why_never
from tocsin.importing.users import add_user

_MACROS: Final = {
    **{f"@{name}": f"@{name}" for name in ("yearly", "annually", "monthly", "weekly", "daily")},
    "@midnight": "@midnight",
    "@hourly": "@hourly",
    "@every_minute": "@minutely",
    "@every_second": "@every 1s",
}
_SECONDS: Final = re.compile(r"@([1-9]\d{0,7})", re.ASCII)
_MAIL_OPTION: Final = re.compile(r"-n[ \t]+")


class CrontabOptions(msgspec.Struct, frozen=True):
    """What only crontabs need.

    `system` is whether entries name users, None when that is to be guessed; `passed_over` are files
    that were not read, as cron would not.
    """

    system: bool | None = None
    passed_over: tuple[str, ...] = ()


def import_crontabs(
    sources: Iterable[Source], options: Options, crontab: CrontabOptions
) -> Imported:
    """The entries of crontabs as drafts.

    Raises:
        ConfigError: a file is no crontab.
    """
    doubts = Doubts()
    found: list[Found] = []
    comments: list[str] = []
    for name in crontab.passed_over:
        doubts.note(Place(name), "the whole file", "not read, as cron passes over such names")
    for source in sources:
        entries, below = read_crontab(source, system=crontab.system, doubts=doubts)
        found += entries
        comments += below
    wanted = [names_for(split_percent(_without_option(one.command))[0]) for one in found]
    names = Names(options.prefix).claim_all(wanted)
    drafts = []
    for one, name in zip(found, names, strict=True):
        draft = _draft(one, name, options, doubts)
        if draft is None:
            comments = [*one.comments, one.entry.text, *comments]
        else:
            drafts.append(draft)
    if drafts:
        _say_what_differs(drafts, options, doubts)
    return Imported(drafts=drafts, doubts=doubts.found, comments=comments)


def _draft(one: Found, name: str, options: Options, doubts: Doubts) -> Draft | None:
    place = one.place.of(name)
    try:
        times = _times(one, place, doubts)
    except RefusedError as error:
        doubts.lost(one.place, one.entry.text, f"not imported: {error}", "cron refuses it too")
        return None
    for note in times.notes:
        doubts.note(place, " ".join(one.entry.when), note)
    for remark in times.remarks:
        doubts.check(place, " ".join(one.entry.when), remark)
    line, stdin = split_percent(_command(one, place, doubts))
    shell: dict[str, Any] = {"command": line}
    if stdin is not None:
        shell["stdin"] = stdin
    block: dict[str, Any] = {}
    if one.description:
        block["description"] = one.description
    _schedule(block, times, place, doubts)
    if "schedule" in block:
        block["timezone"] = options.timezone
    env = one.settings.env_for(one.command)
    one.settings.apply(block, shell)
    place_on_host(block, options, doubts)
    if env:
        block["env"] = env
    _add_user(block, one.user, doubts)
    block["shell"] = shell
    _doubt_run_parts(line, place, doubts)
    return Draft(name=name, place=place, block=block, comments=one.comments)


def _times(one: Found, place: Place, doubts: Doubts) -> Times:
    """The schedule of an entry; empty for one that only a boot starts."""
    when = one.entry.when
    if len(when) > 1:
        return read_fields(list(when))
    if when[0] in _MACROS:
        return Times(_MACROS[when[0]])
    if when[0] == "@reboot":
        doubts.check(
            place,
            "@reboot",
            "it has no schedule: it runs only when asked to",
            "for work at boot, use a systemd unit on the host",
        )
        return Times("")
    if seconds := _SECONDS.fullmatch(when[0]):
        doubts.check(
            place,
            when[0],
            "due at each multiple of the interval; FreeBSD's cron counts from the end of a run",
        )
        return Times(f"@every {seconds[1]}s")
    raise RefusedError(f"cron knows no {when[0]}")


def _schedule(block: dict[str, Any], times: Times, place: Place, doubts: Doubts) -> None:
    if not times.schedule:
        return
    if why := why_never(times.schedule):
        doubts.check(
            place,
            times.schedule,
            f"cron takes it and is never due ({why}), so the job has no schedule",
            "which day was meant",
        )
        return
    block["schedule"] = times.schedule


def _without_option(command: str) -> str:
    return _MAIL_OPTION.sub("", command, count=1) if _MAIL_OPTION.match(command) else command


def _command(one: Found, place: Place, doubts: Doubts) -> str:
    if one.entry.quiet:
        doubts.note(
            place, "- before the schedule", "left out: it keeps cron from writing to syslog"
        )
    command = _without_option(one.command)
    if command != one.command:
        doubts.lost(place, "-n before the command", "left out: cronie then mails failures only")
    return command


def _add_user(block: dict[str, Any], user: str, doubts: Doubts) -> None:
    if not user:
        doubts.once(
            Weight.CHECK,
            "user",
            "a user's crontab does not say whose it is: these jobs run as the agent's user, in its "
            "home",
            "who they ran as, and whether run_as must say so",
        )
    elif not add_user(block, user, doubts):
        block["labels"] = {"cron_user": user}
        doubts.once(
            Weight.CHECK,
            f"user {user}",
            "this can be nobody's name, so these jobs run as the agent's user; the label cron_user "
            "keeps it",
            "who is meant",
        )


def _doubt_run_parts(line: str, place: Place, doubts: Doubts) -> None:
    if re.search(r"\brun-parts\b", line):
        doubts.check(
            place,
            "run-parts",
            "all scripts of that directory are one job, as in cron; they were not looked at",
            "whether some should be jobs of their own",
        )
    if re.search(r"\banacron\b", line):
        doubts.check(
            place,
            "anacron",
            "the line leaves the work to anacron where that is installed",
            "what /etc/anacrontab starts; it is not imported",
        )


def _say_what_differs(drafts: list[Draft], options: Options, doubts: Doubts) -> None:
    """What is so for every crontab, once."""
    if any(draft.block.get("timezone") == options.timezone for draft in drafts):
        doubts.once(
            Weight.CHECK,
            "timezone",
            f"cron goes by its host's clock; taken for {options.timezone}{options.timezone_from}",
            "--tz ZONE if the host has another",
        )
    doubts.once(
        Weight.NOTE,
        "overlap",
        "cron starts a job again while it still runs; these skip that due time (overlap: skip)",
        "overlap: allow is cron's way",
    )
    doubts.once(
        Weight.NOTE,
        "missed",
        "cron forgets what was due while it was down; these run the latest such due time once, if "
        "it is not older than the interval, at most 1h",
        "missed: {policy: skip} is cron's way",
    )
    doubts.once(
        Weight.CHECK,
        "timeout",
        "cron has none; these are ended after 1d",
        "set timeout on jobs that may take longer",
    )
    doubts.once(
        Weight.CHECK,
        "mail",
        "cron mails what a job prints; here it is kept with the run, and nobody is told",
        "who has to hear of failures",
    )
    if any("PATH" not in draft.block.get("env", {}) for draft in drafts):
        doubts.once(
            Weight.NOTE,
            "PATH",
            "cron's is /usr/bin:/bin where none is set; Tocsin's also has sbin and /usr/local",
        )
