"""The specimen of the shell executor."""

from __future__ import annotations

from typing import Final

from tocsin.executors.checking import Specimen

SPECIMEN: Final = Specimen(
    succeed={"command": "true"},
    greet={"command": "echo hello; echo oh >&2"},
    greet_stderr="oh\n",
    fail={"command": "exit 3"},
    fail_message="exit code 3",
    fail_exit_code=3,
    linger={"command": "echo up; exec sleep 600"},
    resist={"command": "trap '' TERM; echo up; while :; do sleep 600; done"},
    refuse={"argv": ["/no/such/program"]},
    flood={"command": "head -c 64M /dev/zero"},
    secret={"command": 'test -n "$TOKEN"'},
)
