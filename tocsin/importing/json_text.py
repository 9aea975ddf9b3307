"""JSON of another program: read strictly, and picked apart so that no key is passed over."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from tocsin.errors import ConfigError


def read_json(text: str, name: str, *, first_line: int = 1) -> object:
    """The value of a JSON text.

    Raises:
        ConfigError: it is no JSON; names the file and the line.
    """
    try:
        value: object = json.loads(text.removeprefix("\N{BYTE ORDER MARK}"), parse_constant=_refuse)
        # Half of a pair of UTF-16, which JSON can escape, is no text for any file.
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        line = error.lineno + first_line - 1
        raise ConfigError(f"{name}:{line}: not JSON: {error.msg}") from error
    except ValueError as error:
        raise ConfigError(f"{name}:{first_line}: not JSON: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{name}: nested too deeply") from error
    return value


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is no number")


class Keys:
    """The keys of one object; what nobody asked for is left over and can be listed."""

    def __init__(self, block: dict[str, Any]) -> None:
        self._block = block
        self._left = dict.fromkeys(block)

    def take(self, key: str) -> Any:  # noqa: ANN401 - whatever the document holds there
        """The value of a key; None when it is not there."""
        self._left.pop(key, None)
        return self._block.get(key)

    def text(self, key: str) -> str:
        """The value of a key as text; empty when it is not there, null or false."""
        value = self.take(key)
        if value is None or value is False:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def number(self, key: str) -> float:
        """The value of a key as a number, also when it is written as text; else 0."""
        value = self.take(key)
        try:
            number = float(value) if isinstance(value, int | float | str) else 0.0
        except ValueError:
            return 0.0
        return number if math.isfinite(number) else 0.0

    def truth(self, key: str) -> bool:
        """Whether a key is there and holds something like true: 1, "1", "true"."""
        value = self.take(key)
        return value not in (None, False, 0, "", "0", "false")

    def drop(self, keys: Iterable[str]) -> None:
        """Pass keys over on purpose."""
        for key in keys:
            self._left.pop(key, None)

    def left(self) -> list[tuple[str, Any]]:
        """The keys nobody asked for, with their values."""
        return [(key, self._block[key]) for key in self._left]


def shortened(value: object, chars: int = 60) -> str:
    """A value for a sentence: as JSON, on one line, not too long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= chars else text[: chars - 1] + "…"
