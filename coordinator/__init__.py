"""The coordinator: keeps the schedule, decides, records, and only then acts.

`gateway` decodes messages, `machine` decides, `store` makes durable, `service` is the loop that
runs them in this order.
"""

from __future__ import annotations
