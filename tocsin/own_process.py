"""How Tocsin starts a module of its own as a process, with the interpreter and libraries it has.

A distribution's package lies outside of Python's own folders. Its launcher starts the interpreter
without `site` and has `boot.py` say where the libraries are, so whatever is started by Tocsin is
started that way, too.
"""

from __future__ import annotations

import os
import sys
from typing import Final

BOOT_FILE: Final = "boot.py"
"""Beside the folder of the package's libraries, see packaging/files/boot.py."""


def boot_file() -> str | None:
    """What finds the libraries of a distribution's package; None where Python does so itself."""
    if not sys.flags.no_site:
        return None
    site = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - the agent does without pathlib's cost
    return os.path.join(os.path.dirname(site), BOOT_FILE)  # noqa: PTH118, PTH120 - as above


def own_command(module: str, *options: str, heed_environment: bool = False) -> list[str]:
    """The words that start a module, from the interpreter's path on.

    Args:
        module: its arguments go behind all the words.
        options: more options of the interpreter's.
        heed_environment: whether `PYTHONPATH` and its like count for a package, too.
    """
    boot = boot_file()
    if boot is None:
        return [sys.executable, "-P", *options, "-m", module]
    apart = "-P" if heed_environment else "-I"
    return [sys.executable, apart, "-S", "-B", *options, boot, module]


def installer() -> str:
    """What a person types to add a library, before its name."""
    return "pip install" if boot_file() is None else "sudo tocsin plugin install"
