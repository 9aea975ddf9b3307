"""What must survive: the port in `port`, its adapters beside it, their SQL in `sql/`."""

from __future__ import annotations
