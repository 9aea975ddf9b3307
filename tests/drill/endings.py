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
from tocsin.messages.client_answers import OutputPiece
from tocsin.model import Job, Overlap, Run

from .drill import Drill
from .faults import Fault
from .jobs import lines_of
from .witness import KILLED, Account, printed

EXIT_US: Final = SECOND_US
"""From a process's last word to the word that it is gone; longer while hosts are frozen."""
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
        self._clock = drill.fleet.clock
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
        if account.end is None or account.term_us is not None or self._was_faster(account):
            at_us = account.term_us or account.last_us
            if job is not None and self._may_time_out(account, job):
                yield End(key, at_us, Ending.TIMEOUT)
            if job is not None and self._may_be_cancelled(account, job):
                yield End(key, at_us, Ending.CANCEL)
            if account.end is None:
                yield End(key, account.last_us, Ending.CRASH)

    def _was_faster(self, account: Account) -> bool:
        """Whether it ended by itself in the moment in which it was told to.

        Between its last word and its exit it is still alive for whoever tells it to end.
        """
        run = self._attempts.get(account.key)
        if run is None or run.finished_us is None or account.end is None:
            return False
        # Agents tell when a process has ended, and theirs is the machine's own clock.
        took_us = run.finished_us - self._clock.shown_us(0) - account.end[0]
        return run.exit_code == account.end[1] and took_us < EXIT_US

    def _may_time_out(self, account: Account, job: Job) -> bool:
        end_us = account.term_us or (account.end and account.end[0])
        if end_us is None or not account.started_us:
            return True  # it does not say how long it lived
        return end_us - account.started_us[0] >= job.timeout_s * SECOND_US - TIMEOUT_SLACK_US

    def _may_be_cancelled(self, account: Account, job: Job) -> bool:
        run_id = account.key.rpartition(".")[0]
        if run_id in self._unwanted:
            return True
        return job.overlap is Overlap.REPLACE and self._has_successor(run_id, account)

    def _has_successor(self, run_id: str, account: Account) -> bool:
        """Whether another run of the job was begun that it may have had to make room for."""
        mine = self._attempts[account.key]
        begun_us = min(self._clock.true_instants_us(mine.created_us), default=0)
        return any(
            begun_us <= at_us <= account.last_us + EXIT_US
            for other in self._attempts.values()
            if other.job_id == mine.job_id and other.id != run_id
            for at_us in self._clock.true_instants_us(other.created_us)
        )


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
