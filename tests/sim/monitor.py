"""Looks on while a coordinator decides, and judges every commit against what was true before.

Decisions are noted in order and judged when they become durable; those that a crash undoes were
never made. What leaves before it is durable is a violation by itself.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from msgspec.structs import replace

from tocsin.coordinator.machine.commands import (
    CutOutput,
    DropJob,
    DropPause,
    FetchDue,
    SaveAgent,
    SaveAttempt,
    SaveJob,
    SaveOutput,
    SavePause,
    SaveRun,
)
from tocsin.coordinator.machine.events import JobsDue, Tick
from tocsin.coordinator.machine.machine import Machine, Restored
from tocsin.execution import AttemptKey
from tocsin.messages.agent_link import Chunk, Dispatch
from tocsin.model import (
    TERMINAL,
    AgentState,
    Job,
    Overlap,
    Pause,
    Run,
    RunState,
    SkipReason,
    Trigger,
)

from .acts import Acts
from .chains import BY_ITSELF, Chains, is_held
from .chronicle import Chronicle
from .decision import Decision
from .evidence import Loss, Start, Term, Violation
from .fleet import Fleet
from .oracle import dues_us
from .policies import ON_TIME_US, Debt, expected
from .reasons import Reasons
from .rolling import Rolling
from .upkeep import OF_AGENTS, barred, is_of_job, is_paused

UNDER_WAY: Final = frozenset({RunState.DISPATCHED, RunState.ACCEPTED, RunState.RUNNING})
_ENDED: Final = TERMINAL - {RunState.SKIPPED}
FOLLOWS: Final[dict[RunState | None, frozenset[RunState]]] = {
    None: frozenset({RunState.QUEUED, RunState.SKIPPED}),
    RunState.QUEUED: frozenset(
        {
            RunState.QUEUED,
            RunState.DISPATCHED,
            RunState.CANCELLED,
            RunState.SKIPPED,
            RunState.REFUSED,
        }
    ),
    RunState.DISPATCHED: UNDER_WAY | _ENDED | {RunState.QUEUED},
    RunState.ACCEPTED: (UNDER_WAY - {RunState.DISPATCHED}) | _ENDED | {RunState.QUEUED},
    RunState.RUNNING: _ENDED | {RunState.RUNNING, RunState.QUEUED},
    RunState.LOST: UNDER_WAY | _ENDED,
}
"""Which states may follow which; another terminal state is followed by none."""
CONSTANT: Final = ("job_id", "job", "job_version", "due_us", "group", "slot", "pin", "trigger")


ASKED_FOR: Final = frozenset({Trigger.MANUAL, Trigger.RETRY})
NOT_OF_POLICY: Final = frozenset({SkipReason.OVERLAP, SkipReason.NO_AGENT, SkipReason.DEPENDENCY})
"""Reasons of due times that were to be served, as far as the `missed` policy goes."""
DECIDED_AT_ONCE: Final = 2_000
"""More due times of one job are decided in several steps."""


class Monitor:
    """The ledger as it grows. `patience_us`: how long a run waits for an agent at least."""

    def __init__(self, patience_us: int, rejoin_us: int, *, even: bool) -> None:
        self.chronicle = Chronicle()
        self.acts = Acts()
        self.ledger: dict[str, Run] = {}
        self.active: dict[str, Run] = {}
        self.attempts: dict[AttemptKey, Run] = {}
        self.losses: list[Loss] = []
        self.removed_us: dict[int, int] = {}
        self.ordered_us: dict[AttemptKey, int] = {}
        self.starts: dict[AttemptKey, Start] = {}
        self.pauses: dict[str, Pause] = {}
        self.fleet = Fleet(rejoin_us, self.pauses)
        self.chains = Chains(self.ledger, self.pauses)
        self.reasons = Reasons()
        self.rolling = Rolling(self.ledger, self.fleet, even=even)
        self.all_pauses: list[Pause] = []
        """Every version of each of them."""
        self.commits = 0
        self._patience_us = patience_us
        self._undecided: list[Decision] = []
        self._since_us: dict[str, int] = {}
        """Since when a run is in its state."""
        self._sent_us: dict[str, int] = {}
        """When the last attempt of a run was given to an agent."""
        self._ends: dict[tuple[AttemptKey, int], int] = {}
        self.cut: set[str] = set()
        """Runs of which output was let go, or was to be: it is written before all else."""
        self._by_job: dict[int, dict[str, None]] = defaultdict(dict)

    # What is decided.

    def decided(self, decision: Decision) -> None:
        """A coordinator decided something, which is not durable yet."""
        self._undecided.append(decision)
        cuts = [command for command in decision.commands if isinstance(command, CutOutput)]
        self.cut.update(cut.key.rpartition(".")[0] for cut in cuts)

    def crashed(self) -> None:
        """What was decided and not durable never was."""
        self._undecided.clear()

    def restarted(self, true_us: int, found: list[Restored]) -> None:
        """A new coordinator gives every waiting run its time anew.

        Output may be stored of which nothing else was: it is committed first.
        """
        for run, _, offsets, *_ in found:
            for stream in (1, 2):
                self._ends[AttemptKey(f"{run.id}.{run.attempt}"), stream] = offsets[stream - 1]
            known = self.active.get(run.id)
            if known is not None:
                self.active[run.id] = replace(known, output_bytes=run.output_bytes)
        for run_id, run in self.active.items():
            if run.state is RunState.QUEUED:
                self._since_us[run_id] = true_us
        self.fleet.restarted(true_us)

    def committed(self, machine: Machine) -> None:
        """Everything decided so far is durable now."""
        self.commits += 1
        decisions, self._undecided = self._undecided, []
        for decision in decisions:
            self._judge(decision)
        self.chains.committed()
        self.rolling.committed()
        self.chronicle.check(machine.next_due_us())
        self._check_memory(machine)

    def _judge(self, decision: Decision) -> None:  # noqa: C901, PLR0912 - one case a command
        self.acts.note(decision.event, decision.commands, self.ledger)
        fired: dict[int, list[tuple[Run, Term]]] = defaultdict(list)
        begun: dict[str, dict[str, Run]] = defaultdict(dict)
        self.fleet.near(decision.reachable, decision.true_us, decision.heard_us)
        self.chains.begin(decision)
        for command in decision.commands:
            if isinstance(command, SaveRun | SaveJob | DropJob):
                self.chains.saw(command, decision)
            match command:
                case SaveRun(run):
                    if run.id not in self.ledger or run.id in begun[run.group]:
                        begun[run.group][run.id] = run
                    term = self._run(run, decision)
                    if term is not None:
                        fired[run.job_id].append((run, term))
                case SaveAttempt(run):
                    self._attempt(run, decision)
                case SaveOutput(_, chunk):
                    self._output(chunk)
                case SaveJob(row):
                    self.chronicle.saved(row, decision.now.wall_us)
                    self.rolling.defined(row.id, row.version, row.job)
                case DropJob(row, _):
                    self.chronicle.dropped(row.id, decision.now.wall_us)
                    self.removed_us[row.id] = decision.true_us
                case SavePause() | DropPause() | SaveAgent():
                    self._upkeep(command, decision)
                case _:
                    self.rolling.saw(command)
        for records in fired.values():
            self._check_policy(records, decision.now.wall_us)
        for runs in begun.values():
            self._check_hosts(list(runs.values()), decision)
        # With jobs due, the horizon is where they were dealt with.
        waits = any(isinstance(command, FetchDue) for command in decision.commands)
        if isinstance(decision.event, Tick | JobsDue) and not waits:
            self.chronicle.ticked(decision.now.wall_us)
        if isinstance(decision.event, Tick) and not waits:
            self._check_resumed(decision.now.wall_us)

    # Maintenance.

    def _upkeep(self, command: SavePause | DropPause | SaveAgent, decision: Decision) -> None:
        match command:
            case SavePause(pause):
                self.pauses[pause.id] = pause
                self.all_pauses.append(pause)
            case DropPause(pause_id):
                self._check_dropped(self.pauses.pop(pause_id), decision.now.wall_us)
            case SaveAgent(agent):
                self.fleet.check_held(agent, decision)
                self.fleet.saved(agent, decision.true_us)

    def _check_dropped(self, pause: Pause, wall_us: int) -> None:
        if pause.until_us is None or pause.until_us > wall_us:
            raise Violation("pause", f"{pause} is forgotten before its end")
        for term in self.chronicle.open_terms():
            concerned = is_of_job(pause, term.job)
            if concerned and self.chronicle.owes_before(term.job_id, pause.until_us):
                raise Violation("pause", f"{pause} is forgotten, {term.job.name} is behind")

    def _check_resumed(self, wall_us: int) -> None:
        for term in self.chronicle.open_terms():
            if term.pause_until_us is not None and term.pause_until_us <= wall_us:
                raise Violation("pause", f"job {term.job.name} is paused beyond its time")

    def _check_agents(self, run: Run, job: Job, decision: Decision) -> None:
        """A due time is lost to paused agents when no other agent of its job is to be had."""
        if run.pin:
            if run.state is RunState.SKIPPED:
                self.fleet.check_barred(run, decision)
            return
        meant = [agent for agent in self.fleet.meant(job) if agent.held is None]
        wall_us, pauses = decision.now.wall_us, self.pauses.values()
        all_paused = any(is_paused(agent, pauses, wall_us) for agent in meant)
        all_paused &= not any(self.fleet.is_to_be_had(agent, decision) for agent in meant)
        if all_paused is not (run.state is RunState.SKIPPED):
            raise Violation("pause", f"all agents are paused: {all_paused}", run.id)

    # Runs.

    def _run(self, run: Run, decision: Decision) -> Term | None:
        """Judge one state of a run; for a new record of due times, the term that they are in."""
        old = self.ledger.get(run.id)
        term = None
        if old is None:
            term = self._check_new(run, decision)
        else:
            self._check_change(old, run, decision)
        self.ledger[run.id] = run
        self.chains.noted(run)
        self.rolling.noted(old, run, decision)
        if run.state in TERMINAL:
            self.active.pop(run.id, None)
            self._by_job[run.job_id].pop(run.id, None)
            if run.finished_us is None:
                raise Violation("state", "is over without an end", run.id)
        else:
            self.active[run.id] = run
            self._by_job[run.job_id][run.id] = None
            if run.finished_us is not None:
                raise Violation("state", "has an end and is not over", run.id)
        if old is None or (old.state, old.attempt) != (run.state, run.attempt):
            self._since_us[run.id] = decision.true_us
        return term

    def _check_new(self, run: Run, decision: Decision) -> Term | None:
        if run.state not in FOLLOWS[None]:
            raise Violation("state", f"begins as {run.state}", run.id)
        recorded = None
        if run.due_us is not None:
            recorded = self.chronicle.record(run)
        elif run.trigger in BY_ITSELF:
            raise Violation("due", "has no due time", run.id)
        earlier = [
            run_id
            for run_id in self._by_job[run.job_id]
            if self.ledger[run_id].group != run.group and not is_held(self.ledger[run_id])
        ]
        if run.state is RunState.SKIPPED:
            self._check_skip(run, earlier, decision)
        elif run.trigger not in ASKED_FOR:
            term = self.chronicle.term_at(run.job_id)
            if term is not None:
                self._check_agents(run, term.job, decision)
            if earlier and term is not None and term.job.overlap is Overlap.SKIP:
                raise Violation("overlap", f"is wanted beside {earlier}", run.id)
        return recorded

    def _check_skip(self, run: Run, earlier: list[str], decision: Decision) -> None:
        if run.reason == SkipReason.OVERLAP and not earlier:
            raise Violation("reason", "there is no earlier run to overlap with", run.id)
        term = self.chronicle.term_at(run.job_id)
        if is_for_agents(run) and term is not None:
            self._check_agents(run, term.job, decision)
        if run.reason == SkipReason.NO_AGENT:
            if term is not None and term.job.target.agents == 1 and not run.pin:
                raise Violation("reason", "was given up at once", run.id)
            if run.pin:
                self.fleet.check_barred(run, decision)

    def _check_hosts(self, runs: list[Run], decision: Decision) -> None:
        """A fire that goes to several agents has a record for each."""
        if not runs or (not runs[0].pin and runs[0].reason != SkipReason.NO_AGENT):
            return
        key = (runs[0].job_id, runs[0].job_version)
        term = next(t for t in reversed(self.chronicle.terms) if (t.job_id, t.version) == key)
        if term.job.target.agents != 1 and runs[0].trigger is not Trigger.RETRY:
            self.fleet.check_fire(runs, term.job, decision)

    def _check_change(self, old: Run, run: Run, decision: Decision) -> None:
        if any(getattr(old, name) != getattr(run, name) for name in CONSTANT):
            raise Violation("state", "became another run", run.id)
        if run.state not in FOLLOWS.get(old.state, frozenset()):
            raise Violation("state", f"was {old.state} and became {run.state}", run.id)
        again = old.state in UNDER_WAY and run.state is RunState.QUEUED
        if run.attempt != old.attempt + again:
            raise Violation("state", f"attempt {run.attempt} follows {old.attempt}", run.id)
        if again and AttemptKey(f"{old.id}.{old.attempt}") not in self.attempts:
            raise Violation("state", f"attempt {old.attempt} left no record", run.id)
        if run.state is RunState.LOST:
            self._lost(run, old, decision)
        given_up = {RunState.SKIPPED, RunState.REFUSED}
        if is_held(old):
            pass  # judged with the chains
        elif old.state is RunState.QUEUED and run.state in given_up:
            self._check_expired(run, decision)
        if run.state is RunState.DISPATCHED and old.state is RunState.QUEUED:
            self._sent_us[run.id] = decision.true_us
            self.ordered_us[AttemptKey(f"{run.id}.{run.attempt}")] = decision.true_us
            self._check_dispatch(run, decision)

    def _check_expired(self, run: Run, decision: Decision) -> None:
        if (run.attempt > 1) is (run.state is RunState.SKIPPED):
            raise Violation("reason", f"is {run.state} at attempt {run.attempt}", run.id)
        if run.reason == SkipReason.STOPPED:
            return  # judged with the fires that go from host to host
        if run.pin and self.fleet.agents[run.pin].state is AgentState.REVOKED:
            return
        if run.attempt == 1 and run.pin and run.started_us is None:
            agent = self.fleet.agents[run.pin]
            if not self.fleet.is_to_be_had(agent, decision):
                return
        if decision.true_us - self._since_us[run.id] < self._patience_us:
            raise Violation("reason", "was given up before its time", run.id)

    def _check_dispatch(self, run: Run, decision: Decision) -> None:
        if is_paused(self.fleet.agents[run.agent_id], self.pauses.values(), decision.now.wall_us):
            raise Violation("pause", f"is given to {run.agent}, which is paused", run.id)
        if run.attempt == 1 and run.job_id in self.removed_us:
            raise Violation("removed", "is sent out, and its job was removed", run.id)

    def _lost(self, run: Run, old: Run, decision: Decision) -> None:
        key = AttemptKey(f"{run.id}.{run.attempt}")
        since_us = self._sent_us[run.id]
        self.losses.append(Loss(key, old.agent_id, run.reason, since_us, decision.true_us))

    def _attempt(self, run: Run, decision: Decision) -> None:
        if run.state not in TERMINAL:
            raise Violation("state", f"attempt {run.attempt} was put aside {run.state}", run.id)
        self.attempts[AttemptKey(f"{run.id}.{run.attempt}")] = run
        if run.state is RunState.LOST:
            self._lost(run, self.ledger[run.id], decision)

    def _output(self, chunk: Chunk) -> None:
        stream = (chunk.key, chunk.stream)
        if chunk.offset != self._ends.get(stream, 0):
            run_id = chunk.key.rpartition(".")[0]
            message = f"goes on at {chunk.offset} behind {self._ends.get(stream, 0)}"
            raise Violation("output", message, run_id)
        self._ends[stream] = chunk.end

    # Due times.

    def _check_policy(self, records: list[tuple[Run, Term]], wall_us: int) -> None:
        """The due times of one job that were decided together got what its policy owes them."""
        term = records[0][1]
        verdicts: dict[int, str] = {}
        for run, _ in records:
            assert run.due_us is not None
            self.reasons.check(run, term.job)
            skipped = run.state is RunState.SKIPPED
            is_fire = not skipped or run.reason in NOT_OF_POLICY or is_for_agents(run)
            late = wall_us - run.due_us > ON_TIME_US
            if is_fire and (run.trigger is Trigger.CATCHUP) is not late:
                raise Violation("policy", f"is {run.trigger}, late: {late}", run.id)
            last_us = run.due_us if run.due_last_us is None else run.due_last_us
            for due_us in dues_us(term.job.schedule, run.due_us - 1, last_us):
                verdicts[due_us] = "fire" if is_fire else run.reason
        if len(verdicts) >= DECIDED_AT_ONCE:
            return
        pauses = self.pauses.values()
        reasons = {due_us: barred(term, pauses, due_us) for due_us in verdicts}
        debt = Debt(
            term.job, {d: why for d, why in reasons.items() if why}, sorted(verdicts), wall_us
        )
        if (owed := expected(debt)) != verdicts:
            wrong = {due: (verdicts[due], owed[due]) for due in owed if owed[due] != verdicts[due]}
            raise Violation("policy", f"(decided, owed) at {wall_us}: {wrong}", records[0][0].id)

    # What is in memory.

    def _check_memory(self, machine: Machine) -> None:
        held = {run.id: run for run in machine.active_runs()}
        if held != self.active:
            wrong = sorted(
                i for i in held.keys() | self.active.keys() if held.get(i) != self.active.get(i)
            )
            run_id = wrong[0]
            message = f"in memory {held.get(run_id)}, in the ledger {self.active.get(run_id)}"
            raise Violation("memory", message, run_id)

    # What leaves, and what begins.

    def sent(self, agent_id: str, message: object) -> None:
        """Something is sent to an agent."""
        if not isinstance(message, Dispatch):
            return
        if self.fleet.agents[agent_id].state is AgentState.REVOKED:
            raise Violation("held", f"{agent_id} is sent orders, and was revoked")
        for order in message.orders:
            run_id, _, number = order.key.rpartition(".")
            run = self.ledger.get(run_id)
            given = AttemptKey(order.key) in self.ordered_us
            if run is None or run.attempt < int(number) or not given:
                raise Violation("commit", f"{order.key} was sent before it was durable", run_id)

    def started(self, start: Start) -> None:
        """A job's process began."""
        run_id, _, number = start.key.rpartition(".")
        run = self.ledger.get(run_id)
        if start.key in self.starts:
            raise Violation("once", f"attempt {start.key} started twice", run_id)
        self.starts[start.key] = start
        if run is None:
            raise Violation("once", f"attempt {start.key} has no record", run_id)
        lost = run.state is RunState.LOST or any(loss.key == start.key for loss in self.losses)
        if not lost and (run.state in TERMINAL or run.attempt != int(number)):
            raise Violation("once", f"attempt {number} starts when it is {run.state}", run_id)


def is_for_agents(run: Run) -> bool:
    """Whether a record says that the agents of its job are paused."""
    kind = str(run.facts.get("scope", "")).partition(" ")[0]
    return run.reason == SkipReason.PAUSED and kind in OF_AGENTS
