"""How the value of a key is written in a form, and read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
import yaml

from tocsin.jobfile.yaml_text import CoreDumper, UnreadableError, read_yaml

_NUMBER: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?", re.ASCII)
_WINDOW: Final = " - "
_CALENDAR: Final = "calendar "


class Codec(msgspec.Struct, frozen=True):
    """One way to write values.

    `read` raises ValueError, with a sentence, for a text that stands for no value.
    """

    show: Callable[[Any], str]
    read: Callable[[str], Any]
    example: str = ""
    many: bool = False
    """Whether a text may have several lines."""
    verbatim: bool = False
    """Whether spaces alone are a value."""

    def value(self, text: str) -> Any:  # noqa: ANN401 - a value of any type
        """What a text stands for, UNSET where that is nothing; raises as `read`."""
        return self.read(text) if (text if self.verbatim else text.strip()) else msgspec.UNSET


def fits(codec: Codec, value: object) -> bool:
    """Whether a value can be written so that it is read back as it is."""
    try:
        text = codec.show(value)
        return codec.read(text) == value and (codec.many or "\n" not in text)
    except (ValueError, TypeError, AttributeError, KeyError):
        return False


def _show_yaml(value: object) -> str:
    """Flow style, on one line; in a list, because a text alone would be written as a block."""
    text: str = yaml.dump(
        [value],
        Dumper=CoreDumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=True,
        width=1 << 20,
    )
    return text.strip()[1:-1]


def _read_yaml(text: str) -> object:
    try:
        document = read_yaml(text)
    except UnreadableError as error:
        raise ValueError(error.message) from error
    for _, _, wrong in document.faults:
        raise ValueError(wrong)
    return document.value


def _read_scalar(text: str) -> object:
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def _show_scalar(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _show_codes(values: list[int]) -> str:
    return ", ".join(str(value) for value in values)


def _read_codes(text: str) -> list[object]:
    return [_read_scalar(part) for part in text.split(",") if part.strip()]


def _pairs(text: str) -> Iterator[tuple[str, str, bool]]:
    """Key, value, and whether there is a value at all."""
    seen: set[str] = set()
    for line in text.split("\n"):
        if not line.strip():
            continue
        key, equals, value = line.partition("=")
        key = key.strip()
        if key in seen:
            raise ValueError(f"{key} stands here twice")
        seen.add(key)
        yield key, value, bool(equals)


def _read_pairs(text: str) -> dict[str, str]:
    found = {}
    for key, value, given in _pairs(text):
        if not given:
            raise ValueError(f"{key} has no value: write {key}=VALUE")
        found[key] = value
    return found


def _show_pairs(values: Mapping[str, str]) -> str:
    return "\n".join(f"{key}={value}" for key, value in values.items())


def _show_tags(tags: Mapping[str, str | list[str]]) -> str:
    return _show_pairs(
        {key: globs if isinstance(globs, str) else ", ".join(globs) for key, globs in tags.items()}
    )


def _read_tags(text: str) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for key, value in _read_pairs(text).items():
        globs = [glob.strip() for glob in value.split(",") if glob.strip()]
        found[key] = globs if len(globs) > 1 else "".join(globs)
    return found


def _show_params(params: Mapping[str, str | None]) -> str:
    return "\n".join(name if value is None else f"{name}={value}" for name, value in params.items())


def _read_params(text: str) -> dict[str, str | None]:
    return {name: value if given else None for name, value, given in _pairs(text)}


def _show_after(entries: list[dict[str, str]]) -> str:
    return "\n".join(
        f"{entry['job']} on {entry['on']}" if "on" in entry else entry["job"] for entry in entries
    )


def _read_after(text: str) -> list[dict[str, str]]:
    found = []
    for line in _lines(text):
        job, on, end = line.partition(" on ")
        found.append({"job": job.strip(), "on": end.strip()} if on else {"job": job})
    return found


def _show_blackouts(entries: list[dict[str, str]]) -> str:
    return "\n".join(
        f"{_CALENDAR}{entry['calendar']}"
        if "calendar" in entry
        else f"{entry['from']}{_WINDOW}{entry['to']}"
        for entry in entries
    )


def _read_blackouts(text: str) -> list[dict[str, str]]:
    found = []
    for line in _lines(text):
        start, to, end = line.partition(_WINDOW)
        if line.startswith(_CALENDAR):
            found.append({"calendar": line.removeprefix(_CALENDAR).strip()})
        elif to:
            found.append({"from": start.strip(), "to": end.strip()})
        else:
            raise ValueError(f'"{line}" has no end: write FROM - TO, or calendar NAME')
    return found


def _read_toggle(text: str) -> object:
    return {"true": True, "false": False}.get(text, text)


LINE: Final = Codec(str, str, verbatim=True)
TEXT: Final = Codec(str, str, many=True, verbatim=True)
SCALAR: Final = Codec(_show_scalar, _read_scalar)
TOGGLE: Final = Codec(lambda value: str(value).lower(), _read_toggle)
LIST: Final = Codec("\n".join, _lines, "one on each line", many=True)
CODES: Final = Codec(_show_codes, _read_codes, "0, 3")
PAIRS: Final = Codec(_show_pairs, _read_pairs, "NAME=VALUE, one on each line", many=True)
TAGS: Final = Codec(_show_tags, _read_tags, "key=GLOB, GLOB; one key on each line", many=True)
PARAMS: Final = Codec(
    _show_params, _read_params, "NAME=DEFAULT, or NAME alone where it must be given", many=True
)
AFTER: Final = Codec(_show_after, _read_after, "JOB, JOB on failure, or JOB on any", many=True)
BLACKOUTS: Final = Codec(
    _show_blackouts, _read_blackouts, "Fri 18:00 - Mon 06:00, or calendar NAME", many=True
)
YAML: Final = Codec(_show_yaml, _read_yaml, "as in a job file: [a, b] or {key: value}", many=True)
