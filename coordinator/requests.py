"""Requests of clients: what only reads is answered here, the rest becomes an event."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from tocsin import __version__
from tocsin.errors import RequestError, StoreError
from tocsin.instants import SECOND_US, Now
from tocsin.messages.client_answers import (
    AgentsPage,
    Answer,
    AuditPage,
    Declined,
    Done,
    ExecutorsPage,
    JobsPage,
    JobVersions,
    OutputPage,
    RunsPage,
    Shared,
    Status,
)
from tocsin.messages.client_link import (
    OUTPUT_BYTES_MAX,
    PAGE_ROWS_MAX,
    WAIT_S_MAX,
    AcceptAgent,
    Ask,
    CordonAgents,
    CreateToken,
    DrainAgents,
    EndPause,
    Explain,
    FindOutput,
    GetAttempts,
    GetGroup,
    GetJobs,
    GetJobVersions,
    GetRuns,
    GetShared,
    GetStatus,
    KillRuns,
    ListAgents,
    ListAudit,
    ListExecutors,
    ListJobs,
    ListPauses,
    ListRuns,
    PauseJobs,
    PutJobs,
    ReadOutput,
    ReadOutputBack,
    RemoveJobs,
    RerunRuns,
    ResumeJobs,
    RevokeAgents,
    RunJobs,
    StartPause,
    Subscribe,
    UncordonAgents,
    UndrainAgents,
    Unsubscribe,
    WalkAudit,
)
from tocsin.model import TERMINAL, Agent, AgentState, JobRow, RunState
from tocsin.params import check_given

from . import agent_orders, auditing, output_reading, pausing
from .applying import Applying
from .catalogue import Catalogue
from .explaining import Explainer
from .gateway import ClientAsked
from .machine.events import (
    Asker,
    CancelRequested,
    Event,
    JobsPaused,
    JobsRemoved,
    RunsRequested,
)
from .machine.machine import Machine
from .ordering import check_order
from .registry import Registry
from .reruns import rerun
from .store.port import Store
from .updates import Updates

VERSIONS_MAX: Final = 100
SNAPSHOT_RUNS_MAX: Final = 5_000
"""The most versions of a job in one answer: each is a whole definition."""
_EVER: Final = 1 << 62


INCIDENTS_SHOWN: Final = 5

Reading = (
    GetAttempts
    | GetGroup
    | GetJobVersions
    | GetJobs
    | GetShared
    | ListAudit
    | ListJobs
    | ListRuns
    | WalkAudit
)
"""Requests that are answered from what is kept, at once."""


class Parked(msgspec.Struct, frozen=True):
    """A request whose answer is held back until something happens, or its time is up."""

    asked: ClientAsked
    until_us: int
    """Steady clock."""


class Requests:
    """Answers clients. Returns an answer, an event for the machine, or parks the request."""

    def __init__(  # noqa: PLR0913 - the parts that a request may concern
        self,
        store: Store,
        machine: Machine,
        registry: Registry,
        updates: Updates,
        *,
        enrol_port: int,
        dropped: Callable[[], dict[str, int]],
        started_us: int,
    ) -> None:
        self._store = store
        self._machine = machine
        self._registry = registry
        self._updates = updates
        self._enrol_port = enrol_port
        self._dropped = dropped
        self._started_us = started_us
        self.catalogue = Catalogue(store, registry.agents.values)
        self._applying = Applying(store, machine, self.catalogue)
        self._explainer = Explainer(store, machine, self._agents)
        self.parked: list[Parked] = []

    def take(self, asked: ClientAsked, now: Now) -> Answer | Event | None:
        """Deal with a request; None when it is parked or answered by updates."""
        try:
            answer = self._answer(asked, now)
        except (RequestError, StoreError) as error:
            return Declined(error.message, error.hint)
        self._store.stage(auditing.of_answer(asked.ask, answer, asked.by, now.wall_us))
        return answer

    def retry_parked(self, now: Now) -> list[tuple[Asker, Answer]]:
        """Answer the parked requests for which something happened, or whose time is up."""
        parked, self.parked = self.parked, []
        answers: list[tuple[Asker, Answer]] = []
        for entry in parked:
            late = now.steady_us >= entry.until_us
            try:
                answer = self._held(entry.asked.ask, late=late)
            except StoreError as error:
                answer = Declined(error.message, error.hint)
            if answer is None:
                self.parked.append(entry)
            else:
                answers.append((entry.asked.asker, answer))
        return answers

    def _answer(self, asked: ClientAsked, now: Now) -> Answer | Event | None:  # noqa: C901, PLR0912 - one case a request
        ask, asker, by = asked.ask, asked.asker, asked.by
        match ask:
            case RunJobs(names, params):
                rows = self._jobs(names)
                for name, row in rows.items():
                    check_given(name, row.job.params, params.get(name, {}))
                return RunsRequested(asker, by, [rows[name] for name in names], params)
            case RerunRuns():
                return rerun(asked, ask, self._store)
            case GetRuns(_, wait_s) | ReadOutput(_, _, _, wait_s):
                return self._hold(asked, wait_s, now)
            case PutJobs():
                return self._applying.take(asked, ask, now)
            case GetAttempts() | GetGroup() | GetJobVersions() | GetJobs() | GetShared():
                return self._read(ask)
            case ListAudit() | ListJobs() | ListRuns() | WalkAudit():
                return self._read(ask)
            case FindOutput() | ReadOutputBack():
                return output_reading.answer(ask, self._store)
            case RemoveJobs(names):
                rows = self._jobs(names)
                check_order([], rows, self._machine, self._store.jobs_by_name)
                return JobsRemoved(asker, by, list(rows.values()))
            case PauseJobs(names):
                return pausing.pause_jobs(asked, ask, list(self._jobs(names).values()), now)
            case ResumeJobs(names):
                return JobsPaused(asker, by, list(self._jobs(names).values()), paused=False)
            case StartPause():
                return pausing.start_pauses(asked, ask, self._machine.pauses(), now)
            case EndPause():
                return pausing.end_pauses(asked, ask, self._machine.pauses(), now)
            case ListPauses():
                return pausing.page_of(self._machine.pauses(), now)
            case KillRuns(ids):
                return self._kill(asked, ids)
            case ListAgents():
                return AgentsPage(self._agents(now))
            case ListExecutors():
                return ExecutorsPage(self.catalogue.offered())
            case Explain():
                return self._explainer.explain(ask, now)
            case CreateToken():
                return self._registry.create_token(ask, self._enrol_port, now.wall_us)
            case AcceptAgent(asked_fingerprint):
                return Done([self._registry.accept(asked_fingerprint).name])
            case CordonAgents() | UncordonAgents() | DrainAgents() | UndrainAgents():
                return agent_orders.hold_agents(asked, ask, self._registry)
            case RevokeAgents():
                return agent_orders.revoke_agents(asked, ask, self._registry)
            case GetStatus():
                return self.status(asked, now, "ok")
            case Subscribe() | Unsubscribe():
                return self._watch(asker[0], ask, now)
            case _:
                assert_never(ask)

    def _watch(self, route: bytes, ask: Subscribe | Unsubscribe, now: Now) -> Done:
        if isinstance(ask, Subscribe):
            runs = self._store.list_runs("", [], "", min(max(ask.runs, 1), SNAPSHOT_RUNS_MAX))
            self._updates.subscribe(route, runs, self._agents(now))
        else:
            self._updates.unsubscribe(route)
        return Done([])

    # Reading.

    def _read(self, ask: Reading) -> Answer:
        """What is kept, page by page."""
        match ask:
            case GetGroup(run_id):
                groups = [run.group for run in self._store.runs([run_id]).values()]
                return RunsPage([run for f in self._store.fires(groups).values() for run in f])
            case ListJobs(after, limit):
                limit = min(max(limit, 1), PAGE_ROWS_MAX)
                rows_page = self._store.list_jobs(after, limit)
                return JobsPage(rows_page, len(rows_page) == limit)
            case GetJobs(names):
                found = self._store.jobs_by_name(names[:PAGE_ROWS_MAX])
                return JobsPage([found[name] for name in names if name in found])
            case ListRuns(job, states, before, limit):
                limit = min(max(limit, 1), PAGE_ROWS_MAX)
                runs = self._store.list_runs(job, states, before, limit)
                return RunsPage(runs, len(runs) == limit)
            case GetAttempts(run_id):
                return RunsPage(self._store.attempts(run_id))
            case GetJobVersions(name, before, limit):
                return self._versions(name, before, limit)
            case GetShared():
                calendars, pools = self._machine.calendars(), self._machine.pools()
                return Shared(
                    [calendars[name] for name in sorted(calendars)],
                    [pools[name] for name in sorted(pools)],
                )
            case ListAudit(subject, since_us, before, limit):
                limit = min(max(limit, 1), PAGE_ROWS_MAX)
                entries = self._store.audit(subject, since_us, before or _EVER, limit)
                return AuditPage(entries, len(entries) == limit)
            case WalkAudit(after, limit):
                limit = min(max(limit, 1), PAGE_ROWS_MAX)
                entries = self._store.audit_after(after, limit)
                return AuditPage(entries, len(entries) == limit)
            case _:
                assert_never(ask)

    def _hold(self, asked: ClientAsked, wait_s: float, now: Now) -> Answer | None:
        answer = self._held(asked.ask, late=wait_s <= 0)
        if answer is None:
            wait_us = round(min(wait_s, WAIT_S_MAX) * SECOND_US)
            self.parked.append(Parked(asked, now.steady_us + wait_us))
        return answer

    def _held(self, ask: Ask, *, late: bool) -> Answer | None:
        """The answer to a request that may be held back; None: not yet."""
        match ask:
            case GetRuns(ids, _):
                if not late and any(self._machine.is_active(run_id) for run_id in ids):
                    return None
                found = self._store.runs(ids[:PAGE_ROWS_MAX])
                return RunsPage([found[run_id] for run_id in ids if run_id in found])
            case ReadOutput(run_id, after, attempt, _):
                ended = not self._machine.is_active(run_id)
                pieces, more = self._store.read_output(run_id, attempt, after, OUTPUT_BYTES_MAX)
                if not pieces and not ended and not late:
                    return None
                if not pieces and ended and not self._store.runs([run_id]):
                    return output_reading.no_run(run_id)
                not_kept = self._store.not_kept([run_id]).get(run_id, 0)
                return OutputPage(pieces, ended and not more, more, not_kept)
            case _:
                raise AssertionError(ask)

    def _versions(self, name: str, before: int, limit: int) -> JobVersions:
        rows = self._store.job_versions(name)
        wanted = [row for row in reversed(rows) if not before or row.version < before]
        limit = min(max(limit, 1), VERSIONS_MAX)
        return JobVersions(wanted[:limit], len(wanted) > limit)

    def _agents(self, now: Now) -> list[Agent]:
        """All agents; those that are connected as they are at this moment."""
        live = {session.agent.id: session for session in self._machine.sessions()}
        rows = []
        for agent in self._registry.everyone():
            session = live.get(agent.id)
            agent = replace(agent, busy=self._machine.busy(agent.id))
            if session is not None:
                seen_us = now.wall_us - (now.steady_us - session.heard_us)
                agent = replace(agent, last_seen_us=seen_us)
            rows.append(agent)
        return rows

    def status(self, asked: ClientAsked, now: Now, store: str) -> Status:
        """How the coordinator is, and what who asked may do; `store` is its state in words."""
        active = self._machine.active_runs()
        states = [agent.state for agent in self._registry.agents.values()]
        return Status(
            version=__version__,
            epoch=self._machine.epoch,
            pid=os.getpid(),
            started_us=self._started_us,
            now_us=now.wall_us,
            store=store,
            jobs=self._store.count_jobs() if store == "ok" else -1,
            runs_active=len(active),
            runs_queued=sum(run.state is RunState.QUEUED for run in active),
            agents_up=states.count(AgentState.UP),
            agents=len(states) - states.count(AgentState.REVOKED),
            next_due_us=self._machine.next_due_us(),
            dropped=self._dropped(),
            pauses=pausing.page_of(self._machine.pauses(), now).rows,
            incidents=self._machine.incidents(INCIDENTS_SHOWN),
            you=asked.by,
            role=asked.role,
        )

    # Changing.

    def _jobs(self, names: list[str]) -> dict[str, JobRow]:
        """The rows of these jobs, each once.

        Raises:
            RequestError: one of them does not exist.
        """
        wanted = list(dict.fromkeys(names))
        found = self._store.jobs_by_name(wanted)
        missing = [name for name in wanted if name not in found]
        if missing:
            raise RequestError(
                f"there is no job {', '.join(missing[:5])}", "see what there is: tocsin job list"
            )
        return {name: found[name] for name in wanted}

    def _kill(self, asked: ClientAsked, ids: list[str]) -> Answer | Event:
        known = self._store.runs(ids)
        missing = [run_id for run_id in ids if run_id not in known]
        if missing:
            return output_reading.no_run(*missing[:5])
        if len(ids) == 1 and known[ids[0]].state in TERMINAL:
            return Declined(f"run {ids[0]} is over: it {known[ids[0]].state}")
        return CancelRequested(asked.asker, asked.by, ids)
