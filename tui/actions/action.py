"""An action, and the situation in which it is done.

An action either asks the coordinator something (`ask`) or does something on the screen alone,
which the screen of its place knows by the action's id. `blocked` says why it cannot be done now,
so that the footer, the help and the answer to the key can never disagree.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec

from tocsin.messages.client_link import Ask
from tocsin.model import HUMAN_RANK, Agent, JobRow, JobVersion, Role, Run
from tocsin.tui.hour import Spread


class Place(enum.Enum):
    """Where the user is."""

    OVERVIEW = "overview"
    JOBS = "jobs"
    JOB = "job"
    RUNS = "runs"
    RUN = "run"
    AGENTS = "agents"
    SCHEDULE = "schedule"
    EVENTS = "events"
    WHY = "why"
    EDITOR = "editor"


class Flag(enum.Enum):
    """What else decides which keys have a meaning."""

    SEARCHING = "something is being looked for"
    FOLLOWING = "the end of the log is followed"
    FILTERED = "a filter is set"
    MARKED = "rows are marked"
    NARROWED = "the list is of one job alone"
    CHOSEN = "the cursor was put on a run"
    VERSION = "the cursor is on a version"


class Noun(enum.Enum):
    """What an action is done to, when it is called by its name."""

    JOB = "JOB"
    RUN = "RUN"
    AGENT = "AGENT"
    CONTEXT = "CONTEXT"
    THEME = "THEME"
    TEXT = "TEXT"


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What the keys act on: what is marked, else what the cursor is on."""

    place: Place
    jobs: tuple[JobRow, ...] = ()
    runs: tuple[Run, ...] = ()
    agents: tuple[Agent, ...] = ()
    removed: str = ""
    """The name of a job that is no more, and that the cursor is on all the same."""
    offline: str = ""
    """Why nothing can be asked of the coordinator; empty when it can."""
    role: Role | None = None
    """What the user may do; None until the coordinator has said so."""
    read_only: bool = False
    flags: frozenset[Flag] = frozenset()
    at_us: int | None = None
    """The due time that the cursor is on."""
    versions: tuple[JobVersion, ...] = ()
    """The version of the job that the cursor is on, and the one before it."""
    spread: Spread | None = None
    """How what begins in the same second could be taken apart."""
    text: str = ""
    """What was typed behind the name of the action, or when it asked for it."""
    alone: tuple[str, ...] = ()
    """The jobs that no agent that is up could run but `agents`."""

    @property
    def job(self) -> JobRow | None:
        """The one job, or the first of several."""
        return self.jobs[0] if self.jobs else None

    @property
    def run(self) -> Run | None:
        """The one run, or the first of several."""
        return self.runs[0] if self.runs else None

    @property
    def agent(self) -> Agent | None:
        """The one agent, or the first of several."""
        return self.agents[0] if self.agents else None

    @property
    def job_names(self) -> list[str]:
        """The names of the jobs; where there are none, those of the runs."""
        names = [row.job.name for row in self.jobs] or [run.job for run in self.runs]
        return list(dict.fromkeys(names))

    @property
    def agent_names(self) -> list[str]:
        """The names of the agents; where there are none, those that the runs were given to."""
        names = [agent.name for agent in self.agents] or [run.agent for run in self.runs]
        return list(dict.fromkeys(name for name in names if name))


Say = Callable[[Situation], str]
"""A line for the situation; empty for none."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a user can do."""

    id: str
    """Its name: behind `:`, in the palette, and in the file that gives it another key."""
    key: str
    """Empty: it has a name only."""
    name: str
    help: str
    places: frozenset[Place]
    takes: Noun | None = None
    """What its name is followed by."""
    needs: Role = Role.VIEWER
    shown: Callable[[Situation], bool] = lambda _: True
    """Whether the key has this meaning now; several actions may share a key."""
    blocked: Say = lambda _: ""
    """Why it cannot be done now."""
    first: Callable[[Situation], bool] = lambda _: False
    """Whether it is what the cursor is there for, and so comes first in the footer."""
    ask: Callable[[Situation], Ask] | None = None
    undo: Callable[[Situation], Ask | None] = lambda _: None
    """What takes it back, as of before it was done."""
    question: Say = lambda _: ""
    """What is asked first, naming what follows; empty: it is done at once."""
    prompt: str = ""
    """What is to be typed first, where nothing is behind its name."""
    command: str = ""
    """The command line that does the same; JOB, RUN and AGENT stand for names."""
    options: Say = lambda _: ""
    """What follows that command line here, written for a shell."""


def allowed(action: Action, at: Situation) -> bool:
    """Whether the user may do this at all; what one may not do is not offered."""
    if action.needs is Role.VIEWER:
        return True
    if at.read_only:
        return False
    return at.role is None or HUMAN_RANK[at.role] >= HUMAN_RANK[action.needs]


def forbidden(action: Action, at: Situation) -> str:
    """Why the user may not do this; empty where one may."""
    if allowed(action, at):
        return ""
    if at.read_only:
        return "this context is read-only"
    return f"it needs the role {action.needs}, and yours is {at.role}"
