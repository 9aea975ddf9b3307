"""What the coordinator is told, and when: few reports, in order, a bounded number under way.

A report leaves at once when none did in the last few milliseconds; under load they gather, so a
busy agent sends a report for many attempts. The mere acceptance of an order waits for company,
since what follows it is usually there within that time and says more.
"""

from __future__ import annotations

from typing import Final

from tocsin.execution import AttemptKey
from tocsin.instants import SECOND_US, Now
from tocsin.messages.agent_link import AttemptReport, Chunk, Report
from tocsin.wire import encode

from .attempts import forget, touch
from .commands import Send, WatchOutput
from .events import OutputRead
from .memory import Attempt
from .state import Outbox, Phase, Sent, State

GATHER_US: Final = 5_000
EVENTS_AT_ONCE: Final = 64
"""So many things do not wait."""
REPORT_BYTES_MAX: Final = 512 << 10
REPORT_ATTEMPTS_MAX: Final = 2_000
WINDOW_REPORTS: Final = 8
WINDOW_OUTPUT_BYTES: Final = 4 << 20
_CHUNK_COST: Final = 80
"""What a chunk adds to its data in a report, and an attempt to its message and facts."""
_ATTEMPT_COST: Final = 160


def on_output(state: State, read: OutputRead, now: Now) -> None:
    """More output is to be reported; of another session, it was read in vain."""
    if state.link.phase is not Phase.UP:
        return
    box = state.outbox
    for chunk in read.chunks:
        attempt = state.attempts.get(chunk.key)
        if attempt is None:
            continue
        if not box.waiting:
            box.since_us = now.steady_us
        box.urgent = True
        box.chunks.append(chunk)
        box.chunk_bytes += len(chunk.data)
        attempt.chunks_waiting += 1
    for key in read.over:
        attempt = state.attempts.get(key)
        if attempt is not None and attempt.outcome is not None:
            attempt.output_over = True
            touch(state, attempt, now)


def watch(state: State, keys: list[AttemptKey], span_s: float, now: Now) -> None:
    """Somebody watches these attempts; of those that are over, all is on its way."""
    going = [k for k in keys if (attempt := state.attempts.get(k)) and attempt.outcome is None]
    if going:
        until_us = now.steady_us + round(span_s * SECOND_US)
        state.commands.append(WatchOutput(going, until_us))


def output_budget(state: State) -> int:
    """How many bytes of output may be read now."""
    box = state.outbox
    if state.link.phase is not Phase.UP or len(box.window) >= WINDOW_REPORTS:
        return 0
    return max(WINDOW_OUTPUT_BYTES - box.chunk_bytes - box.unacked_bytes, 0)


def on_ack(state: State, number: int) -> None:
    """Reports up to `number` are safe with the coordinator, and the ends in them forgotten."""
    box = state.outbox
    over: list[AttemptKey] = []
    while box.window and box.window[0].number <= number:
        sent = box.window.popleft()
        box.unacked_bytes -= sent.output_bytes
        over += [key for key in sent.ended if key in state.attempts]
    forget(state, over)


def flush(state: State, now: Now) -> None:
    """Send what is due."""
    if state.link.phase is not Phase.UP:
        return
    while is_due(state, now):
        _send(state, now)


def is_due(state: State, now: Now) -> bool:
    """Whether a report is to leave now."""
    box = state.outbox
    at_us = due_us(state)
    if at_us is None:
        return False
    crowded = box.waiting >= EVENTS_AT_ONCE or box.chunk_bytes >= REPORT_BYTES_MAX
    return crowded or state.running == 0 or at_us <= now.steady_us


def due_us(state: State) -> int | None:
    """When the next report is due, on the steady clock; None when there is none to be sent."""
    box = state.outbox
    if state.link.phase is not Phase.UP or not box.waiting or len(box.window) >= WINDOW_REPORTS:
        return None
    return (box.flushed_us if box.urgent else box.since_us) + GATHER_US


def _send(state: State, now: Now) -> None:
    box = state.outbox
    chunks, size = _take_chunks(state, box)
    output_bytes = sum(len(chunk.data) for chunk in chunks)
    attempts, ended = _take_attempts(state, box, size)
    box.number += 1
    box.window.append(Sent(box.number, now.steady_us, output_bytes, ended))
    box.unacked_bytes += output_bytes
    box.flushed_us = box.since_us = now.steady_us
    box.urgent = bool(box.waiting)
    state.commands.append(Send(Report(state.link.session, box.number, attempts, chunks)))


def _take_chunks(state: State, box: Outbox) -> tuple[list[Chunk], int]:
    chunks: list[Chunk] = []
    size = 0
    while box.chunks:
        cost = len(box.chunks[0].data) + _CHUNK_COST
        if chunks and size + cost > REPORT_BYTES_MAX:
            break
        chunk = box.chunks.popleft()
        size += cost
        box.chunk_bytes -= len(chunk.data)
        chunks.append(chunk)
        if attempt := state.attempts.get(chunk.key):
            attempt.chunks_waiting -= 1
    return chunks, size


def _take_attempts(
    state: State, box: Outbox, size: int
) -> tuple[list[AttemptReport], list[AttemptKey]]:
    """Attempts for a report of `size` bytes so far: no end before the last of its output."""
    reports: list[AttemptReport] = []
    ended: list[AttemptKey] = []
    late: list[AttemptKey] = []
    while box.dirty and len(reports) < REPORT_ATTEMPTS_MAX:
        key = next(iter(box.dirty))
        attempt = state.attempts[key]
        over = attempt.outcome is not None
        if over and attempt.chunks_waiting:
            del box.dirty[key]
            late.append(key)
            continue
        cost = _cost(attempt)
        if (reports or size) and size + cost > REPORT_BYTES_MAX:
            break
        del box.dirty[key]
        size += cost
        reports.append(_latest(attempt))
        if over:
            ended.append(key)
    for key in late:
        box.dirty[key] = None
    return reports, ended


def _cost(attempt: Attempt) -> int:
    outcome = attempt.outcome
    if outcome is None:
        return _ATTEMPT_COST
    facts = len(encode(outcome)) if outcome.facts else 4 * len(outcome.message)
    return _ATTEMPT_COST + facts


def _latest(attempt: Attempt) -> AttemptReport:
    return AttemptReport(
        attempt.key,
        attempt.phase,
        attempt.accepted_us,
        attempt.started_us,
        attempt.ended_us,
        attempt.outcome,
    )
