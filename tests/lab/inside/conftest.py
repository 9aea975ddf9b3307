"""The hosts of the contract's tests, in a place where runs are units."""

from __future__ import annotations

from tests.contract.conftest import agent, bell, boot, own_run_ids, shell

__all__ = ["agent", "bell", "boot", "own_run_ids", "shell"]
