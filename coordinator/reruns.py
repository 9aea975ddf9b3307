"""Runs that somebody wants repeated: of which job as it is now, on which hosts, with what."""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.errors import RequestError
from tocsin.messages.client_link import RerunRuns
from tocsin.model import TERMINAL, JobRow, Run, RunState
from tocsin.params import check_given

from .gateway import ClientAsked
from .machine.events import Rerun, RerunRequested
from .store.port import Store


def rerun(asked: ClientAsked, ask: RerunRuns, store: Store) -> RerunRequested:
    """The fires of these runs, each once, to be repeated.

    Raises:
        RequestError: one is not known or not over, its job was removed, or nothing of it failed.
    """
    known = store.runs(ask.ids)
    missing = [run_id for run_id in ask.ids if run_id not in known]
    if missing:
        raise RequestError(f"there is no run {', '.join(missing[:5])}", "see: tocsin run list")
    groups = list(dict.fromkeys(known[run_id].group for run_id in ask.ids))
    fires = store.fires(groups)
    rows = store.jobs_by_id([fires[group][0].job_id for group in groups])
    reruns = [_rerun(fires[group], rows, failed_only=ask.failed_only) for group in groups]
    return RerunRequested(asked.asker, asked.by, reruns)


def _rerun(members: Sequence[Run], rows: dict[int, JobRow], *, failed_only: bool) -> Rerun:
    first = members[0]
    for run in members:
        if run.state not in TERMINAL:
            raise RequestError(
                f"run {run.id} of {run.job} is not over: it is {run.state}",
                f"wait for it, or end it: tocsin run kill {run.id}",
            )
    row = rows.get(first.job_id)
    if row is None:
        raise RequestError(
            f"job {first.job} of run {first.id} was removed",
            f"apply it again, then: tocsin job run {first.job}",
        )
    again = [run for run in members if not failed_only or run.state is not RunState.SUCCEEDED]
    if not again:
        raise RequestError(
            f"nothing of {first.id} failed", "without --failed it is repeated as a whole"
        )
    params = {name: value for name, value in first.params.items() if name in row.job.params}
    check_given(row.job.name, row.job.params, params)
    hosts = dict.fromkeys(host for run in again if (host := run.pin or run.agent_id))
    if not hosts and any(run.pin for run in members):
        raise RequestError(
            f"what did not succeed of {first.id} went to no host",
            f"to repeat all of it: tocsin run rerun {first.id}",
        )
    # Without a host the job's target says where.
    return Rerun(row, first.group, params, list(hosts))
