"""What is paused, and why, in words beside jobs and agents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from tocsin.messages.client_answers import AgentsPage, PausesPage
from tocsin.messages.client_link import ListAgents, ListPauses
from tocsin.model import Agent, JobRow, Pause
from tocsin.pausing import AGENT_SCOPES, pauses_agent, pauses_job, scope_text

from .tables import cell, local_time

if TYPE_CHECKING:
    from tocsin.session import Session


def pauses_now(session: Session) -> list[Pause]:
    """The maintenance that is going on."""
    return session.answer(PausesPage, ListPauses()).rows


def job_pause(row: JobRow, pauses: Iterable[Pause]) -> str:
    """That a job is paused, why and until when; '' when it is not."""
    if row.paused:
        return _words(row.pause_reason, row.pause_until_us)
    return next((_words(p.reason, p.until_us) for p in pauses if pauses_job(p, row.job)), "")


def agent_pause(agent: Agent, pauses: Iterable[Pause]) -> str:
    """That an agent is paused, why and until when; '' when it is not."""
    return next((_words(p.reason, p.until_us) for p in pauses if pauses_agent(p, agent)), "")


def _words(reason: str, until_us: int | None) -> str:
    until = "" if until_us is None else f" until {local_time(until_us)}"
    return f"paused{until}" + (f": {cell(reason)}" if reason else "")


def say_paused(session: Session, rows: Iterable[JobRow]) -> None:
    """Say on stderr which of the jobs that a person runs now are paused, or are to wait."""
    pauses = pauses_now(session)
    for row in rows:
        words = job_pause(row, pauses)
        if words:
            click.echo(f"tocsin: {row.job.name} is {words}; it runs all the same", err=True)
    of_agents = [pause for pause in pauses if pause.scope in AGENT_SCOPES]
    if not of_agents:
        return
    agents = session.answer(AgentsPage, ListAgents()).rows
    for pause in of_agents:
        count = sum(pauses_agent(pause, agent) for agent in agents)
        if count:
            said = f"{scope_text(pause)} paused ({cell(pause.reason)}), {count} of {len(agents)}"
            click.echo(f"tocsin: {said}: a run that needs one of them waits", err=True)
