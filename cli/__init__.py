"""The command line: `tocsin`.

Each noun is a module, imported when it is used; this one imports nothing, so that
`tocsin --version` costs little more than Python does.
"""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code (`tocsin.cli.failing` lists them)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments == ["--version"]:
        from tocsin import __version__

        sys.stdout.write(f"tocsin {__version__}\n")
        return 0
    from .dispatch import guarded

    return guarded(arguments)
