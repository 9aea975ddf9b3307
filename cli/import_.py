"""`tocsin import`: jobs of cron, Dkron, systemd timers and Cronicle as a job file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from tocsin.errors import ConfigError
from tocsin.importing import (
    Imported,
    Options,
    Source,
    doubt_line,
    import_shape,
    settle,
    to_yaml,
)

from .import_sources import read_folder, read_source, this_zone, unit_sources

_Command = TypeVar("_Command", bound=Callable[..., Any])
_ONLY_OWNER: Final = 0o600
"""What a crontab hides from others must not show in the file that is made of it."""
_FILES: Final = click.argument("files", nargs=-1, required=True, metavar="FILE…")


@click.group("import")
def import_() -> None:
    """Make a job file of what another scheduler runs, and say every doubt about it.

    The job file goes to stdout or --to FILE, the doubts to stderr. Nothing is applied: look at
    both, then use tocsin plan and tocsin apply.
    """


def _options(command: _Command) -> _Command:
    """The options that all formats take."""
    for option in reversed(
        (
            click.option("--to", metavar="FILE", help="Write the job file there, not to stdout."),
            click.option("--force", is_flag=True, help="Let --to replace a file."),
            click.option(
                "--tz", metavar="ZONE", help="The zone of that scheduler; else this machine's."
            ),
            click.option(
                "--host", default="", metavar="NAME", help="Only this agent runs the jobs."
            ),
            click.option(
                "--prefix", metavar="TEXT", help="Goes before each name; with --host else NAME/."
            ),
            click.option(
                "-o",
                "--output",
                "as_json",
                type=click.Choice(["yaml", "json"]),
                default="yaml",
                show_default=True,
                callback=lambda _ctx, _param, value: value == "json",
                help="What to print.",
            ),
        )
    ):
        command = option(command)
    return command


@import_.command()
@_FILES
@click.option(
    "--system/--no-system",
    default=None,
    help="Whether entries name a user before the command; else it is guessed.",
)
@_options
def crontab(*, files: tuple[str, ...], system: bool | None, **rest: Any) -> None:  # noqa: ANN401 - the options of all formats
    """Import crontabs: of users (crontab -l), /etc/crontab, and files or all of /etc/cron.d."""
    from tocsin.importing.crontab import CrontabOptions, import_crontabs

    def take(options: Options) -> Imported:
        sources, passed_over = read_folder(files)
        return import_crontabs(sources, options, CrontabOptions(system, tuple(passed_over)))

    _import("crontab", take, files, **rest)


@import_.command()
@_FILES
@_options
def dkron(*, files: tuple[str, ...], **rest: Any) -> None:  # noqa: ANN401 - the options of all formats
    """Import jobs of Dkron: the JSON of GET /v1/jobs, or of one job."""
    from tocsin.importing.dkron import import_dkron

    _import("Dkron", lambda options: import_dkron(_sources(files), options), files, **rest)


@import_.command()
@_FILES
@_options
def systemd(*, files: tuple[str, ...], **rest: Any) -> None:  # noqa: ANN401 - the options of all formats
    """Import timers of systemd with their services: unit files, or directories of them.

    The service and the drop-ins beside a timer are found by themselves.
    """
    from tocsin.importing.systemd import import_units

    _import("systemd", lambda options: import_units(unit_sources(files), options), files, **rest)


@import_.command()
@_FILES
@_options
def cronicle(*, files: tuple[str, ...], **rest: Any) -> None:  # noqa: ANN401 - the options of all formats
    """Import events of Cronicle: control.sh export, or the JSON of get_schedule or get_event."""
    from tocsin.importing.cronicle import import_cronicle

    _import("Cronicle", lambda options: import_cronicle(_sources(files), options), files, **rest)


def _sources(files: tuple[str, ...]) -> list[Source]:
    return [read_source(name) for name in files]


def _import(  # noqa: PLR0913 - one for each option
    what: str,
    take: Callable[[Options], Imported],
    files: tuple[str, ...],
    *,
    to: str | None,
    force: bool,
    tz: str | None,
    host: str,
    prefix: str | None,
    as_json: bool,
) -> None:
    from tocsin.jobfile import InstalledExecutors

    if to is not None and not force and Path(to).exists():
        raise ConfigError(f"{to} is there already", "--force replaces it")
    zone, zone_from = (tz, "") if tz else this_zone()
    if prefix is None:
        prefix = f"{host}/" if host else ""
    options = Options(timezone=zone, timezone_from=zone_from, host=host, prefix=prefix)
    imported = settle(take(options), InstalledExecutors())
    text = to_yaml(imported, f"Imported from {what}: {', '.join(files)}")
    if to is not None:
        _write(Path(to), text)
    if as_json:
        from .shapes import print_json

        print_json(import_shape(imported))
        return
    if to is None:
        click.echo(text, nl=False)
    for doubt in imported.doubts:
        click.echo(doubt_line(doubt), err=True)
    click.echo(_summary(imported, to), err=True)


def _write(path: Path, text: str) -> None:
    """All of the text or nothing of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.touch(_ONLY_OWNER)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigError(f"{path}: {(error.strerror or str(error)).lower()}") from error


def _summary(imported: Imported, to: str | None) -> str:
    held = sum(bool(draft.held) for draft in imported.drafts)
    weights = Counter(str(doubt.weight) for doubt in imported.doubts)
    counts = ", ".join(f"{weights[weight]} {weight}" for weight in ("lost", "check", "note"))
    able = len(imported.drafts) - held
    said = f"tocsin: {able} job{'s' * (able != 1)}; {held} as comments; doubts: {counts}"
    return f"{said}\n  next: tocsin plan {to}" if to else said
