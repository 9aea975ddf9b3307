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
FACTS_BYTES_MAX: Final = 64 << 10
_NUMBER_MAX: Final = (1 << 63) - 1
_PLACE: Final = re.compile(r"`\$\[(\d)\]`")


def sound(outcome: Any) -> Outcome:  # noqa: ANN401 - that is why
    """The outcome, with facts that are plain data, not too many, and a message that is text.

    Raises:
        ExecutorError: it is none; says what is wrong with it.
    """
    if not isinstance(outcome, Outcome):
        raise ExecutorError(f"its executor gave {type(outcome).__name__} in place of an Outcome")
    message, facts = outcome.message, outcome.facts
    try:
        if type(message) is not str or not message.isascii() or type(facts) is not dict:
            message, facts = sound_text(message or ""), facts or {}
            outcome = msgspec.structs.replace(outcome, message=message, facts=facts)
        data = msgspec.msgpack.encode(msgspec.to_builtins(outcome, str_keys=True))
        said = msgspec.msgpack.decode(data, type=Outcome)
        if len(data) > FACTS_BYTES_MAX < len(msgspec.msgpack.encode(said.facts)):
            said = msgspec.structs.replace(said, facts={})
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
