"""What can be done to jobs."""

from __future__ import annotations

import shlex
from typing import Final

from tocsin.instants import to_rfc3339
from tocsin.messages.client_link import Ask, PauseJobs, PutJobs, RemoveJobs, ResumeJobs, RunJobs
from tocsin.model import Role
from tocsin.tui.words import listed
from tocsin.units import format_duration

from .action import Action, Noun, Place, Situation
from .pausing import TimedPause, read_pause
from .why import why_options

ON_JOBS: Final = frozenset({Place.OVERVIEW, Place.JOBS, Place.JOB, Place.SCHEDULE})
WITH_JOB: Final = ON_JOBS | {Place.RUNS, Place.RUN, Place.WHY}


def needs_job(at: Situation) -> str:
    """Why nothing can be done to a job here; empty when it can."""
    return at.offline or no_job(at)


def no_job(at: Situation) -> str:
    """Why there is no job to go to; empty where there is one."""
    if at.jobs:
        return ""
    if not at.job_names:
        return none_here(at, "job")
    back = "; V brings it back" if at.place is Place.JOB else ""
    return f"the job was removed{back}"


def none_here(at: Situation, noun: str) -> str:
    """Why nothing of this kind can be gone to."""
    if at.place is Place.EVENTS:
        return f"it is about no {noun} that is still here"
    return f"there is no {noun} here"


def _existing(at: Situation) -> list[str]:
    return [row.job.name for row in at.jobs]


def _paused(at: Situation) -> bool:
    return bool(at.jobs) and all(row.paused for row in at.jobs)


def _names(at: Situation, *, paused: bool) -> list[str]:
    return [row.job.name for row in at.jobs if row.paused is paused]


def _resume_again(at: Situation) -> Ask | None:
    names = _names(at, paused=False)
    return ResumeJobs(names) if names else None


def _pause_again(at: Situation) -> Ask | None:
    """The pauses of several jobs may differ, and one question can tell only of one."""
    kinds = {(row.pause_reason, row.pause_until_us) for row in at.jobs if row.paused}
    if len(kinds) != 1:
        return None
    reason, until_us = kinds.pop()
    return PauseJobs(_names(at, paused=True), reason, None, until_us)


def _put_back(at: Situation) -> Ask:
    rows = at.jobs
    return PutJobs([row.job for row in rows], {row.job.name: 0 for row in rows})


def _removal_question(at: Situation) -> str:
    lines = [f"Remove {listed('job', at.job_names)}?", ""]
    dues = [row.next_due_us for row in at.jobs if row.next_due_us is not None and not row.paused]
    if dues:
        lines.append(f"It does not fire any more: next it would have at {to_rfc3339(min(dues))}.")
    lines += [
        "Runs under way go on, and all runs stay on record.",
        "U brings it back for ten minutes, as it is now.",
    ]
    return "\n".join(lines)


def _pause_blocked(at: Situation) -> str:
    return needs_job(at) or (_pause(at).wrong if at.text else "")


def _pause(at: Situation) -> TimedPause:
    return read_pause(at.text)


def _timed_pause(at: Situation) -> Ask:
    pause = _pause(at)
    return PauseJobs(at.job_names, pause.reason, pause.for_s)


def _pause_options(at: Situation) -> str:
    pause = _pause(at)
    return shlex.join(
        [
            *(["--for", format_duration(pause.for_s)] if pause.for_s is not None else []),
            *(["--reason", pause.reason] if pause.reason else []),
        ]
    )


def _undo_pause(at: Situation) -> Ask | None:
    """One question cannot both resume some and pause others as they were."""
    if _names(at, paused=False):
        return _resume_again(at) if not _names(at, paused=True) else None
    return _pause_again(at)


def _run_question(at: Situation) -> str:
    names = _existing(at)
    return f"Run {listed('job', names)} now?" if len(names) > 1 else ""


JOBS: Final = (
    Action(
        id="job",
        key="enter",
        name="open",
        help="open the job: history, next fires, changes",
        places=frozenset({Place.JOBS, Place.SCHEDULE}),
        takes=Noun.JOB,
        shown=lambda at: bool(at.jobs) or at.place is not Place.SCHEDULE,
        blocked=lambda at: "" if at.job_names else "there is no job here",
        command="tocsin job show JOB",
    ),
    Action(
        id="run",
        key="r",
        name="run now",
        help="run the job now, whatever its schedule says",
        places=WITH_JOB,
        takes=Noun.JOB,
        needs=Role.OPERATOR,
        blocked=needs_job,
        ask=lambda at: RunJobs(_existing(at)),
        question=_run_question,
        command="tocsin job run JOB",
    ),
    Action(
        id="pause",
        key="p",
        name="pause",
        help="let due times pass as skips until resumed",
        places=ON_JOBS,
        takes=Noun.JOB,
        needs=Role.OPERATOR,
        shown=lambda at: not _paused(at),
        blocked=needs_job,
        ask=lambda at: PauseJobs(_names(at, paused=False)),
        undo=_resume_again,
        command="tocsin job pause JOB",
    ),
    Action(
        id="resume",
        key="p",
        name="resume",
        help="fire again from the next due time on",
        places=ON_JOBS,
        takes=Noun.JOB,
        needs=Role.OPERATOR,
        shown=_paused,
        blocked=needs_job,
        ask=lambda at: ResumeJobs(_names(at, paused=True)),
        undo=_pause_again,
        command="tocsin job resume JOB",
    ),
    Action(
        id="suspend",
        key="P",
        name="pause why",
        help="pause, and say for how long and why: 2h disk work",
        places=ON_JOBS,
        takes=Noun.TEXT,
        needs=Role.OPERATOR,
        blocked=_pause_blocked,
        ask=_timed_pause,
        undo=_undo_pause,
        prompt="pause for how long, and why (2h disk work):",
        command="tocsin job pause JOB",
        options=_pause_options,
    ),
    Action(
        id="why",
        key="w",
        name="why",
        help="tell why it did, or did not, what it did",
        places=WITH_JOB - {Place.WHY},
        takes=Noun.JOB,
        blocked=lambda at: "" if at.job_names else "there is no job here",
        command="tocsin why JOB",
        options=why_options,
    ),
    Action(
        id="log",
        key="l",
        name="log",
        help="open the newest run: its facts and its live log",
        places=frozenset({Place.OVERVIEW, Place.JOBS, Place.JOB, Place.SCHEDULE}),
        takes=Noun.JOB,
        blocked=lambda at: "" if at.runs else "it has no runs yet",
        command="tocsin run logs -f RUN",
    ),
    Action(
        id="runs_of",
        key="o",
        name="its runs",
        help="list only this job's runs",
        places=frozenset({Place.JOBS, Place.JOB}),
        takes=Noun.JOB,
        blocked=lambda at: "" if at.job_names else "there is no job here",
        command="tocsin run list --job JOB",
    ),
    Action(
        id="remove",
        key="D",
        name="remove",
        help="remove the job; its runs stay on record",
        places=frozenset({Place.JOBS, Place.JOB}),
        takes=Noun.JOB,
        needs=Role.AUTHOR,
        blocked=needs_job,
        ask=lambda at: RemoveJobs(at.job_names),
        undo=_put_back,
        question=_removal_question,
        command="tocsin job rm JOB",
    ),
)
