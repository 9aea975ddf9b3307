"""The pure heart: what happened goes in, what to do comes out. No clock, chance, socket or disk.

`machine` is the door; `events` and `commands` are what passes it; `transitions` is the table of
run states; `fires`, `jobs`, `runs`, `agents` and `placement` decide, each one subject.
"""

from __future__ import annotations
