"""Durations as Go and ISO 8601 write them."""

from __future__ import annotations

import re
from typing import Final

_GO_UNITS: Final = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
}  # fmt: skip
_GO_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_ISO: Final = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII
)
_ISO_UNITS: Final = (365 * 86_400, 30 * 86_400, 86_400, 3600, 60, 1)


def go_seconds(text: str) -> float | None:
    """The seconds of a Go duration such as `1h30m` or `1.5h`; None when it is none."""
    sign = -1.0 if text.startswith("-") else 1.0
    body = text.lstrip("+-") if text[:1] in {"+", "-"} else text
    if body == "0":
        return 0.0
    parts = _GO_PART.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        return None
    return sign * sum(float(number) * _GO_UNITS[unit] for number, unit in parts)


def iso_seconds(text: str) -> int | None:
    """The seconds of `P1DT2H`, a year as 365 days and a month as 30, as Dkron counts; or None."""
    found = _ISO.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    return sum(
        int(number or 0) * unit for number, unit in zip(found.groups(), _ISO_UNITS, strict=True)
    )
