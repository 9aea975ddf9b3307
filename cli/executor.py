"""`tocsin executor`: what runs jobs, and how to bring more of it."""

from __future__ import annotations

import click

from .executor_check import check
from .executor_list import list_, show
from .executor_new import new


@click.group()
def executor() -> None:
    """List, show, begin and check executors."""


executor.add_command(list_)
executor.add_command(show)
executor.add_command(new)
executor.add_command(check)
