"""By how much a run begins later than it is due: always the same for a job, or for each host.

A fire that goes from host to host is moved as a whole, so that its hosts keep their order and the
distance between them.
"""

from __future__ import annotations

from typing import Final

from tocsin.fires import jitter_us
from tocsin.model import Job, Run, Trigger

from .rollout import is_rolled

_JITTERED: Final = frozenset({Trigger.SCHEDULE, Trigger.CATCHUP})


def later_us(job: Job, run: Run) -> int:
    """By how much a run of a job begins later, from its due time or from when it is caught up.

    What a person asks for, or another job's end, begins at once.
    """
    if run.trigger not in _JITTERED:
        return 0
    is_alone = not run.pin or is_rolled(job.target)
    return jitter_us(job, "" if is_alone else run.agent)
