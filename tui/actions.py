"""The one table of what a user can do: keys, footer, help and the matching command line.

An action either asks the coordinator something (`ask`) or does something on the screen alone,
which the screen of its place knows by the action's id. `blocked` says why it cannot be done now,
so that the footer, the help and the answer to the key can never disagree.
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from tocsin.messages.client_link import Ask, KillRuns, PauseJobs, ResumeJobs, RunJobs
from tocsin.model import TERMINAL, JobRow, Run
from tocsin.units import format_duration

from .plain import fit, one_line
from .words import WORD, run_tail


class Place(enum.Enum):
    """Where the user is."""

    JOBS = "jobs"
    RUNS = "runs"
    RUN = "run"


class Situation(msgspec.Struct, frozen=True):
    """What the keys act on."""

    place: Place
    job: JobRow | None = None
    run: Run | None = None
    offline: str = ""
    """Why nothing can be asked of the coordinator; empty when it can."""
    chosen_job: str = ""
    """The job whose runs alone are listed."""
    searching: bool = False
    """Whether something is being looked for in the log."""


Say = Callable[[Situation], str]
"""A line for the situation; empty for none."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a user can do."""

    id: str
    key: str
    name: str
    help: str
    places: frozenset[Place]
    shown: Callable[[Situation], bool] = lambda _: True
    """Whether the key has this meaning now; several actions may share a key."""
    blocked: Say = lambda _: ""
    """Why it cannot be done now."""
    ask: Callable[[Situation], Ask] | None = None
    dangerous: bool = False
    question: Say = lambda _: ""
    """What a dangerous action asks first: it names what follows."""
    command: str = ""
    """The command line that does the same; JOB and RUN stand for names."""


def _job_name(at: Situation) -> str:
    if at.place is Place.JOBS:
        return at.job.job.name if at.job is not None else ""
    return at.run.job if at.run is not None else ""


def _needs_job(at: Situation) -> str:
    return at.offline or ("" if _job_name(at) else "there is no job here")


def _needs_run(at: Situation) -> str:
    return "" if at.run is not None else "there is no run here"


def _killable(at: Situation) -> str:
    if at.offline or at.run is None:
        return at.offline or "there is no run here"
    if at.run.state in TERMINAL:
        return f"the run is over: {WORD[at.run.state]}"
    return "it is being killed already" if at.run.cancel_requested else ""


def _kill_question(at: Situation) -> str:
    run = at.run
    assert run is not None, "asked only where a run is"
    grace_s = at.job.job.kill_after_s if at.job is not None else 10.0
    where = f" on {one_line(run.agent)}" if run.agent else ""
    return (
        f"Kill run {run_tail(run.id)} of {run.job}{where}?\n\n"
        f"Its processes get TERM, and KILL {format_duration(grace_s)} later.\n"
        "The run is then recorded as cancelled; this cannot be undone."
    )


def _run_id(at: Situation) -> str:
    return at.run.id if at.run is not None else ""


def _paused(at: Situation) -> bool:
    return at.job is not None and at.job.paused


_MAIN: Final = frozenset({Place.JOBS, Place.RUNS})
_JOBS: Final = frozenset({Place.JOBS})
_RUNS: Final = frozenset({Place.RUNS})
_RUN: Final = frozenset({Place.RUN})
_ALL: Final = frozenset(Place)

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        id="choose",
        key="enter",
        name="its runs",
        help="list only this job's runs; again: those of all",
        places=_JOBS,
        command="tocsin run list --job JOB",
    ),
    Action(
        id="open",
        key="enter",
        name="open log",
        help="open the run: its facts and its live log",
        places=_RUNS,
        blocked=_needs_run,
        command="tocsin run logs -f RUN",
    ),
    Action(
        id="follow",
        key="f",
        name="follow",
        help="stay at the end of the log; moving up lets go",
        places=_RUN,
        command="tocsin run logs -f RUN",
    ),
    Action(
        id="search",
        key="slash",
        name="find",
        help="find text in the log; capitals make case count",
        places=_RUN,
    ),
    Action(
        id="next_match",
        key="n",
        name="next",
        help="go to the next line that matches",
        places=_RUN,
        shown=lambda at: at.searching,
    ),
    Action(
        id="previous_match",
        key="N",
        name="previous",
        help="go to the previous line that matches",
        places=_RUN,
        shown=lambda at: at.searching,
    ),
    Action(
        id="run",
        key="r",
        name="run now",
        help="run the job now, whatever its schedule says",
        places=_ALL,
        blocked=_needs_job,
        ask=lambda at: RunJobs([_job_name(at)]),
        command="tocsin job run JOB",
    ),
    Action(
        id="pause",
        key="p",
        name="pause",
        help="let due times pass as skips until resumed",
        places=_JOBS,
        shown=lambda at: not _paused(at),
        blocked=_needs_job,
        ask=lambda at: PauseJobs([_job_name(at)]),
        command="tocsin job pause JOB",
    ),
    Action(
        id="resume",
        key="p",
        name="resume",
        help="fire again from the next due time on",
        places=_JOBS,
        shown=_paused,
        blocked=_needs_job,
        ask=lambda at: ResumeJobs([_job_name(at)]),
        command="tocsin job resume JOB",
    ),
    Action(
        id="last_log",
        key="l",
        name="last log",
        help="open the newest run of this job",
        places=_JOBS,
        blocked=lambda at: "" if at.run is not None else "it has no runs yet",
        command="tocsin run logs -f RUN",
    ),
    Action(
        id="kill",
        key="x",
        name="kill",
        help="end the run: TERM, then KILL; asks first",
        places=_RUNS | _RUN,
        blocked=_killable,
        ask=lambda at: KillRuns([_run_id(at)]),
        dangerous=True,
        question=_kill_question,
        command="tocsin run kill RUN",
    ),
    Action(
        id="pane",
        key="tab",
        name="next pane",
        help="go to the other table",
        places=_MAIN,
    ),
    Action(
        id="all_runs",
        key="escape",
        name="all runs",
        help="list the runs of all jobs again",
        places=_MAIN,
        shown=lambda at: bool(at.chosen_job),
        command="tocsin run list",
    ),
    Action(
        id="back",
        key="escape",
        name="back",
        help="go back to the tables",
        places=_RUN,
    ),
    Action(
        id="help",
        key="question_mark",
        name="help",
        help="list all keys and the commands that do the same",
        places=_ALL,
    ),
    Action(
        id="quit",
        key="q",
        name="quit",
        help="leave; jobs and runs go on",
        places=_ALL,
    ),
)
_KEY_CAPS: Final = {"slash": "/", "question_mark": "?", "escape": "esc"}


def key_cap(action: Action) -> str:
    """The key as it is printed."""
    return _KEY_CAPS.get(action.key, action.key)


def offered(at: Situation) -> Iterator[Action]:
    """The actions that the keys stand for in a situation, blocked ones included."""
    return (action for action in ACTIONS if at.place in action.places and action.shown(at))


def for_key(key: str, at: Situation) -> Action | None:
    """What a key stands for in a situation."""
    return next((action for action in offered(at) if action.key == key), None)


def keys(places: frozenset[Place]) -> list[str]:
    """The keys that have a meaning in any of these places, each once."""
    return list(dict.fromkeys(action.key for action in ACTIONS if action.places & places))


def footer(at: Situation, width: int) -> str:
    """The keys valid now, as many as fit; what is blocked stands in brackets."""
    texts = []
    for action in offered(at):
        text = f"{key_cap(action)} {action.name}"
        texts.append(f"({text})" if action.blocked(at) else text)
    last_two = "  ".join(texts[-2:])
    line = ""
    for text in texts[:-2]:
        if len(f" {line}{text}  {last_two}") > width:
            break
        line += f"{text}  "
    return fit(f" {line}{last_two}", width)


def command_line(action: Action, at: Situation) -> str:
    """The command that does the same here; empty where there is none."""
    job, run = _job_name(at), _run_id(at)
    if ("JOB" in action.command and not job) or ("RUN" in action.command and not run):
        return ""
    return action.command.replace("JOB", shlex.quote(job)).replace("RUN", shlex.quote(run))


def result_line(action: Action, at: Situation, names: list[str]) -> str:
    """What an action did; `names` are the jobs or runs that it was done to."""
    subject = run_tail(_run_id(at)) if "RUN" in action.command else _job_name(at)
    told = [run_tail(name) for name in names if name not in {_job_name(at), _run_id(at)}]
    became = f": run {', '.join(told)}" if told else ""
    return f"✓ {action.name} {subject}{became}"


def help_lines(width: int) -> list[str]:
    """The table for people: key, name, what it does, and the command that does the same."""
    lines = []
    for action in ACTIONS:
        head = f" {key_cap(action):<6}{action.name:<11}{action.help}"
        lines.append(fit(head, width))
        if action.command:
            lines.append(fit(f"{'':18}same as: {action.command}", width))
    return lines
