"""The data of a file as what a message can carry."""

from __future__ import annotations

import sys
from datetime import date, datetime, time
from typing import Final

from tocsin.blocks import Faults, KeyPath
from tocsin.jobfile.yaml_text import DEPTH_MAX

_INT_MAX: Final = (1 << 63) - 1


def plain(value: object, path: KeyPath, faults: Faults) -> object:
    """The value with TOML's dates as text; what no message could carry is a fault."""
    match value:
        case dict() if len(path) <= DEPTH_MAX:
            return {key: plain(item, (*path, key), faults) for key, item in value.items()}
        case list() if len(path) <= DEPTH_MAX:
            return [plain(item, (*path, i), faults) for i, item in enumerate(value)]
        case dict() | list():
            faults.add(path, f"nested more than {DEPTH_MAX} deep")
        case float() if not abs(value) <= sys.float_info.max:
            faults.add(path, f"{value} is no number that can be used")
        case int() if not abs(value) <= _INT_MAX:
            faults.add(path, "the number is too large")
        case datetime() | date() | time():
            return value.isoformat()
    return value
