"""Keys that systemd hands to a service of its own: files below `$CREDENTIALS_DIRECTORY`.

See systemd.exec(5), `LoadCredential=`. Systemd keeps them from everybody else, so their modes mean
nothing: one that is lent to a user by an access list shows bits for its group.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

VARIABLE: Final = "CREDENTIALS_DIRECTORY"
COORDINATOR_KEY: Final = "tocsin.coordinator.key"
AGENT_KEY: Final = "tocsin.agent.key"


def credential(name: str, environ: Mapping[str, str]) -> Path | None:
    """The file of a credential; None when there is none of that name."""
    folder = environ.get(VARIABLE)
    path = Path(folder, name) if folder else None
    return path if path is not None and path.exists() else None


def is_credential(path: Path, environ: Mapping[str, str]) -> bool:
    """Whether a file is one that systemd guards."""
    folder = environ.get(VARIABLE)
    return bool(folder) and path.parent == Path(str(folder))
