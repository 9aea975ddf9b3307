"""From the words of a command line to the code that does it, and its exit code."""

from __future__ import annotations

import os
import sys

from tocsin.errors import TocsinError

from .failing import INTERRUPTED, NOBODY_READS, exit_code, say


def guarded(arguments: list[str]) -> int:
    """Run a command; every failure becomes words on stderr and an exit code."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except TocsinError as error:
        say(error)
        return exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python would try to flush once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return NOBODY_READS
    return code


def _run(arguments: list[str]) -> int:
    match arguments:
        case ["agent"]:  # it stays small, so it starts without the machinery of commands
            from .agent_start import start_agent

            return start_agent(None)
        case ["agent", "--config", config_file]:
            from .agent_start import start_agent

            return start_agent(config_file)
        case [] if sys.stdin.isatty() and sys.stdout.isatty():
            from .start import open_tui

            return open_tui(None)
    from .root import run

    return run(arguments)
