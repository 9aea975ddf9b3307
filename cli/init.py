"""`tocsin init`: sets up what a package has installed."""

from __future__ import annotations

import click

from .init_coordinator import coordinator


@click.group()
def init() -> None:
    """Set up this host, in one command: it says what it did, and how to undo it."""


init.add_command(coordinator)
