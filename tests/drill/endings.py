"""How each process ended and what it printed, as far as its own words and the faults tell.

A process that was ended by force may have said nothing. Its end is one of those that its own words,
its job's limits and the noted faults allow. If the ledger's is among them it is taken. Of output it
is known which lines were certainly printed; one more may have been.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.sim.checker import RAN
from tests.sim.evidence import End, Ending
from tocsin.execution import AttemptKey, split_key
from tocsin.instants import SECOND_US
from tocsin.messages.client_link import OutputPiece
from tocsin.model import Job, Overlap, Run

from .drill import Drill
from .faults import Fault
from .jobs import lines_of
from .witness import KILLED, Account, printed

TIMEOUT_SLACK_US: Final = SECOND_US // 2
"""A process says that it began a little later than its host began to count."""


class Ends:
    """How each process may have ended, and which of these is taken."""

    def __init__(
        self,
        drill: Drill,
        accounts: dict[AttemptKey, Account],
        attempts: dict[AttemptKey, Run],
        jobs: dict[AttemptKey, Job | None],
    ) -> None:
        self._accounts = accounts
        self._attempts = attempts
        self._jobs = jobs
        self._killed = {h.key: h.from_us for h in drill.happenings if h.fault is Fault.KILL_JOB}
        self._unwanted = {
            a.name for a in drill.requester.acts if a.what == "kill" and a.done is not False
        }

    def all(self) -> Iterator[End]:
        """The end of each process that has one."""
        for key, account in self._accounts.items():
            possible = list(self._possible(account))
            run = self._attempts.get(key)
            claimed = None if run is None else RAN.get(run.state)
            fitting = [
                end for end in possible
                if end.ending is claimed
                and (claimed is not Ending.EXIT or run is None or end.exit_code == run.exit_code)
            ]  # fmt: skip
            if fitting or possible:
                yield [*fitting, *possible][0]

    def _possible(self, account: Account) -> Iterator[End]:
        key, job = account.key, self._jobs.get(account.key)
        if account.end is not None:
            yield End(key, account.end[0], Ending.EXIT, account.end[1])
        if key in self._killed:
            yield End(key, min(account.last_us, self._killed[key]), Ending.EXIT, KILLED)
        if account.end is None or account.term_us is not None:
            at_us = account.term_us or account.last_us
            if job is not None and self._may_time_out(account, job):
                yield End(key, at_us, Ending.TIMEOUT)
            if job is not None and self._may_be_cancelled(key, job):
                yield End(key, at_us, Ending.CANCEL)
            if account.end is None:
                yield End(key, account.last_us, Ending.CRASH)

    def _may_time_out(self, account: Account, job: Job) -> bool:
        if account.term_us is None or not account.started_us:
            return True  # it does not say how long it lived
        lived_us = account.term_us - account.started_us[0]
        return lived_us >= job.timeout_s * SECOND_US - TIMEOUT_SLACK_US

    def _may_be_cancelled(self, key: AttemptKey, job: Job) -> bool:
        return job.overlap is Overlap.REPLACE or key.rpartition(".")[0] in self._unwanted


def all_printed(
    accounts: dict[AttemptKey, Account],
    jobs: dict[AttemptKey, Job | None],
    output: dict[str, list[OutputPiece]],
) -> Iterator[tuple[tuple[AttemptKey, int], bytes]]:
    """What each attempt printed: as much as it said, or that and the line that came to its mind."""
    for key, account in accounts.items():
        job = jobs.get(key)
        if job is None:
            continue
        for stream in (1, 2):
            pieces = _pieces(output, key, stream)
            stored = b"".join(piece.data for piece in pieces)
            end = sum(len(piece.data) + piece.gap_bytes for piece in pieces)
            yield (key, stream), printed(account, stream, lines_of(job), stored, end)


def _pieces(
    output: dict[str, list[OutputPiece]], key: AttemptKey, stream: int
) -> list[OutputPiece]:
    run_id, number = split_key(key)
    of = (number, stream)
    return [piece for piece in output.get(run_id, []) if (piece.attempt, piece.stream) == of]
