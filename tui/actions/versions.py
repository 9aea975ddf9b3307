"""What can be done with the versions of a job."""

from __future__ import annotations

from typing import Final

import msgspec

from tocsin.messages.client_link import Ask, PutJobs, RemoveJobs
from tocsin.model import Job, JobVersion, Role
from tocsin.tui.job_facts import in_english
from tocsin.tui.versions import differing, key_lines, to_revert_to

from .action import Action, Flag, Place, Situation

_JOB: Final = frozenset({Place.JOB})
_LINES_MAX: Final = 10


def _current(at: Situation) -> int | None:
    return None if at.job is None else at.job.version


def _on_version(at: Situation) -> bool:
    return Flag.VERSION in at.flags


def _target(at: Situation) -> JobVersion | None:
    if at.job is None:  # it was removed: back to what it was before that
        return next((version for version in at.versions if version.job is not None), None)
    return to_revert_to(at.versions, _current(at))


def _old(at: Situation) -> Job:
    """The definition to go back to, under the name that the job has now."""
    target = _target(at)
    assert target is not None, "looked at before"
    assert target.job is not None, "looked at before"
    return msgspec.structs.replace(target.job, name=target.name)


def _blocked(at: Situation) -> str:
    if at.offline or not at.versions:
        return at.offline or "its versions are not known"
    target = _target(at)
    if target is None:
        return "there is no version before this one"
    if target.job is None:
        return f"version {target.version} is its removal"
    if at.job is not None and not differing(at.job.job, _old(at)):
        return f"it is as version {target.version} was"
    return ""


def _revert(at: Situation) -> Ask:
    old = _old(at)
    return PutJobs([old], {old.name: _current(at) or 0})


def _put_back(at: Situation) -> Ask:
    """Only as long as nobody changes it further."""
    if at.job is None:
        return RemoveJobs([_old(at).name])
    return PutJobs([at.job.job], {at.job.job.name: at.job.version + 1})


def _question(at: Situation) -> str:
    if _blocked(at):
        return ""
    target, old = _target(at), _old(at)
    assert target is not None, "it is not blocked"
    if at.job is None:
        lines = [f"Bring {old.name} back as it was in version {target.version}?", ""]
    else:
        now = at.job.version
        lines = [f"Make {old.name} what it was in version {target.version}?", ""]
        changed = key_lines(differing(at.job.job, old))
        lines += [f"  {line}" for line in changed[:_LINES_MAX]]
        lines += [f"  … {len(changed) - _LINES_MAX} more"] if len(changed) > _LINES_MAX else []
        lines += ["", f"It becomes version {now + 1}; runs under way go on as version {now}."]
    return "\n".join([*lines, f"It is then due {in_english(old)}.", "U takes it back."])


VERSIONS: Final = (
    Action(
        id="diff",
        key="d",
        name="diff",
        help="show the lines that the version under the cursor changed",
        places=_JOB,
        blocked=lambda at: "" if at.versions else "its versions are not known",
        first=_on_version,
        command="tocsin job history JOB",
    ),
    Action(
        id="revert",
        key="V",
        name="revert",
        help="make the job what it was in that version, from the newest in the one before; asks",
        places=_JOB,
        needs=Role.AUTHOR,
        blocked=_blocked,
        first=_on_version,
        ask=_revert,
        undo=_put_back,
        question=_question,
        command="tocsin job revert JOB",
        options=lambda at: str(target.version) if (target := _target(at)) else "",
    ),
    Action(
        id="fails_only",
        key="F",
        name="fails",
        help="go over the runs that failed alone, or over all again",
        places=_JOB,
    ),
)
