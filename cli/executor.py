"""`tocsin executor`: what runs jobs, and how to bring more of it."""

from __future__ import annotations

import click

from .executor_list import list_, show


@click.group()
def executor() -> None:
    """Look at executors."""


executor.add_command(list_)
executor.add_command(show)
