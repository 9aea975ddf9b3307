"""What a program has told of itself, and how its attempt ended by that and by its exit."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tocsin.execution import Outcome, Status

from .lines import Line

FACTS_BYTES_MAX: Final = 48 << 10


class Account:
    """Grows line by line; `settle` is its end."""

    def __init__(self) -> None:
        self.invalid_lines = 0
        """Lines that began with a brace and were none of the protocol."""
        self.lost = ""
        """Why output could not be kept."""
        self._facts: dict[str, Any] = {}
        self._facts_bytes = 0
        self._facts_dropped = 0
        self._result: Line | None = None
        self._wrong = ""

    def hear(self, line: Line) -> None:
        """Take in what a line says beside its output."""
        if line.facts:
            self._add(line.facts)
        if line.result is not None:
            self._result, self._wrong = line, ""

    def hear_wrong(self, why: str) -> None:
        """Take in a result that makes no sense."""
        self._result, self._wrong = None, why

    def _add(self, facts: dict[str, Any]) -> None:
        merged = {**self._facts, **facts}
        size = self._facts_bytes + len(msgspec.json.encode(facts))
        if size > FACTS_BYTES_MAX:  # counted twice where one replaces another
            size = len(msgspec.json.encode(merged))
        if size > FACTS_BYTES_MAX:
            self._facts_dropped += 1
            return
        self._facts, self._facts_bytes = merged, size

    def settle(self, end: Outcome) -> Outcome:
        """The outcome of the attempt, from that of the process.

        What a program says counts only as far as its exit does not say otherwise: a success with
        an exit code that is none has failed.
        """
        status, code, message = self._verdict(end)
        if self.lost:
            message = "; ".join(filter(None, (message, f"output was lost: {self.lost}")))
        return msgspec.structs.replace(
            end, status=status, exit_code=code, message=message, facts=self._all_facts()
        )

    def _verdict(self, end: Outcome) -> tuple[Status, int | None, str]:
        code, said = end.exit_code, self._result
        if end.status not in {Status.SUCCEEDED, Status.FAILED}:
            told = said.message if said is not None else ""
            return end.status, code, "; ".join(filter(None, (end.message, told)))
        if self._wrong:
            return Status.FAILED, code or None, self._wrong
        if said is None:
            return end.status, code, end.message
        if said.exit_code is not None:
            code = said.exit_code
        if said.result == "succeeded":
            if end.status is Status.SUCCEEDED:
                return Status.SUCCEEDED, code, said.message
            return Status.FAILED, end.exit_code, f"it said succeeded, then: {end.message}"
        message = said.message or end.message or "it says that it failed"
        # An exit code that means success says nothing here.
        return Status.FAILED, (code if said.exit_code is not None else code or None), message

    def _all_facts(self) -> dict[str, Any]:
        counts = {"invalid_lines": self.invalid_lines, "facts_dropped": self._facts_dropped}
        return {**self._facts, **{name: count for name, count in counts.items() if count}}
