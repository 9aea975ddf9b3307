"""What a job expects of its output and its exit code, beyond the executor's own rule of success."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec

from tocsin.execution import Expect, Outcome, Status

PATTERN_CHARS_MAX: Final = 1000
_STEP: Final = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(-?\d+)\]")
_SHOWN_CHARS: Final = 80


def faults(expect: Expect) -> list[tuple[str, str]]:
    """What is wrong with it: each the key, and a sentence."""
    found = []
    for key, pattern in (("match", expect.match), ("not_match", expect.not_match)):
        if len(pattern) > PATTERN_CHARS_MAX:
            found.append((key, f"has more than {PATTERN_CHARS_MAX} characters"))
            continue
        try:
            re.compile(pattern)
        except re.error as error:
            found.append((key, f"is no regular expression: {error}"))
    found += [
        ("json", f'"{path}" is no path; write it like items[0].state')
        for path in expect.json
        if _steps(path) is None
    ]
    return found


def reads_output(expect: Expect) -> bool:
    """Whether the output must be looked at."""
    return bool(expect.match or expect.not_match or expect.json)


def by_exit_code(expect: Expect, outcome: Outcome) -> Outcome:
    """The outcome, with the expected exit codes in place of the executor's rule."""
    code = outcome.exit_code
    if not expect.exit_codes or code is None:
        return outcome
    if outcome.status not in {Status.SUCCEEDED, Status.FAILED}:
        return outcome
    if code in expect.exit_codes:
        return msgspec.structs.replace(outcome, status=Status.SUCCEEDED, message="")
    wanted = ", ".join(map(str, expect.exit_codes))
    message = outcome.message or f"exit code {code}"
    return msgspec.structs.replace(
        outcome, status=Status.FAILED, message=f"{message}; expected {wanted}"
    )


def by_output(expect: Expect, outcome: Outcome, stdout: bytes, stderr: bytes) -> Outcome:
    """A success as the output proves it, or a failure that says what is not as expected."""
    if outcome.status is not Status.SUCCEEDED:
        return outcome
    wrong = _wrong(expect, stdout.decode(errors="replace"), stderr.decode(errors="replace"))
    if not wrong:
        return outcome
    return msgspec.structs.replace(outcome, status=Status.FAILED, message=wrong)


def _wrong(expect: Expect, stdout: str, stderr: str) -> str:
    texts = (stdout, stderr)
    if expect.match and not any(_search(expect.match, text) for text in texts):
        return f"the output does not match {_shown(expect.match)}"
    if expect.not_match:
        for text in texts:
            if found := _search(expect.not_match, text):
                return f"the output matches {_shown(expect.not_match)}: {_shown(found[0])}"
    return _wrong_json(expect.json, stdout) if expect.json else ""


def _search(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.MULTILINE)


def _wrong_json(wanted: dict[str, Any], stdout: str) -> str:
    try:
        document = json.loads(stdout)
    except (ValueError, RecursionError):
        return "the output is not JSON"
    for path, value in wanted.items():
        found, there = _at(document, path)
        if not there:
            return f"the output has no {path}"
        if found != value or isinstance(found, bool) is not isinstance(value, bool):
            return f"{path} is {_shown(json.dumps(found))}; expected {_shown(json.dumps(value))}"
    return ""


def _steps(path: str) -> list[str | int] | None:
    """The keys and positions of a path; None when it is none."""
    steps: list[str | int] = []
    end = 0
    for step in _STEP.finditer(path):
        if step.start() != end:
            return None
        steps.append(step[1] if step[1] is not None else int(step[2]))
        end = step.end()
    return steps if steps and end == len(path) else None


def _at(document: Any, path: str) -> tuple[Any, bool]:  # noqa: ANN401 - JSON of any kind
    for step in _steps(path) or []:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None, False
    return document, True


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else line[: _SHOWN_CHARS - 1] + "…"
