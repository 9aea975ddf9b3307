"""Backups of a coordinator: taken beside it, handed over, and restored."""

from __future__ import annotations

from typing import Final

STAGED: Final = "restoring"
"""In a coordinator's directory: the folder of a restore that is decided, and not complete."""
