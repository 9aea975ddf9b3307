"""The product with one decision taken away at a time: each must be caught by the simulator."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

from msgspec.structs import replace

from tocsin import output_plan
from tocsin.agent import output as agent_output
from tocsin.agent import service as agent_service
from tocsin.agent.machine import hosts as agent_hosts
from tocsin.agent.machine import machine as agent_machine
from tocsin.agent.machine import reports
from tocsin.agent.machine.records import Accepted, Ended, Handed
from tocsin.agent.machine.state import State as AgentState
from tocsin.agent.spool import Spool
from tocsin.coordinator import auditing
from tocsin.coordinator.machine import (
    agents,
    blackouts,
    dependencies,
    incidents,
    jobs,
    keeping,
    pauses,
    retries,
    runs,
    waiting,
)
from tocsin.coordinator.machine.commands import FetchFires
from tocsin.coordinator.machine.fires import next_due_us
from tocsin.coordinator.machine.state import State
from tocsin.coordinator.service import Service
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.model import RunState

from .agent_ports import SimSpool
from .plan import make_plan
from .rolling_mutants import ROLLING
from .swap import swapped
from .world import Failure, run_world

Mutant = Callable[[], AbstractContextManager[None]]


def _agent_journals_all_but(*kinds: type) -> Mutant:
    append = SimSpool.append

    def forgetful(self: SimSpool, records: Any, now_us: int) -> None:
        kept = [record for record in records if not isinstance(record, kinds)]
        if kept:
            append(self, kept, now_us)

    return lambda: swapped(SimSpool, "append", forgetful)


def _agent_hands_over_before_writing() -> AbstractContextManager[None]:
    settle = AgentState.settle

    def hasty(self: Any) -> Any:
        agent_hosts_tell(self)
        return settle(self)

    agent_hosts_tell = agent_hosts.tell_hosts
    return swapped(AgentState, "settle", hasty)


def _agent_forgets_when_it_reports() -> AbstractContextManager[None]:
    send = reports._send

    def rash(state: Any, now: Any) -> None:
        send(state, now)
        reports.on_ack(state, state.outbox.number)

    return swapped(reports, "_send", rash)


def _agent_listens_to_any_session() -> AbstractContextManager[None]:
    hear = agent_machine.Machine._hear

    def gullible(self: Any, message: Any, now: Any) -> None:
        if hasattr(message, "session") and hasattr(message, "orders"):
            message = replace(message, session=self._state.link.session)
        hear(self, message, now)

    return swapped(agent_machine.Machine, "_hear", gullible)


def _agent_keeps_its_spool_id() -> AbstractContextManager[None]:
    restore = Spool._restore

    def same(self: Spool, boot_id: str, new_id: Any) -> Any:
        del new_id
        return restore(self, boot_id, lambda: "ever the same")

    return swapped(Spool, "_restore", same)


def _agent_confirms_ends_before_writing() -> AbstractContextManager[None]:
    write = agent_service.Service._write

    def late(self: Any, now: Any) -> str:
        self._records = [r for r in self._records if not isinstance(r, Ended)]
        return write(self, now)

    return swapped(agent_service.Service, "_write", late)


def _agent_skips_what_may_be_the_tail() -> AbstractContextManager[None]:
    next_piece = output_plan.next_piece

    def hasty(offset: int, size: int, keep_bytes: int, *, with_tail: bool) -> Any:
        keep_bytes = keep_bytes * 3 // 4 if with_tail else keep_bytes
        return next_piece(offset, size, keep_bytes, with_tail=with_tail)

    return swapped(agent_output, "next_piece", hasty)


def _coordinator_lets_go_of_too_much() -> AbstractContextManager[None]:
    cut = keeping.cut

    def greedy(tail: Any, keep_bytes: int, *, ended: bool) -> Any:
        return cut(tail, keep_bytes // 2, ended=ended)

    return swapped(keeping, "cut", greedy)


def _coordinator_answers_before_it_commits() -> AbstractContextManager[None]:
    commit = Service._commit

    def hasty(self: Any, at: Any) -> None:
        store_commit, self._store.commit = self._store.commit, lambda: None
        try:
            commit(self, at)
        finally:
            self._store.commit = store_commit
        if self._store.dirty:
            store_commit()

    return swapped(Service, "_commit", hasty)


def _coordinator_listens_to_any_session() -> AbstractContextManager[None]:
    def gullible(state: State, agent_id: str, session_id: str, now: Any) -> Any:
        del session_id
        session = state.sessions.get(agent_id)
        if session is not None:
            session.heard_us = now.steady_us
        return session

    return swapped(agents, "session_of", gullible)


def _coordinator_takes_reports_in_any_order() -> AbstractContextManager[None]:
    on_report = agents.on_report

    def gullible(state: State, event: Any, now: Any) -> None:
        session = state.sessions.get(event.agent_id)
        if session is not None:
            session.reports_seen = event.report.number - 1
        on_report(state, event, now)

    return swapped(agents, "on_report", gullible)


def _coordinator_believes_late_hellos() -> AbstractContextManager[None]:
    on_hello = agents.on_hello

    def gullible(state: State, event: Any, now: Any) -> None:
        state.fleet.hellos.clear()
        on_hello(state, event, now)

    return swapped(agents, "on_hello", gullible)


def _coordinator_trusts_a_new_memory() -> AbstractContextManager[None]:
    settle = agents._settle_absent

    def careless(state: State, session: Any, hello: Any, now: Any) -> None:
        for active in state.runs_on(session.agent.id):
            active.run = replace(active.run, spool=hello.spool)
        settle(state, session, hello, now)

    return swapped(agents, "_settle_absent", careless)


def _coordinator_retries_what_is_lost() -> AbstractContextManager[None]:
    is_wanted = retries.is_wanted

    def eager(active: Any, run: Any) -> bool:
        return (run.state is RunState.LOST and run.attempt < 3) or is_wanted(active, run)

    return swapped(retries, "is_wanted", eager)


def _coordinator_gives_up_the_silent_at_once() -> AbstractContextManager[None]:
    close = agents._close

    def hasty(state: State, session: Any, now: Any) -> None:
        close(state, session, now)
        if session.agent.id in state.fleet.lost_at:
            state.fleet.lost_at[session.agent.id] = now.steady_us

    return swapped(agents, "_close", hasty)


def _coordinator_ignores_overlaps() -> AbstractContextManager[None]:
    return swapped(runs, "_overlap", lambda *_: (None, False))


def _coordinator_ignores_pauses() -> AbstractContextManager[None]:
    return swapped(jobs, "barrier", lambda *_: None)


def _a_pause_is_forgotten_at_its_end() -> AbstractContextManager[None]:
    drop_passed = pauses.drop_passed

    def hasty(state: State, now: Any) -> None:
        due, state.due = state.due, []
        drop_passed(state, now)
        state.due = due

    return swapped(pauses, "drop_passed", hasty)


def _the_last_incident_explains_everything() -> AbstractContextManager[None]:
    def rash(state: State, *_: Any) -> Any:
        return state.incidents[-1] if state.incidents else None

    return swapped(incidents, "covering", rash)


def _cursor_moves_from_now() -> AbstractContextManager[None]:
    serve = jobs._serve

    def hasty(state: State, row: Any, now: Any) -> Any:
        row = serve(state, row, now)
        return replace(row, next_due_us=next_due_us(row.job, now.wall_us))

    return swapped(jobs, "_serve", hasty)


def _changes_leave_what_is_owed() -> AbstractContextManager[None]:
    return swapped(jobs, "_settle", lambda *given: given[1])


def _removal_leaves_what_waits() -> AbstractContextManager[None]:
    return swapped(runs, "cancel_queued", lambda *_: None)


def _restart_lets_everything_go() -> AbstractContextManager[None]:
    return swapped(waiting, "_groups_going", lambda siblings: {a.run.group for a in siblings})


def _slots_are_never_freed() -> AbstractContextManager[None]:
    return swapped(State, "unassign", lambda *_: None)


def _a_changed_schedule_starts_from_now() -> AbstractContextManager[None]:
    changed = jobs._changed
    return swapped(
        jobs, "_changed", lambda row, job, now: changed(replace(row, last_due_us=None), job, now)
    )


def _ends_stay_used() -> AbstractContextManager[None]:
    return swapped(dependencies, "consume", lambda *_: "")


def _failures_take_nothing_back() -> AbstractContextManager[None]:
    save = dependencies._save

    def lenient(state: State, condition: Any) -> None:
        held_by = state.chains.after.get(condition.job, {}).get(condition.dependency.job)
        if condition.succeeded is False and held_by is not None and not condition.held_by:
            condition = replace(condition, held_by=held_by.held_by)
        save(state, condition)

    return swapped(dependencies, "_save", lenient)


def _due_times_wait_for_nobody() -> AbstractContextManager[None]:
    return swapped(dependencies, "must_wait", lambda *_: False)


def _ends_are_looked_at_later() -> AbstractContextManager[None]:
    fetch = Service._fetch

    def late(self: Any, at: Any) -> None:
        kept = [one for one in self._unfetched if isinstance(one, FetchFires)]
        self._unfetched = [one for one in self._unfetched if one not in kept]
        fetch(self, at)
        self._unfetched += kept

    return swapped(Service, "_fetch", late)


def _found_runs_end_anew() -> AbstractContextManager[None]:
    mark = dependencies.mark

    def naive(state: State, name: str, members: Any, now: Any, *, well: bool) -> bool:
        return mark(state, name, [replace(r, reopened=False) for r in members], now, well=well)

    return swapped(dependencies, "mark", naive)


def _what_ran_once_stays() -> AbstractContextManager[None]:
    remove = jobs.remove

    def tidy(state: State, row: Any, by: str, now: Any) -> None:
        if by != "ephemeral":
            remove(state, row, by, now)

    return swapped(jobs, "remove", tidy)


def _restarts_forget_what_holds() -> AbstractContextManager[None]:
    def forgetful(state: State, conditions: Any) -> None:
        restore(state, [replace(condition, held_by="") for condition in conditions])

    restore = dependencies.restore
    return swapped(dependencies, "restore", forgetful)


@contextmanager
def _the_audit_is_kept_later() -> Iterator[None]:
    """In a transaction of its own, behind that of the act."""
    commit = Service._commit
    of_event, late = auditing.of_event, list[Any]()

    def defer(event: Any, commands: Any, at_us: int) -> list[Any]:
        late.extend(of_event(event, commands, at_us))
        return []

    def keep_later(self: Any, at: Any) -> None:
        commit(self, at)
        entries = [*late]
        late.clear()
        self._store.stage(entries)
        if entries:
            self._store.commit()

    with swapped(auditing, "of_event", defer), swapped(Service, "_commit", keep_later):
        yield


def _the_audit_counts_by_itself() -> AbstractContextManager[None]:
    """In memory, so that a commit that is tried again counts twice."""
    sealed, numbers = SqliteStore._sealed, dict[int, int]()

    def counted(self: Any, entries: Any) -> Any:
        for values in sealed(self, entries):
            numbers[id(self)] = max(numbers.get(id(self), 0) + 1, values[0])
            yield numbers[id(self)], *values[1:]

    return swapped(SqliteStore, "_sealed", counted)


def _an_apply_leaves_what_it_was_to_remove() -> AbstractContextManager[None]:
    on_put = jobs.on_put
    return swapped(
        jobs, "on_put", lambda state, event, now: on_put(state, replace(event, removals=[]), now)
    )


MUTANTS: Final[dict[str, tuple[int, Mutant]]] = {
    "the agent does not journal what it accepts": (163, _agent_journals_all_but(Accepted)),
    "the agent does not journal to whom it hands orders": (1512, _agent_journals_all_but(Handed)),
    "the agent hands orders over before they are written": (9, _agent_hands_over_before_writing),
    "the agent forgets ends when it reports them": (9, _agent_forgets_when_it_reports),
    "the agent listens to any session": (166, _agent_listens_to_any_session),
    "the agent keeps its spool id whatever it forgot": (1408, _agent_keeps_its_spool_id),
    "the agent confirms ends that it did not write": (41, _agent_confirms_ends_before_writing),
    "the agent skips what may be the tail": (17, _agent_skips_what_may_be_the_tail),
    "the coordinator lets go of too much output": (18, _coordinator_lets_go_of_too_much),
    "the coordinator answers before it commits": (1, _coordinator_answers_before_it_commits),
    "the coordinator listens to any session": (41, _coordinator_listens_to_any_session),
    "the coordinator takes reports in any order": (16, _coordinator_takes_reports_in_any_order),
    "the coordinator believes late hellos": (36, _coordinator_believes_late_hellos),
    "the coordinator orders again from a new memory": (
        12,
        _coordinator_trusts_a_new_memory,
    ),
    "the coordinator retries what is lost": (16, _coordinator_retries_what_is_lost),
    "the coordinator gives up the silent at once": (76, _coordinator_gives_up_the_silent_at_once),
    "overlaps are ignored": (5, _coordinator_ignores_overlaps),
    "pauses are ignored": (2, _coordinator_ignores_pauses),
    "a pause is forgotten at its end": (21, _a_pause_is_forgotten_at_its_end),
    "a job's pause never ends": (1, lambda: swapped(pauses, "may_resume", lambda *_: False)),
    "paused agents get runs": (15, lambda: swapped(pauses, "holds", lambda *_: False)),
    "paused agents hold up due times": (104, lambda: swapped(runs, "_paused", lambda *_: None)),
    "blackouts are ignored": (2, lambda: swapped(blackouts, "barriers", lambda *_: [])),
    "incidents explain nothing": (41, lambda: swapped(incidents, "covering", lambda *_: None)),
    "the last incident explains everything": (428, _the_last_incident_explains_everything),
    "the cursor moves from now": (60, _cursor_moves_from_now),
    "changes leave what is owed": (12, _changes_leave_what_is_owed),
    "a removal leaves what waits": (8, _removal_leaves_what_waits),
    "a restart lets everything go": (7, _restart_lets_everything_go),
    "an apply leaves what it was to remove": (75, _an_apply_leaves_what_it_was_to_remove),
    "calendars are not kept": (5, lambda: swapped(jobs, "_put_shared", lambda *_: None)),
    "the audit has nothing of what nobody asked": (
        7,
        lambda: swapped(auditing, "_of_itself", lambda *_: iter(())),
    ),
    "the audit is kept later": (13, _the_audit_is_kept_later),
    "the audit counts by itself": (52, _the_audit_counts_by_itself),
    "slots are never freed": (1, _slots_are_never_freed),
    "a changed schedule starts from now": (110, _a_changed_schedule_starts_from_now),
    "ends are never used up": (29, _ends_stay_used),
    "failures take nothing back": (51, _failures_take_nothing_back),
    "due times wait for nobody": (1, _due_times_wait_for_nobody),
    "ends are looked at when they are durable": (1, _ends_are_looked_at_later),
    "runs that are found again end anew": (3164, _found_runs_end_anew),
    "what has succeeded once stays": (21, _what_ran_once_stays),
    "restarts forget what holds": (9, _restarts_forget_what_holds),
    **ROLLING,
}
"""By what is taken away: the first seed that finds it, and how. `python -m tests.sim.mutants`
finds those seeds again after the plans have changed."""


def first_seed(mutant: Mutant, seeds_max: int) -> int | None:
    """The first seed whose world shows that something is missing."""
    with mutant():
        for seed in range(1, seeds_max + 1):
            try:
                run_world(make_plan(seed))
            except Failure:
                return seed
    return None


if __name__ == "__main__":
    for what, (_, how) in MUTANTS.items():
        sys.stdout.write(f"{first_seed(how, 800)}: {what}\n")
