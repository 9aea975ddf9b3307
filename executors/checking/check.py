"""One check: a name, the sentence that it holds an executor to, and how it is made."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from .verdict import Finding, LeftOut, Result, Verdict

T = TypeVar("T")
_HERE: Final = os.path.dirname(__file__)  # noqa: PTH120 - compared as text


class Check(Generic[T]):
    """A function that raises `Finding` or `LeftOut`; its docstring is the sentence."""

    def __init__(self, function: Callable[[T], None]) -> None:
        self.name = function.__name__.strip("_").replace("_", "-")
        self.sentence = (function.__doc__ or "").strip().partition("\n")[0]
        self._function = function

    def made_on(
        self, what: T, explain: Callable[[Exception], Finding | None] = lambda _: None
    ) -> Result:
        """What the check comes to; `explain` knows what some errors mean."""
        try:
            self._function(what)
        except Finding as found:
            return self.failed(found)
        except LeftOut as reason:
            return self.left_out(reason.why, reason.hint)
        # What an executor's own code raises where it is called in this process.
        except SystemExit as error:
            return self.failed(Finding("no error", where_raised(error)))
        except Exception as error:  # noqa: BLE001
            return self.failed(explain(error) or Finding("no error", where_raised(error)))
        return Result(check=self.name, sentence=self.sentence, verdict=Verdict.PASSED)

    def failed(self, found: Finding) -> Result:
        """The result for what was found."""
        return Result(
            check=self.name,
            sentence=self.sentence,
            verdict=Verdict.FAILED,
            expected=found.expected,
            happened=found.happened,
            hint=found.hint,
        )

    def left_out(self, why: str, hint: str = "") -> Result:
        """The result where it cannot be made."""
        return Result(
            check=self.name,
            sentence=self.sentence,
            verdict=Verdict.LEFT_OUT,
            happened=why,
            hint=hint,
        )


def where_raised(error: BaseException) -> str:
    """An error in one line, with the place in the code that raised it."""
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, SyntaxError):
        return said  # it tells its place
    frames = [it for it in traceback.extract_tb(error.__traceback__) if _is_its(it.filename)]
    return f"{said} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else said


def _is_its(filename: str) -> bool:
    """Whether a file is an executor's, and none of those that look at it."""
    return "importlib" not in filename and not filename.startswith(_HERE)
