"""Parameters of jobs: what a request may give a run, and what each run has in the end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from tocsin.errors import RequestError
from tocsin.nearest import did_you_mean

PARAMS_MAX: Final = 64
VALUE_BYTES_MAX: Final = 4 << 10
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)

Params = Mapping[str, str | None]
"""Parameters with their defaults; None must be given."""


def faults(params: Params, *, fires_by_itself: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong with a job's parameters: each the keys that lead to it, and a sentence."""
    if len(params) > PARAMS_MAX:
        yield ("params",), f"{len(params)} parameters; expected at most {PARAMS_MAX}"
    for name, value in params.items():
        path = ("params", name)
        if not _NAME.fullmatch(name):
            yield path, "is no name; expected at most 64 of a-z, 0-9 and _, the first a letter"
        if value is None and fires_by_itself:
            why = "must be given, and a due time or another job's end gives nothing"
            yield path, f"{why}; expected a default, or a job without schedule and after"
        if value is not None and (wrong := _wrong(value)):
            yield path, wrong


def check_given(job: str, params: Params, given: Mapping[str, str]) -> None:
    """Refuse what a run of a job cannot be given.

    Raises:
        RequestError: a name is not known, a value cannot be, or one is missing.
    """
    for name, value in given.items():
        if name not in params:
            known = ", ".join(params) or "none"
            hint = did_you_mean(name, params) or f"its parameters: {known}"
            raise RequestError(f"job {job} has no parameter {name}", hint)
        if wrong := _wrong(value):
            raise RequestError(f"parameter {name} {wrong}")
    missing = [name for name, value in params.items() if value is None and name not in given]
    if missing:
        raise RequestError(
            f"job {job} must be given {', '.join(missing)}",
            f"for example: --param {missing[0]}=VALUE",
        )


def effective(params: Params, given: Mapping[str, str] | None) -> dict[str, str]:
    """What a run has: what was given, else the default."""
    some = given or {}
    return {name: some.get(name, value or "") for name, value in params.items()}


def _wrong(value: str) -> str:
    if "\x00" in value:
        return "holds a NUL byte, which no variable can"
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > VALUE_BYTES_MAX:
        return f"has {size} bytes; expected at most {VALUE_BYTES_MAX}"
    return ""
