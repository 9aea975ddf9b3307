"""Dkron's jobs: the JSON of `GET /v1/jobs`, of one job, and of what `/v1/restore` takes.

Sources: Dkron 4.1.2, `dkron/job.go`, `dkron/tags.go`, `dkron/scheduler.go`, `extcron/`,
`plugin/shell`, `plugin/http`, and its documentation for the executors that are not open.
"""

from __future__ import annotations

from tocsin.importing.dkron.reading import import_dkron

__all__ = ["import_dkron"]
