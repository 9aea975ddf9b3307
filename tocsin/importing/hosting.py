"""Which agents may run what came from one host."""

from __future__ import annotations

from typing import Any

from tocsin.importing.doubt import Doubts, Weight
from tocsin.importing.draft import Options


def place_on_host(block: dict[str, Any], options: Options, doubts: Doubts) -> None:
    """Bind a job to the host it came from; without one, doubt once."""
    if options.host:
        block["target"] = {"tags": {"name": options.host}}
        return
    doubts.once(
        Weight.CHECK,
        "host",
        "the input does not say which host it came from: any agent may run these jobs, and "
        "names may meet those of other hosts",
        "--host NAME binds them to an agent and puts NAME/ before their names",
    )
