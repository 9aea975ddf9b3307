"""What Tocsin does in numbers, each beside a limit that was measured in the same run."""

from __future__ import annotations
