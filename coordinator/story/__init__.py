"""Why a job did, or did not, run: from what is known of a due time to a story in words.

Pure, as the machine is, and by the machine's own rules. `timeline` finds the due time that is
meant, `telling` puts the story together from the steps of the other modules.
"""

from __future__ import annotations

from .deciding import SLACK_US
from .evidence import Evidence
from .telling import tell
from .timeline import NEAR_US, Moment, moment_of, next_due, usual_moment

__all__ = [
    "NEAR_US",
    "SLACK_US",
    "Evidence",
    "Moment",
    "moment_of",
    "next_due",
    "tell",
    "usual_moment",
]
