"""Variables as systemd reads them from a file, see systemd.exec(5), `EnvironmentFile=`."""

from __future__ import annotations

import re
from collections.abc import Mapping


def environment_file(variables: Mapping[str, str]) -> str:
    """The text of such a file; values may hold anything but NUL."""
    return "".join(f'{name}="{_escaped(value)}"\n' for name, value in variables.items())


def _escaped(value: str) -> str:
    return re.sub(r'(["\\$`])', r"\\\1", value)
