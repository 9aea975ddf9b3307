"""How long a run waits between two attempts.

The wait grows by the job's own rule. When the far side named a time, as an HTTP server does with
`Retry-After` (RFC 9110 10.2.3), it lasts at least as long as that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from tocsin.execution import RETRY_AFTER_FACT
from tocsin.model import Retry

ASKED_S_MAX: Final = 3600.0
"""What was asked for is heeded up to this, or the job's `max_delay` where that is longer."""
_EXPONENT_MAX: Final = 64


def delay_s(retry: Retry, attempt: int, facts: Mapping[str, Any], chance: float) -> float:
    """The wait after attempt number `attempt` (from 1), which ended with these facts.

    `chance` is from 0 to 1. It spreads the job's own wait up and down, and what was asked for up
    alone: many who were told the same time do not all come back at that moment.
    """
    own_s = min(retry.delay_s * retry.backoff ** min(attempt - 1, _EXPONENT_MAX), retry.max_delay_s)
    own_s *= 1 + retry.jitter * (2 * chance - 1)
    asked_s = min(_asked_s(facts), _bound_s(retry))
    return max(own_s, asked_s * (1 + retry.jitter * chance))


def longest_s(retry: Retry, attempt: int, facts: Mapping[str, Any]) -> float:
    """No wait after this attempt, which ended with these facts, is longer."""
    return delay_s(retry, attempt, facts, 1.0)


def _bound_s(retry: Retry) -> float:
    return max(retry.max_delay_s, ASKED_S_MAX)


def _asked_s(facts: Mapping[str, Any]) -> float:
    """What the facts ask for; 0 where they say nothing that makes sense."""
    asked = facts.get(RETRY_AFTER_FACT)
    if isinstance(asked, bool) or not isinstance(asked, int | float):
        return 0.0
    return max(float(asked), 0.0) if math.isfinite(asked) else 0.0
