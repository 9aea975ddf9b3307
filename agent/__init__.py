"""The agent: takes orders, has executor hosts run them, and reports until it is believed.

`machine` decides; `spool` remembers, `output` reads what runs print, `hosts` starts and speaks to
the host processes, `service` is the loop around them. The agent itself runs no executor code.
"""

from __future__ import annotations
