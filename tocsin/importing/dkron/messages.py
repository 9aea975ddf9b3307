"""A `nats` job of Dkron, as the block of the nats executor."""

from __future__ import annotations

from typing import Any

from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.json_text import Keys, shortened
from tocsin.importing.requesting import literal


def add_nats(job: dict[str, Any], keys: Keys, place: Place, doubts: Doubts) -> None:
    """Put the block into a job."""
    servers = [server.strip() for server in keys.text("url").split(",")]
    block: dict[str, Any] = {
        "servers": [literal(server) for server in servers if server],
        "subject": literal(keys.text("subject")),
    }
    for theirs, ours in (("message", "payload"), ("userName", "user"), ("password", "password")):
        if value := keys.text(theirs):
            block[ours] = literal(value)
    if keys.text("debug"):
        doubts.lost(place, "debug", "left out: Dkron prints secrets into the output")
    for key, value in keys.left():
        doubts.lost(place, f"executor_config {key}", f"{shortened(value)!r} is left out: unknown")
    doubts.once(
        Weight.NOTE,
        "nats success",
        "a run succeeds when the server has confirmed the message; in Dkron when it was connected",
    )
    job["nats"] = block
