"""`python -m benchmarks [--short] [NAME…]`: one JSON line for each benchmark."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Final

from .harness import Size
from .report import Surroundings
from .table import RESULTS, markdown

NAMES: Final = (
    "throughput", "spawn", "lag", "footprint", "restart", "decide", "schedule", "shell", "units",
    "http", "nats", "tui",
)  # fmt: skip


def main() -> int:
    """Run those that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--short", action="store_true", help="all of them in some two minutes")
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.FULL)
    parser.add_argument("--table", action="store_true", help=f"print {RESULTS.name} as Markdown")
    asked = parser.parse_args()
    if asked.table:
        sys.stdout.write(markdown(RESULTS.read_text()) + "\n")
        return 0
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    size = Size.SHORT if asked.short else asked.size
    for name in asked.names or NAMES:
        surroundings = Surroundings()
        result = import_module(f"{__package__}.{name}").run(size)
        sys.stdout.write(surroundings.line(name, size, result) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
