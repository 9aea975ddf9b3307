"""`tocsin backup`: a copy of all that the coordinator keeps, taken while it works."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin.errors import ConfigError, TocsinError
from tocsin.instants import to_rfc3339
from tocsin.units import format_size

from .coordinator_here import Here, find_coordinator, place_options
from .failing import OK
from .options import output_option
from .shapes import print_json
from .tables import local_time

if TYPE_CHECKING:
    from tocsin.coordinator.backup.manifest import Manifest

PIPE = "-"


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--check", is_flag=True, help="Check a backup, and say what is in it.")
@click.option(
    "--handover",
    is_flag=True,
    help="For another host: of a stopped coordinator, which does not start here any more.",
)
@place_options
@output_option
def backup(
    *,
    file: str,
    check: bool,
    handover: bool,
    config_file: Path | None,
    data: Path | None,
    as_json: bool,
) -> int:
    """Put all that the coordinator of this host keeps into FILE, while it works.

    With - as FILE it goes to standard output. A backup holds the coordinator's secret key: keep it
    as you keep a key. `tocsin restore` puts it back.
    """
    if check and handover:
        raise click.UsageError("--check and --handover do not go together")
    if check:
        _check(file, as_json=as_json)
        return OK
    here = find_coordinator(config_file, data)
    if file == PIPE:
        _stream(here, handover=handover, as_json=as_json)
        return OK
    from tocsin.coordinator.backup.taking import hand_over, take

    path = Path(file)
    made = hand_over(here.config, path) if handover else take(here.config, path)
    size = path.stat().st_size
    if as_json:
        action = "handed over" if handover else "backed up"
        print_json({"action": action, "file": file, "bytes": size, **_shape(made)})
        return OK
    click.echo(f"{file}: {format_size(size)}, {_held(made)}")
    _warn(made, here)
    if handover:
        click.echo(
            f"no coordinator starts in {here.config.data_dir} any more"
            + (f"; so that none tries to: {here.stop}" if here.stop else "")
            + f"\non the other host: tocsin restore {path.name}\n"
            f"undo, as long as it was not restored elsewhere: tocsin restore {file}"
        )
    else:
        click.echo("it holds the coordinator's secret key: keep it as you keep a key")
    return OK


def _stream(here: Here, *, handover: bool, as_json: bool) -> None:
    if handover:
        raise ConfigError("a handover needs a file: a pipe may lose it", "name a file")
    if as_json:
        raise ConfigError("standard output is the backup", "leave out -o json")
    if sys.stdout.isatty():
        raise ConfigError("a backup is not for a terminal", "name a file, or send it to a pipe")
    from tocsin.coordinator.backup.taking import stream

    try:
        made = stream(here.config, sys.stdout.buffer)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise TocsinError(f"cannot write the backup: {error.strerror}") from error
    _warn(made, here)


def _warn(made: Manifest, here: Here) -> None:
    if "coordinator.key" not in {member.name for member in made.members}:
        click.echo(
            f"the coordinator's key is not in it: there is none at {here.config.key_file}; keep "
            "that yourself, the agents know no other",
            err=True,
        )


def _check(file: str, *, as_json: bool) -> None:
    from tocsin.coordinator.backup import archive
    from tocsin.coordinator.backup.restoring import check

    with tempfile.TemporaryDirectory(prefix="tocsin-check-") as folder:
        try:
            with archive.opened(file) as source:
                made = archive.unpack(source, file, Path(folder))
        except OSError as error:
            raise TocsinError(
                f"{file}: cannot unpack it below {folder}: {error.strerror}",
                "TMPDIR says where there is room for the databases",
            ) from error
        check(Path(folder), file, thorough=True)
    if as_json:
        print_json({"file": file, "sound": True, **_shape(made)})
        return
    click.echo(f"{file} is sound: {_held(made)}")
    click.echo(f"made {local_time(made.made_us)} on {made.host} by tocsin {made.tocsin}")
    names = ", ".join(f"{it.name} {format_size(it.size)}" for it in made.members)
    click.echo(f"epoch {made.holds.epoch}; {names}")
    if made.handed_over:
        click.echo("its coordinator was stopped for it, and does not start there any more")


def _held(made: Manifest) -> str:
    it = made.holds
    counts = [(it.jobs, "job"), (it.runs, "run"), (it.agents, "agent")]
    words = [f"{count:,} {noun}{'s' * (count != 1)}" for count, noun in counts]
    words[1] += f" ({it.runs_under_way:,} not over)"
    return ", ".join(words)


def _shape(made: Manifest) -> dict[str, Any]:
    return {
        "id": made.id,
        "made": to_rfc3339(made.made_us),
        "host": made.host,
        "version": made.tocsin,
        "schemas": made.schemas,
        "handed_over": made.handed_over,
        "epoch": made.holds.epoch,
        "jobs": made.holds.jobs,
        "runs": made.holds.runs,
        "runs_under_way": made.holds.runs_under_way,
        "agents": made.holds.agents,
        "members": [{"name": it.name, "bytes": it.size} for it in made.members],
    }
