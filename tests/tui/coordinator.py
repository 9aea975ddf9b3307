"""A coordinator that says what a test tells it to, over a real CURVE listener."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tocsin.coordinator.output_reading import matches
from tocsin.link import Hub
from tocsin.messages.client_answers import (
    AgentsPage,
    Answer,
    AuditPage,
    Declined,
    Done,
    OutputFound,
    OutputPage,
    OutputPiece,
    RunsPage,
    Shared,
    Status,
)
from tocsin.messages.client_link import (
    AcceptAgent,
    Ask,
    CordonAgents,
    DrainAgents,
    FindOutput,
    GetAttempts,
    GetGroup,
    GetShared,
    GetStatus,
    KillRuns,
    ListAgents,
    ListAudit,
    ListRuns,
    PauseJobs,
    PutJobs,
    ReadOutput,
    ReadOutputBack,
    RemoveJobs,
    Reply,
    Request,
    ResumeJobs,
    RunJobs,
    Subscribe,
    UncordonAgents,
    UndrainAgents,
    Update,
)
from tocsin.messages.enrolment import fingerprint
from tocsin.model import (
    TERMINAL,
    Agent,
    AgentState,
    AuditEntry,
    Calendar,
    JobRow,
    Pause,
    Role,
    Run,
    RunState,
)
from tocsin.tui.session import Session, Target, Tell

from .definitions import answer_of, put
from .fleet import NOW_US, run
from .serving import ServingThread


class Coordinator(ServingThread):
    """What it knows is changed through `do` alone, in the thread that serves."""

    def __init__(self, jobs: list[JobRow], runs: list[Run], agents: list[Agent]) -> None:
        super().__init__()
        self.asks: list[Ask] = []
        """What was asked, in order."""
        self.decline: Callable[[Ask], Declined | None] = lambda _: None
        self.answers: Callable[[Ask], Answer | None] = lambda _: None
        """What a test alone answers, before anything else is thought of."""
        self.role = Role.ADMIN
        self.held: list[Run] = []
        """Runs that `ListRuns` tells of and the snapshot does not."""
        self.parts = 1
        """In how many parts the jobs of a snapshot are sent."""
        self.attempts: list[Run] = []
        """Attempts that were followed by another."""
        self.store = "ok"
        self.page_pieces = 10_000
        """The most pieces of output in one answer."""
        self.calendars: list[Calendar] = []
        self.pauses: list[Pause] = []
        self.tells_holds = True
        """Whether watchers are told at once of agents that were drained or cordoned."""
        self._jobs = {row.job.name: row for row in jobs}
        self._runs = {one.id: one for one in runs}
        self._agents = {agent.id or agent.key: agent for agent in agents}
        self._audit: list[AuditEntry] = []
        self._pieces: dict[str, list[OutputPiece]] = {}
        self._numbers: dict[bytes, int] = {}
        self._parked: list[tuple[bytes, int, ReadOutput]] = []

    def session(self, hub: Hub, tell: Tell) -> Session:
        """A session of the client that is admitted here, at an instant that stands still."""
        target = Target(self.endpoint, self.server_key, self.client_pair)
        return Session(hub, target, tell, now_us=lambda: NOW_US)

    # Orders from the test.

    def change(self, *rows: JobRow | Run | Agent, gone: tuple[str, ...] = ()) -> None:
        """Publish new rows."""
        self.do(lambda: self._change(rows, gone))

    def note(self, *entries: AuditEntry) -> None:
        """Put entries into the audit, oldest first, and number them."""
        self.do(lambda: self._note(entries))

    def skip_a_number(self) -> None:
        """Lose an update on the way to every watcher."""
        self.do(lambda: self._numbers.update({r: n + 1 for r, n in self._numbers.items()}))

    def write(self, run_id: str, *texts: str, stream: int = 1, attempt: int = 1) -> None:
        """Let a run print."""
        self.do(lambda: self._write(run_id, texts, stream, attempt))

    def lose(self, run_id: str, gap_bytes: int) -> None:
        """Let a run print something that is not kept."""
        piece = OutputPiece(1, 1, 1, 0, NOW_US, b"", gap_bytes)
        self.do(lambda: self._pieces.setdefault(run_id, []).append(piece))

    def forget(self) -> None:
        """Know no watcher, and nobody who waits."""
        self._numbers.clear()
        self._parked.clear()

    def take(self, route: bytes, request: Request) -> None:
        """Answer, or keep it until there is an answer."""
        self.asks.append(request.ask)
        answer = self.decline(request.ask) or self.answers(request.ask)
        if answer is not None:
            self.send(route, Reply(request.id, answer))
            return
        match request.ask:
            case Subscribe():
                self.send(route, Reply(request.id, Done([])))
                self._snapshot(route)
            case ReadOutput() as ask:
                self._parked.append((route, request.id, ask))
                self._answer_parked()
            case ReadOutputBack() | FindOutput() | GetAttempts() | GetGroup() as ask:
                self.send(route, Reply(request.id, self._of_run(ask)))
            case ask:
                self.send(route, Reply(request.id, self._answer(ask)))

    def _answer(self, ask: Ask) -> Answer:
        match ask:
            case GetStatus():
                return self._status()
            case GetShared():
                return Shared(self.calendars, [])
            case ListRuns(job, states, before, limit):
                known = [*self._runs.values(), *self.held]
                rows = [
                    r
                    for r in known
                    if job in {"", r.job}
                    and (not states or r.state in states)
                    and (not before or r.id < before)
                ]
                return RunsPage(sorted(rows, key=lambda r: r.id, reverse=True)[:limit])
            case RunJobs(names):
                made = [run(900 + len(self._runs), name, RunState.QUEUED) for name in names]
                self._change(made, ())
                return Done([one.id for one in made])
            case PauseJobs(names) | ResumeJobs(names):
                paused = isinstance(ask, PauseJobs)
                now = [msgspec.structs.replace(self._jobs[n], paused=paused) for n in names]
                self._change(now, ())
                return Done(names)
            case RemoveJobs(names):
                self._change((), tuple(names))
                return Done(names)
            case PutJobs() as ask:
                answer, made_rows = put(self._jobs, ask)
                self._change(made_rows, ())
                return answer
            case KillRuns(ids):
                killed = [self._runs[run_id] for run_id in ids]
                told = [msgspec.structs.replace(one, cancel_requested=True) for one in killed]
                self._change(told, ())
                return Done(ids)
            case _:
                return self._answer_of_agents(ask)

    def _answer_of_agents(self, ask: Ask) -> Answer:
        match ask:
            case ListAgents():
                return AgentsPage(list(self._agents.values()))
            case AcceptAgent(fingerprint_told):
                return Done([self._accept(fingerprint_told)])
            case CordonAgents(names, reason) | DrainAgents(names, reason):
                kind = AgentState.CORDONED if isinstance(ask, CordonAgents) else AgentState.DRAINING
                self._hold(names, kind, reason)
                return Done(names)
            case UncordonAgents(names) | UndrainAgents(names):
                self._hold(names, None, "")
                return Done(names)
            case ListAudit(_, _, before, limit):
                entries = [e for e in reversed(self._audit) if not before or e.number < before]
                return AuditPage(entries[:limit], len(entries) > limit)
            case _:
                return answer_of(self._jobs, ask)

    def _of_run(self, ask: ReadOutputBack | FindOutput | GetAttempts | GetGroup) -> Answer:
        match ask:
            case ReadOutputBack(run_id, before):
                pieces = self._pieces.get(run_id, [])
                kept = pieces[: before - 1] if before else pieces
                more = len(kept) > self.page_pieces
                page = kept[-self.page_pieces :]
                return OutputPage(page, ended=False, more=more, not_kept_bytes=_gaps(pieces))
            case FindOutput():
                return self._find(ask)
            case GetAttempts(run_id):
                return RunsPage([one for one in self.attempts if one.id == run_id])
            case GetGroup(run_id):
                known = {one.id: one for one in (*self.held, *self._runs.values())}
                group = known[run_id].group if run_id in known else ""
                rows = [r for r in known.values() if r.id == run_id or r.group == group != ""]
                return RunsPage(sorted(rows, key=lambda one: one.slot))

    def _find(self, ask: FindOutput) -> OutputFound:
        """As the real one, one piece an answer."""
        pieces = self._pieces.get(ask.run, [])
        position = (ask.position or len(pieces) + 1) + (-1 if ask.backward else 1)
        if not ask.position and not ask.backward:
            position = 1
        if not 0 < position <= len(pieces):
            return OutputFound(0, 0, 0)
        here = pieces[position - 1 : position]
        found = next(matches(ask.text, pieces[: position - 1], here, exact=ask.exact), 0)
        is_last = position == (1 if ask.backward else len(pieces))
        return OutputFound(found, 0 if is_last and not found else position, len(here[0].data))

    def _status(self) -> Status:
        return Status(
            version="0.1.0", epoch=1, pid=1, started_us=NOW_US, now_us=NOW_US, store=self.store,
            jobs=len(self._jobs), runs_active=0, runs_queued=0, agents_up=1, agents=1,
            next_due_us=None, dropped={}, you="ana", role=self.role,
            pauses=self.pauses,
        )  # fmt: skip

    def _snapshot(self, route: bytes) -> None:
        self._numbers[route] = 0
        runs = list(self._runs.values())
        self._tell(route, snapshot=True, more=True, runs=runs, agents=list(self._agents.values()))
        jobs = list(self._jobs.values())
        size = -(-len(jobs) // self.parts) or 1
        pages = [jobs[i : i + size] for i in range(0, len(jobs), size)] or [[]]
        for page in pages:
            self._tell(route, snapshot=True, more=page is not pages[-1], jobs=page)

    def _change(self, rows: Any, gone: tuple[str, ...]) -> None:
        jobs = [row for row in rows if isinstance(row, JobRow)]
        runs = [row for row in rows if isinstance(row, Run)]
        agents = [row for row in rows if isinstance(row, Agent)]
        self._jobs.update((row.job.name, row) for row in jobs)
        self._runs.update((one.id, one) for one in runs)
        self._agents.update((agent.id, agent) for agent in agents)
        for name in gone:
            del self._jobs[name]
        for route in self._numbers:
            self._tell(route, jobs=jobs, runs=runs, agents=agents, jobs_gone=list(gone))
        self._answer_parked()

    def _hold(self, names: list[str], held: AgentState | None, reason: str) -> None:
        known = [agent for agent in self._agents.values() if agent.name in names]
        by = "ana" if held is not None else ""
        told = [
            msgspec.structs.replace(
                agent,
                state=agent.state if agent.state is AgentState.DOWN else held or AgentState.UP,
                held=held,
                held_by=by,
                reason=reason,
            )
            for agent in known
        ]
        self._agents.update((agent.id, agent) for agent in told)
        if self.tells_holds:
            self._change(told, ())

    def _accept(self, told: str) -> str:
        key = next(key for key, agent in self._agents.items() if fingerprint(agent.key) == told)
        agent = self._agents.pop(key)
        self._change([msgspec.structs.replace(agent, id=agent.name, state=AgentState.DOWN)], ())
        return agent.name

    def _note(self, entries: tuple[AuditEntry, ...]) -> None:
        for entry in entries:
            number = len(self._audit) + 1
            self._audit.append(msgspec.structs.replace(entry, number=number))

    def _write(self, run_id: str, texts: tuple[str, ...], stream: int, attempt: int) -> None:
        pieces = self._pieces.setdefault(run_id, [])
        for text in texts:
            at_us = NOW_US + len(pieces) * 1_000
            mine = [p for p in pieces if (p.attempt, p.stream) == (attempt, stream)]
            offset = mine[-1].end if mine else 0
            piece = OutputPiece(len(pieces) + 1, attempt, stream, offset, at_us, text.encode())
            pieces.append(piece)
        if run_id in self._runs:
            size = sum(len(piece.data) for piece in pieces)
            self._runs[run_id] = msgspec.structs.replace(self._runs[run_id], output_bytes=size)
        self._answer_parked()

    def _answer_parked(self) -> None:
        parked, self._parked = self._parked, []
        for route, number, ask in parked:
            known = self._runs.get(ask.run)
            ended = known is None or known.state in TERMINAL
            pieces = [p for p in self._pieces.get(ask.run, []) if p.position > ask.after]
            page = pieces[: self.page_pieces]
            more = len(page) < len(pieces)
            if pieces or ended or not ask.wait_s:
                gaps = _gaps(self._pieces.get(ask.run, []))
                self.send(route, Reply(number, OutputPage(page, ended and not more, more, gaps)))
            else:
                self._parked.append((route, number, ask))

    def _tell(self, route: bytes, **content: Any) -> None:
        self._numbers[route] += 1
        self.send(route, Update(self._numbers[route], **content))


def _gaps(pieces: list[OutputPiece]) -> int:
    return sum(piece.gap_bytes for piece in pieces)
