"""`tocsin coordinator` and `tocsin tui`: commands that start something and stay with it."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import click
import msgspec

from tocsin.config import (
    Context,
    Places,
    find_context,
    find_places,
    read_context,
    read_settings,
    write_context,
)
from tocsin.coordinator.backup import STAGED
from tocsin.coordinator.config import CoordinatorConfig
from tocsin.credentials import COORDINATOR_KEY, credential
from tocsin.errors import ConfigError

from .asking import chosen_context

_PORT = click.IntRange(min=0, max=65_535)


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings; else coordinator.toml of the configuration directory, if there is one.",
)
@click.option("--bind", metavar="ADDRESS", help="Listen on this address only.")
@click.option("--port", type=_PORT, help="Where agents and clients connect.")
@click.option("--enrol-port", type=_PORT, help="Where hosts ask to be let in.")
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="DIR", help="Where the databases are."
)
def coordinator(
    *,
    config_file: Path | None,
    bind: str | None,
    port: int | None,
    enrol_port: int | None,
    data: Path | None,
) -> int:
    """Run a coordinator until it is asked to end.

    Its own administrator's context is admin.toml beside its databases; where this user knows no
    coordinator yet, it becomes the one that commands talk to.
    """
    from tocsin.coordinator.starting import run_coordinator

    places = find_places(os.environ, daemon=True)
    given: dict[str, object] = {
        "bind": bind, "port": port, "enrol_port": enrol_port, "data_dir": data
    }  # fmt: skip
    given = {key: value for key, value in given.items() if value is not None}

    data_dir = coordinator_config(places, config_file, given).data_dir
    if (data_dir / STAGED).exists():
        from tocsin.coordinator.backup.restoring import complete

        complete(data_dir)

    def read() -> CoordinatorConfig:
        return _with_admin(coordinator_config(places, config_file, given), places)

    return run_coordinator(read(), read)


def coordinator_config(
    places: Places, config_file: Path | None, given: dict[str, object]
) -> CoordinatorConfig:
    """The coordinator's settings: options first, then a file, then the usual places.

    Raises:
        ConfigError: the file is missing or wrong.
    """
    usual = places.config_dir / "coordinator.toml"
    path = config_file or (usual if usual.exists() else None)
    key_file = credential(COORDINATOR_KEY, os.environ) or Path("coordinator.key")
    blank = {"data_dir": places.data_dir / "coordinator", "key_file": key_file}
    if path is None:
        config = CoordinatorConfig(**{**blank, **given})  # type: ignore[arg-type] # checked by click
    else:
        config = read_settings(path, CoordinatorConfig, given, blank)
    # A relative key file is beside the databases, wherever those are.
    return msgspec.structs.replace(config, key_file=config.data_dir / config.key_file)


def _with_admin(config: CoordinatorConfig, places: Places) -> CoordinatorConfig:
    """Let the administrator in whose key is in the data directory."""
    from tocsin.keys import load_or_make_keypair
    from tocsin.link import new_keypair

    admin = load_or_make_keypair(config.data_dir / "admin.key", new_keypair)
    if config.port:
        host = "127.0.0.1" if config.bind in {"0.0.0.0", "::"} else config.bind  # noqa: S104 - compared, not bound
        context = Context(
            name="local",
            endpoint=f"tcp://{host}:{config.port}",
            server_key=load_or_make_keypair(config.key_file, new_keypair).public,
            key_file=config.data_dir.absolute() / "admin.key",
        )
        write_context(config.data_dir / "admin.toml", context)
        if _is_ours(places.context_file, context):
            with contextlib.suppress(ConfigError):  # a unit may not write there
                write_context(places.context_file, context)
    return msgspec.structs.replace(config, admin_keys=[*config.admin_keys, admin.public])


def _is_ours(path: Path, context: Context) -> bool:
    """Whether the context that commands use is free, or names this coordinator already."""
    if not path.exists():
        return True
    try:
        return read_context(path).server_key == context.server_key
    except ConfigError:
        return False  # somebody's own file: it is theirs to correct


@click.command()
@click.option("--theme", metavar="NAME", help="Its colours: dark, light, high-contrast, ….")
@click.option("--ascii/--no-ascii", default=None, help="Draw nothing but ASCII.")
@click.option("--mouse/--no-mouse", default=None, help="Take the mouse from the terminal.")
@click.option("--zone", metavar="NAME", help="Where times are told: local, utc, Europe/Berlin, ….")
@click.option("--read-only", is_flag=True, default=None, help="Leave out all that changes things.")
def tui(**given: object) -> int:
    """Open the terminal interface.

    What is not given here is in tui.toml of the configuration directory.
    """
    return _open(chosen_context(), {key: it for key, it in given.items() if it is not None})


def open_tui(named: str | None) -> int:
    """Open the terminal interface of the context of this name or file, or of the one known here.

    Raises:
        ConfigError: there is none.
    """
    return _open(find_context(named, os.environ, find_places(os.environ)))


def _open(context: Context, given: Mapping[str, object] = MappingProxyType({})) -> int:
    gc.disable()  # nothing that is made until the first screen is garbage; the app enables it
    from tocsin.tui.running import run_tui  # the only command that draws

    return run_tui(context, given)
