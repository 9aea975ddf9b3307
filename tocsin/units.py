"""Durations, sizes and shares as people write them: `1h30m`, `500ms`, `1MiB`, `512M`, `50%`."""

from __future__ import annotations

import re
from typing import Final

_SECONDS: Final = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0,
}  # fmt: skip
_BYTES: Final = {
    "": 1, "B": 1,
    "K": 1 << 10, "KiB": 1 << 10, "kB": 1000, "KB": 1000,
    "M": 1 << 20, "MiB": 1 << 20, "MB": 1000**2,
    "G": 1 << 30, "GiB": 1 << 30, "GB": 1000**3,
    "T": 1 << 40, "TiB": 1 << 40, "TB": 1000**4,
}  # fmt: skip
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d|w)", re.ASCII)
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", re.ASCII)


def parse_duration(value: str | float) -> float:
    """Seconds, from a number of seconds or a text such as `1h30m`; ValueError otherwise."""
    if isinstance(value, bool):
        raise ValueError("a duration is a number of seconds or a text such as 1h30m")  # noqa: TRY004
    if isinstance(value, int | float):
        seconds = float(value)
    else:
        text = value.strip().replace(" ", "")
        parts = _DURATION_PART.findall(text)
        if not parts or "".join(n + u for n, u in parts) != text:
            raise ValueError(f"{value!r} is no duration: write 90s, 5m, 1h30m or 2d")
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if not 0 <= seconds < 1e10:  # noqa: PLR2004 - some 300 years; also refuses nan and inf
        raise ValueError(f"{value!r} is out of range for a duration")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest usual text for a duration: `90s` is `1m30s`, 0.25 is `250ms`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms" if seconds else "0s"
    left, text = round(seconds), ""
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(_SECONDS[unit]))
        if count:
            text += f"{count}{unit}"
    return text


def parse_percent(value: str | float) -> float:
    """Percent, from a text such as `50%`; a number alone could be a share or a count."""
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is no share: write 50% or 200%")
    return float(found[1])


def format_percent(percent: float) -> str:
    """A share for people: `50%`."""
    return f"{percent:g}%"


def parse_size(value: str | int) -> int:
    """Bytes, from a number or a text such as `1MiB` (K, M, G alone are powers of 1024)."""
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif isinstance(value, str) and (m := _SIZE.fullmatch(value.strip())) and m[2] in _BYTES:
        size = int(float(m[1]) * _BYTES[m[2]])
    else:
        raise ValueError(f"{value!r} is no size: write 4096, 64KiB, 1MiB or 512M")
    if not 0 <= size < 1 << 63:
        raise ValueError(f"{value!r} is out of range for a size")
    return size


def format_size(size: int) -> str:
    """A size for people, in binary units: `1.5 MiB`."""
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":  # noqa: PLR2004 - the step between binary units
            break
        value /= 1024
    return f"{value:.0f} {unit}" if value.is_integer() else f"{value:.1f} {unit}"
