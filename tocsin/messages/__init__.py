"""Everything that is said on a link, as closed unions: one for each direction of each link.

`agent_link` is spoken by agents and the coordinator, `client_link` by clients (command line,
TUI) and the coordinator, `enrolment` by those who ask to be let in.
"""

from __future__ import annotations

from typing import Final

PROTOCOL_VERSION: Final = 1
"""In each hello; a peer of another version is told so and not served."""
