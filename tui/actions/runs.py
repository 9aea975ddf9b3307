"""What can be done to runs."""

from __future__ import annotations

from typing import Final

from tocsin.messages.client_link import KillRuns, RerunRuns
from tocsin.model import TERMINAL, Role, Run
from tocsin.tui.plain import one_line
from tocsin.tui.words import WORD, listed, run_tail
from tocsin.units import format_duration

from .action import Action, Noun, Place, Situation

_ON_RUN: Final = frozenset({Place.OVERVIEW, Place.RUNS, Place.RUN, Place.JOB, Place.WHY})


def _needs_run(at: Situation) -> str:
    return "" if at.runs else "there is no run here"


def _under_way(at: Situation) -> list[Run]:
    return [run for run in at.runs if run.state not in TERMINAL and not run.cancel_requested]


def _over(at: Situation) -> list[Run]:
    return [run for run in at.runs if run.state in TERMINAL]


def _repeatable(at: Situation) -> list[Run]:
    names = {row.job.name for row in at.jobs}
    return [run for run in _over(at) if run.job in names]


def _killable(at: Situation) -> str:
    run = at.run
    if at.offline or run is None:
        return at.offline or "there is no run here"
    if _under_way(at):
        return ""
    over = run.state in TERMINAL
    return f"the run is over: {WORD[run.state]}" if over else "it is being killed already"


def _rerunnable(at: Situation) -> str:
    if at.offline or not at.runs:
        return at.offline or "there is no run here"
    if not _over(at):
        return "it is not over yet"
    return "" if _repeatable(at) else "its job was removed"


def _kill_question(at: Situation) -> str:
    runs = _under_way(at)
    grace_s = at.job.job.kill_after_s if at.job is not None else 10.0
    if len(runs) == 1:
        where = f" on {one_line(runs[0].agent)}" if runs[0].agent else ""
        what = f"run {run_tail(runs[0].id)} of {runs[0].job}{where}"
    else:
        what = f"{len(runs)} runs, of {listed('job', list(dict.fromkeys(r.job for r in runs)))}"
    return (
        f"Kill {what}?\n\n"
        f"Its processes get TERM, and KILL {format_duration(grace_s)} later.\n"
        "What was killed is recorded as cancelled; this cannot be undone."
    )


def _rerun_question(at: Situation) -> str:
    runs = _repeatable(at)
    return f"Repeat {len(runs)} runs, on the same hosts?" if len(runs) > 1 else ""


RUNS: Final = (
    Action(
        id="open",
        key="enter",
        name="open",
        help="open the run: its facts and its live log",
        places=frozenset({Place.RUNS, Place.JOB, Place.WHY}),
        takes=Noun.RUN,
        # On a job, enter opens whatever the cursor is on: runs, jobs, versions, due times.
        blocked=lambda at: "" if at.place is Place.JOB else _needs_run(at),
        command="tocsin run logs -f RUN",
    ),
    Action(
        id="kill",
        key="x",
        name="kill",
        help="end the run: TERM, then KILL; asks first",
        places=_ON_RUN,
        takes=Noun.RUN,
        needs=Role.OPERATOR,
        blocked=_killable,
        ask=lambda at: KillRuns([run.id for run in _under_way(at)]),
        question=_kill_question,
        command="tocsin run kill RUN",
    ),
    Action(
        id="rerun",
        key="R",
        name="re-run",
        help="repeat the run on the same host, as its job is now",
        places=_ON_RUN,
        takes=Noun.RUN,
        needs=Role.OPERATOR,
        blocked=_rerunnable,
        ask=lambda at: RerunRuns([run.id for run in _repeatable(at)]),
        question=_rerun_question,
        command="tocsin run rerun RUN",
    ),
)
