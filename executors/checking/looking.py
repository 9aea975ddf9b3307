"""Looks at an executor's class: `python -m tocsin.executors.checking.looking USE FD`.

A process of its own, for what it imports may hang, print, exit or crash. To descriptor FD it writes
one JSON value a line, see `subject`. It then keeps up what the specimen needs until its standard
input is closed.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

import msgspec

from tocsin.execution import capabilities_of

from .sight import Sight
from .static_checks import STATIC
from .subject import NoSubject, Subject, Told, Turn


def look(use: str, fd: int, keep: ExitStack) -> None:
    """Make the static checks, and tell what each comes to."""

    def tell(told: Told) -> None:
        os.write(fd, msgspec.json.encode(told) + b"\n")

    sight = Sight(use, keep)
    broken = False
    for check in STATIC:
        tell(Turn(check.name))
        result = check.made_on(sight)
        broken = broken or (check.name in {"imports", "class"} and result.verdict != "passed")
        tell(result)
    tell(NoSubject() if broken else _subject(sight))


def _subject(sight: Sight) -> Subject:
    executor = sight.executor
    return Subject(
        use=sight.use,
        name=executor.name,
        summary=executor.summary,
        capabilities=[str(it) for it in capabilities_of(executor)],
        specimen=sight.specimen,
    )


def main(use: str, fd: str) -> int:
    """Look, and keep the specimen up; the exit code."""
    with ExitStack() as keep:
        look(use, int(fd), keep)
        os.close(int(fd))
        sys.stdin.buffer.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
