"""What a job gives its runs, and what it expects of them: variables, secrets, placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tocsin.blocks import Faults, KeyPath, quoted
from tocsin.errors import ExecutorError
from tocsin.execution import Executor, Limits, beyond, capabilities_of
from tocsin.expectation import faults as expect_faults
from tocsin.templates import faults as template_faults

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_RUN_AS: Final = re.compile(r"[^\s:]+(:[^\s:]+)?")
_SECRET: Final = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", re.ASCII)


def check_values(arguments: Mapping[str, Any], path: KeyPath, faults: Faults) -> None:
    """Keep the faults of a job's `env`, `secrets`, `run_as` and `expect`."""
    for key, value in arguments.get("env", {}).items():
        if not key or "=" in key or "\x00" in key:
            faults.add((*path, "env", key), "is no name for an environment variable")
        if "\x00" in value:
            faults.add((*path, "env", key), "holds a NUL byte, which no variable can")
    for name, entry in arguments.get("secrets", {}).items():
        _check_secret(name, entry, (*path, "secrets", name), faults)
    run_as = arguments.get("run_as", "")
    if run_as and not _RUN_AS.fullmatch(run_as):
        expected = "a user, or user:group, by name or number"
        faults.add((*path, "run_as"), f"{quoted(run_as)} is nobody", expected=expected)
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


def check_capabilities(
    executors: Mapping[str, type[Executor]],
    key: str,
    arguments: Mapping[str, Any],
    path: KeyPath,
    faults: Faults,
) -> None:
    """Keep the faults of keys by which a job asks an executor for what it cannot do."""
    try:
        capabilities = capabilities_of(executors[key])
    except ExecutorError:
        return  # this fault is kept already
    limits, run_as = arguments.get("limits", Limits()), arguments.get("run_as", "")
    for name, wrong in beyond(key, capabilities, limits, run_as):
        faults.add((*path, name), wrong)


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
