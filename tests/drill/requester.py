"""Somebody at the command line, who asks for one thing after the other, whatever happens.

What is acknowledged is noted as a wish; what is not may have been done, may be done later (a
request can wait in the socket of a coordinator that is stopped), or never.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Callable
from random import Random  # noqa: TID251 - a seeded one
from typing import Any, Final

import msgspec

from tests.sim.evidence import Violation, Wish
from tocsin.cli.failing import FAILED, NOT_FOUND, OK, UNREACHABLE
from tocsin.instants import SECOND_US
from tocsin.model import Job, Scope

from .jobs import as_file, make_job, read_jobs
from .members import AGENTS, DrillFleet
from .witness import true_us

State = tuple[Job | None, bool]
ACTS: Final = ["pause", "resume", "resume", "put", "remove", "run", "run", "kill", "maintain"]
SCOPES: Final = [
    (Scope.JOB, "job-0*"), (Scope.JOB, "*-one"), (Scope.LABEL, "team=a"), (Scope.LABEL, "team=[b]"),
    (Scope.AGENT, AGENTS[0]), (Scope.AGENT, "*lt*"), (Scope.ALL, ""),
]  # fmt: skip
CHANGING: Final = "job-"
"""Jobs with such names are changed and removed."""
CHANGES: Final = frozenset({"put", "remove", "pause", "resume"})
"""What changes how a job is."""
EXPECTED: Final = {OK: True, FAILED: False, NOT_FOUND: False, UNREACHABLE: None}
"""Exit codes, and whether what was asked for is done then; None: who knows."""
CITED_MAX: Final = 500
LINGERS_US: Final = 60 * SECOND_US
"""A request that nobody acknowledged is done by then, or never."""


class Act(msgspec.Struct):
    """One request: between two true instants, and whether it is known to be done."""

    what: str
    name: str
    from_us: int
    until_us: int = 0
    done: bool | None = None
    job: Job | None = None
    scope: Scope = Scope.JOB
    """Of maintenance; its value is the name."""
    seconds: float = 0.0
    """How long maintenance takes."""


class Requester:
    """Asks for things until told to stop; `wishes` are what may be expected of each job."""

    def __init__(self, fleet: DrillFleet, dice: Random, run_ids: Callable[[], list[str]]) -> None:
        self.acts: list[Act] = []
        self.violations: list[Violation] = []
        self._fleet = fleet
        self._dice = dice
        self._run_ids = run_ids
        self._states: dict[str, list[State]] = {}
        self._definitions: dict[str, dict[str, Any]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, name="requester")
        self.failure: BaseException | None = None

    # Requests.

    def put(self, definitions: dict[str, dict[str, Any]]) -> Act:
        """Apply a job file."""
        self._definitions |= definitions
        jobs = read_jobs(definitions, self._fleet.home)
        acts = [Act("put", name, true_us(), job=job) for name, job in jobs.items()]
        self._do(acts, ["apply", "-"], text=as_file(definitions))
        return acts[0]

    def pause(self, names: list[str]) -> Act:
        """Pause jobs."""
        acts = [Act("pause", name, true_us()) for name in names]
        self._do(acts, ["job", "pause", *names, "--reason", "drill"])
        return acts[0]

    def _do(self, acts: list[Act], command: list[str], text: str = "") -> None:
        self.acts += acts
        code: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = self._fleet.call(*command, input=text)
            code = done.returncode
            if code not in EXPECTED or "Traceback" in done.stderr:
                message = f"{' '.join(command)} exits with {code}: {done.stderr[-CITED_MAX:]}"
                self.violations.append(Violation("client", message))
                code = None  # it may have been done
        for act in acts:
            act.until_us = true_us()
            act.done = None if code is None else EXPECTED[code]
            self._note(act)
        self._log(f"{' '.join(command)[:100]}: {code}")

    def _log(self, text: str) -> None:
        with (self._fleet.home / "requests.log").open("a", encoding="utf-8") as file:
            file.write(f"{true_us() / SECOND_US:.3f} {text}\n")

    # In the background.

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for nothing more; returns when the last answer is there."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _ask_on(self) -> None:
        try:
            while not self._stopped.wait(self._dice.uniform(0.5, 3.0)):
                self._ask()
        except BaseException as error:  # noqa: BLE001 - raised again where somebody looks
            self.failure = error

    def _ask(self) -> None:
        what = self._dice.choice(ACTS)
        changing = what in {"put", "remove"}
        names = [n for n in self._definitions if n.startswith(CHANGING) or not changing]
        name = self._dice.choice(sorted(names))
        if what == "maintain":
            self._maintain()
        elif what == "put":
            number = int(name.rpartition("-")[2])
            self.put({name: make_job(number, self._dice, self._fleet.home)})
        elif what == "kill":
            ids = self._run_ids()
            if ids:
                run_id = self._dice.choice(ids)
                self._do([Act("kill", run_id, true_us())], ["run", "kill", run_id])
        elif what == "remove":
            self._do([Act("remove", name, true_us())], ["job", "rm", name])
            if self._dice.random() < 0.8:
                self.put({name: self._definitions[name]})
        else:
            self._do([Act(what, name, true_us())], ["job", what, name])

    def _maintain(self) -> None:
        scope, value = self._dice.choice(SCOPES)
        seconds = round(self._dice.uniform(2, 8))
        act = Act("maintain", value, true_us(), scope=scope, seconds=seconds)
        option = [f"--{scope}", value] if value else [f"--{scope}"]
        words = ["maintenance", "start", *option, "--for", f"{seconds}s", "--reason", "drill"]
        self._do([act], words)

    # What to expect.

    def _note(self, act: Act) -> None:
        if act.what not in CHANGES or act.done is False:
            return
        before = self._states.get(act.name, [(None, False)])
        after = [_after(act, state) for state in before]
        states = after if act.done else [*before, *after]
        for late in self._unsettled(act):
            states = [*states, *(_after(late, state) for state in states)]
        self._states[act.name] = [s for i, s in enumerate(states) if s not in states[:i]]

    def _unsettled(self, act: Act) -> list[Act]:
        """Earlier requests that may be done only after this one."""
        since_us = act.from_us - LINGERS_US
        return [
            other
            for other in self.acts
            if other is not act
            and other.name == act.name
            and other.done is None
            and other.what in CHANGES
            and since_us < other.until_us
        ]

    @property
    def wishes(self) -> list[Wish]:
        """What to expect of each job."""
        return [Wish(name, states) for name, states in self._states.items()]


def _after(act: Act, state: State) -> State:
    job, paused = state
    match act.what:
        case "put":
            return act.job, paused
        case "remove":
            return None, False
        case "pause" | "resume" if job is not None:
            return job, act.what == "pause"
        case _:
            return state


def paused_widest(acts: list[Act], name: str) -> list[tuple[int, int]]:
    """The true spans in which a job may have been paused."""
    spans: list[tuple[int, int]] = []
    since_us: int | None = None
    for act in (a for a in acts if a.name == name):
        if act.what == "pause" and act.done is not False and since_us is None:
            since_us = act.from_us
        ends = act.what in {"resume", "remove"} and act.done and not _lingers(acts, act)
        if ends and since_us is not None:
            spans.append((since_us, act.until_us))
            since_us = None
    if since_us is not None:
        spans.append((since_us, 1 << 62))
    return spans


def _lingers(acts: list[Act], after: Act) -> bool:
    """Whether a pause that nobody acknowledged may be done after this request."""
    return any(
        a.what == "pause" and a.name == after.name and a.done is None
        and a.from_us < after.until_us and after.from_us - LINGERS_US < a.until_us
        for a in acts
    )  # fmt: skip


def paused_surely(acts: list[Act], name: str) -> list[tuple[int, int]]:
    """The true spans in which a job was paused beyond doubt."""
    mine = [a for a in acts if a.name == name and a.what in {"pause", "resume", "remove"}]
    spans = []
    for number, act in enumerate(mine):
        if act.what != "pause" or act.done is not True:
            continue
        doubts = [
            a for a in mine[:number] if a.done is None and act.from_us - LINGERS_US < a.until_us
        ]
        later = [a for a in mine[number + 1 :] if a.what != "pause" and a.done is not False]
        if not doubts:
            spans.append((act.until_us, later[0].from_us if later else 1 << 62))
    return spans
