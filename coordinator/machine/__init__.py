"""The pure heart: what happened goes in, what to do comes out. No clock, chance, socket or disk.

`machine` is the door; `events` and `commands` are what passes it; `transitions` is the table of
run states. The rest decides, each module one subject: which due times get a run (`fires`,
`pauses`, `blackouts`, `dependencies`), on which hosts (`fanout`, `eligibility`), when it may go
(`waiting`, `turns` by the rules of `rollout`, `pools`), to whom (`placement`, `choosing`), and what
becomes of it (`runs`, `retries` after a `backoff`, `ending`); `agents` and `holds` are about
agents, `jobs` about definitions.
"""

from __future__ import annotations
