"""Jobs, as they are and as they were."""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.coordinator.store.rows import job_row, job_version, to_json
from tocsin.model import JobRow, JobVersion

from .tables import Tables


class JobTables(Tables):
    """See `tocsin.coordinator.store.port.Jobs`."""

    def jobs_by_id(self, ids: Sequence[int]) -> dict[int, JobRow]:
        return {row["id"]: job_row(row) for row in self._read("jobs_by_id", to_json(ids))}

    def jobs_by_name(self, names: Sequence[str]) -> dict[str, JobRow]:
        return {row["name"]: job_row(row) for row in self._read("jobs_by_name", to_json(names))}

    def list_jobs(self, after: str, limit: int) -> list[JobRow]:
        return [job_row(row) for row in self._read("list_jobs", after, limit)]

    def job_versions(self, name: str) -> list[JobVersion]:
        return [job_version(row) for row in self._read("job_versions", name)]

    def last_versions(self, names: Sequence[str]) -> dict[str, int]:
        return dict(map(tuple, self._read("last_versions", to_json(names))))

    def jobs_with(self, kind: str, name: str) -> list[str]:
        return [row["name"] for row in self._read(f"jobs_with_{kind}", name)]

    def count_jobs(self) -> int:
        return int(self._read("count_jobs")[0][0])
