"""What an executor says of an attempt, made sure of: an outcome from elsewhere may hold anything.

An outcome that cannot be encoded, or that its reader would refuse, would otherwise be lost, and
with it the word that the attempt is over.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from tocsin.errors import ExecutorError
from tocsin.execution import Outcome

MESSAGE_CHARS_MAX: Final = 500
_NUMBER_MAX: Final = (1 << 63) - 1
_PLACE: Final = re.compile(r"`\$\[(\d)\]`")


def sound(outcome: Any) -> Outcome:  # noqa: ANN401 - that is why
    """The outcome, with facts that are plain data and a message that is text.

    Raises:
        ExecutorError: it is none; says what is wrong with it.
    """
    if not isinstance(outcome, Outcome):
        raise ExecutorError(f"its executor gave {type(outcome).__name__} in place of an Outcome")
    try:
        facts = msgspec.to_builtins(outcome.facts, str_keys=True) if outcome.facts else {}
        message = sound_text(outcome.message or "")
        outcome = msgspec.structs.replace(outcome, message=message, facts=facts)
        said = msgspec.msgpack.decode(msgspec.msgpack.encode(outcome), type=Outcome)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        why = _PLACE.sub(lambda found: Outcome.__struct_fields__[int(found[1])], str(error))
        raise ExecutorError(f"its executor gave an outcome that makes no sense: {why}") from error
    for number in (said.exit_code, said.peak_memory_bytes, said.cpu_us):
        if number is not None and not -_NUMBER_MAX <= number <= _NUMBER_MAX:
            raise ExecutorError(f"its executor gave an outcome with {number} in it")
    return said


def one_line(text: str) -> str:
    """A text for people, on one line and of bounded length."""
    line = " ".join(sound_text(text).split())
    return line if len(line) <= MESSAGE_CHARS_MAX else line[: MESSAGE_CHARS_MAX - 1] + "…"


def sound_text(text: Any) -> str:  # noqa: ANN401 - as above
    """A text that can be encoded: what stands for bytes that are no UTF-8 cannot."""
    return str(text).encode(errors="replace").decode()
