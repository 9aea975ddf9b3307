"""What a job gives its runs, and what it expects of them: variables, secrets, placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tocsin.blocks import Faults, KeyPath, quoted
from tocsin.execution import Executor
from tocsin.expectation import faults as expect_faults
from tocsin.templates import faults as template_faults

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SECRET: Final = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", re.ASCII)


def check_values(arguments: Mapping[str, Any], path: KeyPath, faults: Faults) -> None:
    """Keep the faults of a job's `env`, `secrets` and `expect`."""
    for key, value in arguments.get("env", {}).items():
        if not key or "=" in key or "\x00" in key:
            faults.add((*path, "env", key), "is no name for an environment variable")
        if "\x00" in value:
            faults.add((*path, "env", key), "holds a NUL byte, which no variable can")
    for name, entry in arguments.get("secrets", {}).items():
        _check_secret(name, entry, (*path, "secrets", name), faults)
    if (expect := arguments.get("expect")) is not None:
        for key, wrong in expect_faults(expect):
            faults.add((*path, "expect", key), wrong)


def _check_secret(name: str, entry: str, path: KeyPath, faults: Faults) -> None:
    if not _VARIABLE.fullmatch(name) or name.startswith("TOCSIN_"):
        expected = "letters, digits and _, not beginning with a digit or TOCSIN_"
        faults.add(path, "is no name for a secret's variable", expected=expected)
    if not _SECRET.fullmatch(entry) or ".." in entry.split("/"):
        expected = "a name such as pg/backup, below the agent's folder of secrets"
        faults.add(path, f"{quoted(entry)} cannot name a secret", expected=expected)


def check_placeholders(
    executors: Mapping[str, type[Executor]],
    key: str,
    arguments: Mapping[str, Any],
    path: KeyPath,
    faults: Faults,
) -> None:
    """Keep the faults of the placeholders in an executor's block, which stands at `path`."""
    config = arguments["config"]
    if not config:
        return  # its faults are kept already
    params, secrets = arguments.get("params", {}), arguments.get("secrets", {})
    found = template_faults(config, executors[key].config, params=params, secrets=secrets)
    for place, wrong, hint in found:
        faults.add((*path, *place), wrong, hint=hint)
