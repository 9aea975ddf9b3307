"""What a story is told from."""

from __future__ import annotations

import msgspec

from tocsin.coordinator.machine.eligibility import Verdict
from tocsin.coordinator.machine.fires import Barred
from tocsin.coordinator.machine.outlook import Silence, Waiting
from tocsin.model import Incident, JobRow, JobVersion, Run

from .timeline import Moment


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the coordinator knows of a due time, or of a run that was asked for."""

    job: str
    now_us: int
    moment: Moment
    only: str = ""
    """Tell of this run alone."""
    versions: list[JobVersion]
    """Oldest first; at least one."""
    row: JobRow | None = None
    """The job; None when it is removed."""
    runs: list[Run] = []
    """The records of the due time, or the group of the run."""
    others: list[Run] = []
    """Runs near the instant that were asked for, when nothing was due."""
    attempts: dict[str, list[Run]] = {}
    """The earlier attempts of each run that had some."""
    not_kept: dict[str, int] = {}
    """How many bytes of a run's output are not kept, where that is so."""
    named: dict[str, Run] = {}
    """Runs that the facts of a skip name."""
    names: dict[str, str] = {}
    """The names of agents by id."""
    incidents: list[Incident] = []
    """What befell the coordinator's time between the due time and its record."""
    lacking: str = ""
    """What other jobs have not done that it comes after, at this moment."""
    full_pool: str = ""
    """That its pool is full at this moment."""
    barred: dict[int, Barred] = {}
    """What bars due times that lie ahead: a pause or a blackout."""
    waiting: dict[str, Waiting] = {}
    silent: dict[str, Silence] = {}
    """The agents that have runs of the job and are not heard of, by id."""
    going: list[Run] = []
    """The job's runs that are not over."""
    hosts: list[Verdict] = []
    """How each agent stands to the job at this moment."""
