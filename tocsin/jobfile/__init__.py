"""Job files: YAML, TOML or JSON in, checked jobs, calendars and pools out, and back again.

A file that is wrong is refused as a whole, with every fault that could be found in it.
"""

from __future__ import annotations

from tocsin.jobfile.executors import InstalledExecutors, KnownExecutors
from tocsin.jobfile.files import JobSet, read_job_files
from tocsin.jobfile.one_job import check_one_job
from tocsin.jobfile.writing import calendar_to_file, dump_yaml, job_to_file, set_to_file

__all__ = [
    "InstalledExecutors",
    "JobSet",
    "KnownExecutors",
    "calendar_to_file",
    "check_one_job",
    "dump_yaml",
    "job_to_file",
    "read_job_files",
    "set_to_file",
]
