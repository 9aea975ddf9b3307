"""Saving a draft: what is asked before, and what a refusal means for the form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tocsin.model import Job, JobVersion
from tocsin.tui.plain import one_line
from tocsin.tui.words import local

from .draft import Draft
from .fields import Field
from .side import Effect, change_lines, week_words

_PATH: Final = re.compile(r"([a-z_]+(?:\.[A-Za-z0-9_-]+|\[\d+\])*): (.*)", re.DOTALL)
_ABOUT: Final = (("there is no pool", "pool"), ("calendar", "blackout"))
_LINES_MAX: Final = 10


def question(
    draft: Draft, job: Job, changed: Mapping[str, tuple[object, object]], effect: Effect
) -> str:
    """What is asked before a job is saved: what changes, and what follows."""
    if draft.is_new:
        head = f"Create {job.name}?"
    else:
        head = f"Save {job.name}, version {draft.version} → {draft.version + 1}?"
    lines = [f"  {line}" for line in change_lines(changed)]
    if len(lines) > _LINES_MAX:
        lines[_LINES_MAX - 1 :] = [
            f"  … {len(lines) - _LINES_MAX + 1} more: F3 shows the whole job"
        ]
    return "\n".join([head, "", *lines, "", *_follows(effect)])


def _follows(effect: Effect) -> list[str]:
    it = effect.forecast
    lines = [f"  {week_words(it.week, effect.before)}"]
    if it.fires:
        at = local(it.fires[0].at_us, it.zone)
        lines.append(f"  next {at:%a} {at.day} {at:%b %H:%M:%S %Z}")
    hosts = len(it.hosts)
    lines.append(f"  {hosts} agent{'s' * (hosts != 1)} may run it now")
    return [*lines, *(f"! {doubt}" for doubt in it.doubts)]


def refused_at(message: str, name: str, fields: Sequence[Field]) -> tuple[str, str]:
    """The field that a refusal of the coordinator is about, "" for none; and what is said there."""
    said = message.removeprefix(f"job {name}: ")
    ids = {field.id for field in fields}
    found = _PATH.fullmatch(said)
    if found:
        steps = re.split(r"[.\[]", found[1])
        for length in range(len(steps), 0, -1):
            if ".".join(steps[:length]) in ids:
                return ".".join(steps[:length]), found[2]
    about = next((field_id for words, field_id in _ABOUT if words in said), "")
    return about, said


def conflict(draft: Draft, theirs: JobVersion | None, when: str) -> str:
    """What is said when the job is not any more what was loaded."""
    if theirs is None:
        return f"{draft.name} is not there any more."
    who = one_line(theirs.changed_by)
    if theirs.job is None:
        return f"{who} removed {draft.name} {when}."
    return (
        f"{who} changed {draft.name} {when}.\n"
        f"It was version {draft.version} when you began, and is {theirs.version} now."
    )
