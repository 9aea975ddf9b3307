"""A machine on the bench: a virtual clock, counted ids, and what was last saved of each thing."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import msgspec

from tocsin.coordinator.machine.commands import (
    Command,
    DropDependencies,
    DropJob,
    DropPause,
    FetchDue,
    FetchFires,
    MoveCursor,
    Reply,
    SaveAgent,
    SaveAttempt,
    SaveDependency,
    SaveIncident,
    SaveJob,
    SavePause,
    SaveRestore,
    SaveRun,
    Send,
)
from tocsin.coordinator.machine.events import (
    AgentHello,
    AgentReport,
    BackupRestored,
    CancelRequested,
    Event,
    FiresEnded,
    IncidentsNoticed,
    JobsDue,
    JobsPaused,
    JobsPut,
    JobsRemoved,
    PastRun,
    PausesEnded,
    PausesStarted,
    RunsRequested,
    Tick,
)
from tocsin.coordinator.machine.incidents import KEPT_MAX, key_of
from tocsin.coordinator.machine.machine import Machine, Restored, Stored
from tocsin.coordinator.machine.state import Policy
from tocsin.execution import AttemptKey, Order, Outcome, Status
from tocsin.instants import SECOND_US, Now
from tocsin.messages import PROTOCOL_VERSION
from tocsin.messages.agent_link import AttemptReport, Chunk, Dispatch, Hello, Phase, Report, ToAgent
from tocsin.model import (
    TERMINAL,
    Agent,
    Condition,
    Incident,
    IncidentKind,
    Job,
    JobRow,
    Pause,
    Pool,
    Restore,
    Run,
    Scope,
)

Happening = Event | FetchDue | FetchFires
"""An event, or what is to be fetched for one."""
START_US = 1_767_225_600 * SECOND_US  # 2026-01-01T00:00:00Z
ASKER = (b"client", 1)


class EvenChance:
    """Chance without surprises: always the middle."""

    def random(self) -> float:
        """One half: a jitter of nothing."""
        return 0.5

    def randrange(self, stop: int, /) -> int:
        """The middle one."""
        return stop // 2


def job(name: str = "backup", **fields: Any) -> Job:
    """A job that scripted agents can run, every minute unless said otherwise."""
    given = {"executor": "scripted", "config": {}, "schedule": ["* * * * *"], **fields}
    return msgspec.convert(msgspec.to_builtins(Job(name=name, **given)), Job)


class Bench:
    """Feeds events to a machine, answers its fetches, and keeps what it saves."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy(agent_silence_s=1e6)
        self.wall_us = START_US
        self.steady_us = 0
        self.ids = count(1)
        self.rows: dict[int, JobRow] = {}
        self.runs: dict[str, Run] = {}
        self.agents: dict[str, Agent] = {}
        self.pools: list[Pool] = []
        self.pauses: dict[str, Pause] = {}
        self.incidents: dict[tuple[int, int, str], Incident] = {}
        self.restore: Restore | None = None
        self.conditions: dict[tuple[int, str], Condition] = {}
        self.sent: list[tuple[str, ToAgent]] = []
        self.answers: list[Any] = []
        self.reports: dict[str, int] = {}
        self.offsets: dict[str, tuple[int, int]] = {}
        self.ended_with: dict[str, dict[str, Any]] = {}
        """The facts of the last attempt but one of each run."""
        self.machine = self._machine(1)
        self.machine.restore(Stored(), self.now)

    def _machine(self, epoch: int) -> Machine:
        return Machine(
            epoch=epoch,
            policy=self.policy,
            new_id=lambda: f"{next(self.ids):026}",
            chance=EvenChance(),
        )

    @property
    def now(self) -> Now:
        """Both clocks."""
        return Now(self.wall_us, self.steady_us)

    def feed(self, event: Event) -> None:
        """Let something happen, and do what follows."""
        events: list[Happening] = [event]
        for given in events:  # what is fetched becomes the next, as it is by then
            happened = self._fetched(given) if isinstance(given, FetchDue | FetchFires) else given
            self._do(self.machine.handle(happened, self.now), events)

    def _fetched(self, wanted: FetchDue | FetchFires) -> Event:
        match wanted:
            case FetchDue(due):
                return JobsDue([(at, self.rows.get(job_id)) for at, job_id in due])
            case FetchFires(groups, job_ids):
                fires = [[r for r in self.runs.values() if r.group == g] for g in groups]
                return FiresEnded(fires, {i: self.rows[i] for i in job_ids if i in self.rows})

    def _do(self, commands: list[Command], events: list[Happening]) -> None:
        for command in commands:
            match command:
                case SaveRun(run):
                    before = self.runs.get(run.id)
                    assert before is None or before.state not in TERMINAL or before.state == "lost"
                    self.runs[run.id] = run
                case SaveAttempt(run):
                    self.ended_with[run.id] = run.facts
                case SaveJob(row) | MoveCursor(row):
                    self.rows[row.id] = row
                case DropJob(row, _):
                    del self.rows[row.id]
                case SaveAgent(agent):
                    self.agents[agent.id] = agent
                case Send(agent_id, message):
                    self.sent.append((agent_id, message))
                case Reply(_, answer):
                    self.answers.append(answer)
                case FetchDue() | FetchFires():
                    events.append(command)
                case _:
                    self._keep_upkeep(command)

    def _keep_upkeep(self, command: Command) -> None:
        match command:
            case SaveDependency(condition):
                key = condition.job_id, condition.dependency.job
                self.conditions[key] = condition
            case DropDependencies(job_id):
                for key in [key for key in self.conditions if key[0] == job_id]:
                    del self.conditions[key]
            case SavePause(pause):
                self.pauses[pause.id] = pause
            case DropPause(pause_id):
                del self.pauses[pause_id]
            case SaveIncident(incident):
                self.incidents[key_of(incident)] = incident
            case SaveRestore(restore):
                self.restore = restore
            case _:
                pass

    def put(self, *jobs: Job) -> list[JobRow]:
        """Define jobs; their rows."""
        rows = {row.job.name: row for row in self.rows.values()}
        self.feed(JobsPut(ASKER, "ann", [(each, rows.get(each.name)) for each in jobs]))
        rows = {row.job.name: row for row in self.rows.values()}
        return [rows[each.name] for each in jobs]

    def row(self, name: str = "backup") -> JobRow:
        """The row of a job."""
        return next(row for row in self.rows.values() if row.job.name == name)

    def remove(self, name: str = "backup") -> None:
        """Delete a job."""
        self.feed(JobsRemoved(ASKER, "ann", [self.row(name)]))

    def pause(
        self, name: str = "backup", *, paused: bool = True, for_s: float | None = None
    ) -> None:
        """Pause a job, perhaps for so long; or resume it."""
        until_us = None if for_s is None else self.wall_us + round(for_s * SECOND_US)
        self.feed(JobsPaused(ASKER, "ann", [self.row(name)], paused, "maintenance", until_us))

    def maintain(self, scope: Scope, value: str = "", for_s: float | None = None) -> str:
        """Begin maintenance; the id of its pause."""
        until_us = None if for_s is None else self.wall_us + round(for_s * SECOND_US)
        wanted = Pause(
            id="", scope=scope, value=value, reason="disks", since_us=0, until_us=until_us
        )
        self.feed(PausesStarted(ASKER, "ann", [wanted]))
        return str(self.answers[-1].names[0])

    def end_maintenance(self, pause_id: str) -> None:
        """End maintenance."""
        self.feed(PausesEnded(ASKER, "ann", [pause_id]))

    def request(self, *names: str, **params: str) -> list[Run]:
        """Run jobs now; the runs."""
        given = dict.fromkeys(names, params)
        self.feed(RunsRequested(ASKER, "ann", [self.row(name) for name in names], given))
        return [self.runs[run_id] for run_id in self.answers[-1].names]

    def kill(self, *ids: str) -> None:
        """End runs."""
        self.feed(CancelRequested(ASKER, "ann", list(ids)))

    def pass_time(self, seconds: float, *, steps: int = 1) -> None:
        """Let both clocks run, with a tick at the end of each step."""
        for _ in range(steps):
            self.wall_us += round(seconds * SECOND_US)
            self.steady_us += round(seconds * SECOND_US)
            self.feed(Tick())

    def step_wall(self, seconds: float) -> None:
        """Step the wall clock alone."""
        self.wall_us += round(seconds * SECOND_US)
        self.feed(Tick())

    def hello(
        self,
        agent_id: str = "A",
        *,
        attempts: Iterable[AttemptReport] = (),
        spool: str = "spool",
        slots: int = 8,
        tags: dict[str, str] | None = None,
        session: str = "",
    ) -> str:
        """Connect an agent; its session."""
        session = session or f"s{next(self.ids)}"
        known = self.agents.get(agent_id) or Agent(id=agent_id, key=agent_id, name=agent_id.lower())
        said = Hello(
            PROTOCOL_VERSION, session, spool, 0, "1", tags or {}, slots, ["scripted"],
            list(attempts), self.wall_us, next(self.ids),
        )  # fmt: skip
        past = {
            run_id: PastRun(self.runs[run_id], self.rows[self.runs[run_id].job_id].job, (0, 0), 0)
            for run_id in {a.key.rpartition(".")[0] for a in said.attempts}
            if run_id in self.runs and not self.machine.is_active(run_id)
        }
        self.last_hello = AgentHello(known, said, past)
        self.feed(self.last_hello)
        self.reports[session] = 0
        return session

    def report(
        self,
        session: str,
        *attempts: AttemptReport,
        agent_id: str = "A",
        output: Iterable[Chunk] = (),
        number: int | None = None,
    ) -> None:
        """Have an agent report."""
        self.reports[session] += 1
        said = Report(session, number or self.reports[session], list(attempts), list(output))
        self.feed(AgentReport(agent_id, said))

    def ended(
        self, key: str, status: Status = Status.SUCCEEDED, code: int | None = 0, **facts: Any
    ) -> AttemptReport:
        """The report of an attempt that is over."""
        at_us = self.wall_us
        outcome = Outcome(status, code, "" if code == 0 else f"exit code {code}", facts)
        return AttemptReport(AttemptKey(key), Phase.ENDED, at_us, at_us, at_us, outcome)

    def running(self, key: str) -> AttemptReport:
        """The report of an attempt under way."""
        return AttemptReport(AttemptKey(key), Phase.RUNNING, self.wall_us, self.wall_us)

    def orders(self, agent_id: str = "A") -> list[Order]:
        """Every order that an agent was sent."""
        return [
            order
            for to, message in self.sent
            if to == agent_id and isinstance(message, Dispatch)
            for order in message.orders
        ]

    def told(self, kind: type, agent_id: str = "A") -> list[Any]:
        """The messages of a kind that an agent was sent."""
        return [
            message for to, message in self.sent if to == agent_id and isinstance(message, kind)
        ]

    def records(self, name: str = "backup") -> list[Run]:
        """All runs of a job, by due time and id."""
        runs = [run for run in self.runs.values() if run.job == name]
        return sorted(runs, key=lambda run: (run.due_us or 0, run.id))

    def notice(self, kind: IncidentKind, from_us: int, until_us: int, amount_us: int = 0) -> None:
        """Have something befall the coordinator's time."""
        incident = Incident(kind=kind, from_us=from_us, until_us=until_us, amount_us=amount_us)
        self.feed(IncidentsNoticed([incident]))

    def put_back(self, seconds: float, *, handed_over: bool = False, missed: bool = False) -> None:
        """What is kept now is a backup; it is restored `seconds` later, and started."""
        self.restore = Restore(
            backup_us=self.wall_us,
            restored_us=self.wall_us + round(seconds * SECOND_US),
            by="ann",
            file="tocsin.tar.gz",
            handed_over=handed_over,
            run_missed=missed,
        )
        self.sent.clear()
        self.restart(seconds)

    def restart(self, seconds: float = 0.0, *, notice: bool = False) -> None:
        """End the coordinator, and start the next one `seconds` later, which may notice that."""
        ended_us = self.wall_us
        self.wall_us += round(seconds * SECOND_US)
        self.steady_us += round(seconds * SECOND_US)
        epoch = self.machine.epoch + 1
        self.machine = self._machine(epoch)
        due = [
            (row.next_due_us, row.id) for row in self.rows.values() if row.next_due_us is not None
        ]
        active = [
            Restored(
                run,
                self.rows[run.job_id].job,
                self.offsets.get(run.id, (0, 0)),
                0,
                {},
                facts=self.ended_with.get(run.id, {}),
            )
            for run in sorted(self.runs.values(), key=lambda run: run.created_us)
            if run.finished_us is None
        ]
        stored = Stored(
            due=due,
            active=active,
            next_job_id=len(self.rows) + 1,
            agents=list(self.agents.values()),
            pools=self.pools,
            ended_members=[
                run
                for run in self.runs.values()
                if run.finished_us is not None and run.group in {r.run.group for r in active}
            ],
            pauses=list(self.pauses.values()),
            incidents=[self.incidents[key] for key in sorted(self.incidents)][-KEPT_MAX:],
            resumes=[
                (row.pause_until_us, row.id)
                for row in self.rows.values()
                if row.pause_until_us is not None
            ],
            conditions=list(self.conditions.values()),
            restore=self.restore,
        )
        self.machine.restore(stored, self.now)
        if self.restore is not None and not self.restore.settled:
            self.feed(BackupRestored(self.restore))
        if notice:
            self.notice(IncidentKind.DOWN, ended_us, self.wall_us)
        self.feed(Tick())
