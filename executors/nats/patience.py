"""How long a connection may take for each thing; all in seconds."""

from __future__ import annotations

from typing import NamedTuple


class Patience(NamedTuple):
    """The times that are ours to choose; how long a confirmation may take is the job's."""

    connect_s: float = 5.0
    """For all of it: name, TCP, greeting, TLS, credentials. Then the next server is tried."""
    quiet_s: float = 1.0
    """A kept connection that was quiet for longer is asked for a sign of life before it is used."""
    probe_s: float = 2.0
    """For that sign."""
    beat_s: float = 10.0
    """A server that owes an answer is asked when it has said nothing for so long, and is given up
    after as long again."""
    idle_s: float = 30.0
    """A connection that nobody has used for so long is closed."""
