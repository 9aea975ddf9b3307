"""`tocsin restore`: a coordinator begins where a backup ends, and the one before it is over."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tocsin.instants import SECOND_US, to_rfc3339
from tocsin.units import format_duration

from .coordinator_here import Here, find_coordinator, place_options
from .failing import OK
from .options import output_option
from .shapes import print_json
from .tables import local_time

if TYPE_CHECKING:
    from tocsin.coordinator.backup.restoring import Done


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--replace", is_flag=True, help="Put the coordinator that is there aside.")
@click.option(
    "--missed",
    type=click.Choice(["skip", "run"]),
    default="skip",
    show_default=True,
    help="Due times since the backup may have run: skip them, or leave them to each job's policy.",
)
@click.option(
    "--epoch",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="Begin with this epoch, where the clock of this host cannot be trusted.",
)
@place_options
@output_option
def restore(  # noqa: PLR0913 - one for each option
    *,
    file: str,
    replace: bool,
    missed: str,
    epoch: int | None,
    config_file: Path | None,
    data: Path | None,
    as_json: bool,
) -> int:
    """Let the coordinator of this host begin where a backup ends. It must be stopped.

    With - as FILE the backup comes from standard input. Everything is checked before anything is
    changed. Agents that have heard of the new coordinator do not obey the old one any more.
    """
    from tocsin.coordinator.backup.archive import opened
    from tocsin.coordinator.backup.restoring import Wish
    from tocsin.coordinator.backup.restoring import restore as put_back

    here = find_coordinator(config_file, data)
    name = "standard input" if file == "-" else file
    wish = Wish(by=_user(), file=name, replace=replace, run_missed=missed == "run", epoch=epoch)
    with opened(file) as source:
        done = put_back(here.config, source, wish, here.owner)
    _print(done, here, as_json=as_json)
    return OK


def _user() -> str:
    """Who asks, also through sudo."""
    try:
        return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _print(done: Done, here: Here, *, as_json: bool) -> None:
    if as_json:
        print_json(_shape(done, here))
        return
    for line in _lines(done):
        click.echo(line)
    if done.key_missing:
        click.echo(
            f"the coordinator's key is not in it: put it at {here.config.key_file} before the "
            "start, the agents know no other",
            err=True,
        )
    click.echo(f"next: {here.start}")


def _lines(done: Done) -> Iterator[str]:
    made, said = done.manifest, done.restore
    yield f"{done.data_dir} is what it was on {made.host} at {local_time(made.made_us)}"
    if done.aside is not None:
        yield f"what was there is in {done.aside}"
    if not made.handed_over:
        gap = format_duration(max(said.restored_us - made.made_us, 0) / SECOND_US)
        due = "are left to policies" if said.run_missed else "are skipped: they may have run"
        yield f"what was done in the {gap} since then is not known, so at its start:"
        count = made.holds.runs_under_way
        yield f"  runs that were not over ({count}) are lost, but for those that agents still have"
        yield f"  due times since then {due}"
    yield f"epoch {done.epoch}: agents that hear of it obey no earlier coordinator"


def _shape(done: Done, here: Here) -> dict[str, Any]:
    return {
        "action": "restored",
        "file": done.restore.file,
        "made": to_rfc3339(done.manifest.made_us),
        "restored": to_rfc3339(done.restore.restored_us),
        "handed_over": done.manifest.handed_over,
        "epoch": done.epoch,
        "data": str(done.data_dir),
        "replaced": None if done.aside is None else str(done.aside),
        "key_missing": done.key_missing,
        "start": here.start,
    }
