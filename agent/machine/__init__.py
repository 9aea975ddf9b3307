"""The pure heart of an agent: what happened goes in, what to do comes out.

`machine` is the door; `events` and `commands` are what passes it, `records` what is journaled,
`memory` how the journal is read back. `sessions`, `orders`, `hosts`, `attempts` and `reports`
decide, each one subject, on the `state` they share.
"""

from __future__ import annotations
