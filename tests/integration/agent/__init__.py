"""The agent as a real process, against a coordinator that the tests play."""

from __future__ import annotations
