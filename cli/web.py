"""`tocsin web`: the terminal interface in a browser on this machine."""

from __future__ import annotations

import os
import secrets
import shlex
import webbrowser
from pathlib import Path
from typing import Final

import click

from tocsin.config import CONTEXT_VARIABLE
from tocsin.errors import ConfigError
from tocsin.own_process import installer, own_command

from .asking import chosen_context
from .failing import OK

_SECRET_BYTES: Final = 32
_PORT: Final = 7373


@click.command()
@click.option(
    "--port",
    type=click.IntRange(min=0, max=65_535),
    default=_PORT,
    show_default=True,
    help="Where it listens, on 127.0.0.1; 0: any that is free.",
)
@click.option("--open", "opens", is_flag=True, help="Open it in the browser, too.")
@click.option("--read-only", is_flag=True, help="Leave out all that changes things.")
@click.pass_obj
def web(named: str | None, *, port: int, opens: bool, read_only: bool) -> int:
    """Serve the terminal interface to a browser on this machine.

    The address that it prints has a secret in it, new each time: whoever has it may do what you may
    do. From elsewhere, go through SSH (ssh -L 7373:127.0.0.1:7373 HOST). ctrl+c ends it.
    """
    chosen_context()  # fails here, and not on each page
    try:
        from tocsin.tui.web import serve
    except ImportError as error:
        raise ConfigError(
            f"the library for this is missing: {error.name}",
            f"install it: {installer()} 'tocsin[web]'",
        ) from error
    if named:
        os.environ[CONTEXT_VARIABLE] = str(Path(named).absolute())

    def ready(address: str) -> None:
        click.echo(address)
        if opens:
            webbrowser.open(address)

    words = [*own_command("tocsin.cli"), "tui", *(["--read-only"] if read_only else [])]
    try:
        serve(shlex.join(words), port, secrets.token_urlsafe(_SECRET_BYTES), ready)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on 127.0.0.1:{port}: {error.strerror}", "choose another: --port"
        ) from error
    return OK
