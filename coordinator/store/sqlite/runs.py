"""Runs, their attempts and their output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from tocsin.coordinator.machine.events import PastRun
from tocsin.coordinator.machine.keeping import Span, Tail, add
from tocsin.coordinator.machine.machine import Restored
from tocsin.coordinator.store.rows import attempt_of, job_spec, run_of, to_json
from tocsin.messages.client_answers import OutputPiece
from tocsin.model import Job, Run, RunState
from tocsin.output_plan import head_bytes

from .files import translated
from .tables import QUERIES, Tables

_NEWEST: Final = "\x7f"
"""Sorts behind every run id."""
_BEHIND_ALL: Final = 1 << 62
"""Behind every position of a piece."""
_PIECE_BYTES: Final = 64
"""What a piece costs beside its data, in a message: a run may print a byte at a time."""
_Before: TypeAlias = tuple[tuple[tuple[str, RunState], ...], dict[str, Any]]
"""Where attempts were and how they ended, and the facts that the last of them ended with."""
_WithJob: TypeAlias = tuple[Run, Job | None, tuple[int, int], int, dict[int, Tail]]
"""A run, its job, and of its output the ends, how many pieces it is, and the tails."""


class RunTables(Tables):
    """See `tocsin.coordinator.store.port.Runs`."""

    def _active_runs(self) -> list[Restored]:
        runs = [run_of(row) for row in self._read("active_runs")]
        earlier: dict[str, list[Run]] = {}
        for row in self._read("earlier_attempts"):
            attempt = attempt_of(row["run"])
            earlier.setdefault(attempt.id, []).append(attempt)
        return [
            Restored(run, job, offsets, pieces, tails, *_before(earlier.get(run.id, [])))
            for run, job, offsets, pieces, tails in self._with_jobs(runs)
            if job is not None
        ]

    def _with_jobs(self, runs: list[Run]) -> list[_WithJob]:
        wanted = to_json(list({(run.job_id, run.job_version) for run in runs}))
        specs = {
            (row["job_id"], row["version"]): job_spec(row["spec"])
            for row in self._read("job_specs", wanted)
            if row["spec"] is not None
        }
        with translated("read"):
            ids = to_json([run.id for run in runs])
            ends = self._output.execute(QUERIES["output_ends"], (ids,)).fetchall()
        offset = {(row[0], row[1], row[2]): int(row[3]) for row in ends}
        pieces: dict[str, int] = {}
        stored: dict[str, int] = {}
        for row in ends:
            pieces[row[0]] = max(pieces.get(row[0], 0), row[4])
            stored[row[0]] = stored.get(row[0], 0) + row[5]
        found: list[_WithJob] = []
        for run in runs:
            job = specs.get((run.job_id, run.job_version))
            offsets = (
                offset.get((run.id, run.attempt, 1), 0),
                offset.get((run.id, run.attempt, 2), 0),
            )
            tails = {} if job is None else self._tails(run, offsets, job.output.keep_bytes)
            # Output is committed first, so after a crash there may be more of it than was counted.
            counted = replace(run, output_bytes=stored.get(run.id, run.output_bytes))
            found.append((counted, job, offsets, pieces.get(run.id, 0), tails))
        return found

    def _tails(self, run: Run, offsets: tuple[int, int], keep_bytes: int) -> dict[int, Tail]:
        """What is stored behind the heads of a run's output; few runs print so much."""
        tails: dict[int, Tail] = {}
        head = head_bytes(keep_bytes)
        for stream, offset in enumerate(offsets, 1):
            if offset > head:
                with translated("read"):
                    of = (run.id, run.attempt, stream, head)
                    for start, end in self._output.execute(QUERIES["output_tail"], of):
                        add(tails, stream, Span(start, end), keep_bytes)
        return tails

    def runs(self, ids: Sequence[str]) -> dict[str, Run]:
        return {row["id"]: run_of(row) for row in self._read("runs", to_json(ids))}

    def fires(self, groups: Sequence[str]) -> dict[str, list[Run]]:
        fires: dict[str, list[Run]] = {}
        for run in map(run_of, self._read("fires", to_json(groups))):
            fires.setdefault(run.group, []).append(run)
        return fires

    def list_runs(self, job: str, states: Sequence[RunState], before: str, limit: int) -> list[Run]:
        wanted = to_json(states)
        before = before or _NEWEST
        if job:
            rows = self._read("list_runs_of_job", job, before, wanted, wanted, limit)
        else:
            rows = self._read("list_runs", before, wanted, wanted, limit)
        return [run_of(row) for row in rows]

    def runs_due(self, job_ids: Sequence[int], due_us: int) -> list[Run]:
        found: list[Run] = []
        for job_id in job_ids:
            rows = self._read("runs_due", job_id, due_us)
            found += [run_of(row) for row in rows or self._read("skip_over", job_id, due_us)]
        return found

    def past_runs(self, ids: Sequence[str]) -> dict[str, PastRun]:
        runs = list(self.runs(ids).values())
        return {
            run.id: PastRun(run, job, offsets, pieces, self._failed_on(run), tails)
            for run, job, offsets, pieces, tails in self._with_jobs(runs)
        }

    def _failed_on(self, run: Run) -> tuple[tuple[str, RunState], ...]:
        if run.attempt == 1:
            return ()
        failed_on, _ = _before(self.attempts(run.id))
        return failed_on

    def attempts(self, run_id: str) -> list[Run]:
        return [attempt_of(row["run"]) for row in self._read("attempts", run_id)]

    def read_output(
        self, run_id: str, attempt: int, after: int, bytes_max: int
    ) -> tuple[list[OutputPiece], bool]:
        return self._pieces("read_output", (run_id, after, attempt), bytes_max)

    def not_kept(self, ids: Sequence[str]) -> dict[str, int]:
        with translated("read"):
            rows = self._output.execute(QUERIES["output_gaps"], (to_json(ids),)).fetchall()
        return {row[0]: int(row[1]) for row in rows}

    def read_output_back(
        self, run_id: str, before: int, bytes_max: int
    ) -> tuple[list[OutputPiece], bool]:
        values = (run_id, before or _BEHIND_ALL)
        pieces, more = self._pieces("read_output_back", values, bytes_max)
        return pieces[::-1], more

    def _pieces(
        self, query: str, values: tuple[object, ...], bytes_max: int
    ) -> tuple[list[OutputPiece], bool]:
        """Pieces as the query orders them, until they are large enough; whether there are more."""
        pieces: list[OutputPiece] = []
        size = 0
        with translated("read"):
            for row in self._output.execute(QUERIES[query], values):
                if size >= bytes_max:
                    return pieces, True
                pieces.append(OutputPiece(*row))
                size += len(row["data"]) + _PIECE_BYTES
        return pieces, False


def _before(earlier: Sequence[Run]) -> _Before:
    failed_on = tuple((attempt.agent_id, attempt.state) for attempt in earlier)
    return failed_on, earlier[-1].facts if earlier else {}
