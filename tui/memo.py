"""The last result of something that is costly, kept while it is asked of the same values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class Memo(Generic[_Result]):
    """Holds one result. Views are never changed, so the same object means the same value."""

    def __init__(self) -> None:
        self._inputs: tuple[object, ...] | None = None
        self._result: _Result

    def of(self, make: Callable[[], _Result], *inputs: object) -> _Result:
        """What `make` returned for these very inputs, or returns now."""
        known = self._inputs
        if known is None or len(known) != len(inputs) or not _same(known, inputs):
            self._result = make()
            self._inputs = inputs
        return self._result


def _same(known: tuple[object, ...], inputs: tuple[object, ...]) -> bool:
    pairs = zip(known, inputs, strict=True)
    return all(a is b or (isinstance(a, str | int) and a == b) for a, b in pairs)
