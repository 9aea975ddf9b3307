"""The agent's parts, without a process."""

from __future__ import annotations
