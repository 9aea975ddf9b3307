"""The specimens of the executors in this package, by which they are put to the contract."""

from __future__ import annotations

from typing import Final

from .checking import Specimen

_SCRIPTED: Final = Specimen(
    succeed={},
    greet={"lines": 1, "stderr_lines": 1, "line": "hello"},
    greet_stderr="hello\n",
    fail={"exit_code": 3},
    fail_message="exit code 3",
    fail_exit_code=3,
    linger={"run_for": "10m"},
    resist={"run_for": "10m", "ignore_cancel": True},
    refuse={"start_error": "not today"},
    flood={"lines": 64 << 10, "line": "x" * 1023},
    secret={"lines": 1, "line": "{{ secret.TOKEN }}"},
)

SPECIMEN: Final = {"scripted": _SCRIPTED}
