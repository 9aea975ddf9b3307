"""What an executor's process finds in its environment of the agent's: as little as it needs."""

from __future__ import annotations

import os
from typing import Final

_INHERITED: Final = (
    "PATH", "HOME", "LANG", "PYTHONPATH",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
)  # fmt: skip


def host_environment() -> dict[str, str]:
    """The variables of a host, and of whoever looks at an executor."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}
