"""The JSON document that a program reads: what is to be done, in one line."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from tocsin.execution import AttemptKey, Order, split_key
from tocsin.templates import params_of

PROTOCOL: Final = 1
"""Grows when a program that was written for the one before would not do any more."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a program is told. Keys are added at the end; a program skips those it does not know."""

    protocol: int = PROTOCOL
    run_id: str
    attempt: int
    """From 1."""
    key: AttemptKey
    """Of this attempt: run id and number with a dot between them."""
    job: str
    agent: str
    due: str | None
    """The time that was due, RFC 3339 in UTC; None for a run that somebody asked for."""
    trigger: str
    """`schedule`, `manual`, `after`, `retry` or `catchup`."""
    idempotency_key: str
    """The same for every attempt of what was due."""
    params: dict[str, str]
    config: Any
    """As the block of the job has it."""
    timeout_s: float | None
    """How long the attempt may take; None: for ever."""
    grace_s: float
    """Between SIGTERM and SIGKILL."""


def request_text(order: Order, config: Any) -> str:  # noqa: ANN401 - JSON of any kind
    """The document for an attempt, with its newline."""
    run_id, attempt = split_key(order.key)
    env = order.env
    request = Request(
        run_id=run_id,
        attempt=attempt,
        key=order.key,
        job=order.job,
        agent=env.get("TOCSIN_AGENT", ""),
        due=env.get("TOCSIN_DUE"),
        trigger=env.get("TOCSIN_TRIGGER", ""),
        idempotency_key=env.get("TOCSIN_IDEMPOTENCY_KEY", ""),
        params=params_of(env),
        config=config,
        timeout_s=order.timeout_s if 0 < order.timeout_s < math.inf else None,
        grace_s=order.kill_after_s,
    )
    return msgspec.json.encode(request).decode() + "\n"
