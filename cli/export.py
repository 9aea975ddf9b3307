"""`tocsin export`: what the coordinator has, as a job file."""

from __future__ import annotations

import click

from tocsin.jobfile import dump_yaml, set_to_file
from tocsin.messages.client_answers import Shared
from tocsin.messages.client_link import GetShared

from .asking import known_jobs, open_session
from .plan import uses
from .shapes import print_json


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="Which kind of job file to print.",
)
def export(*, names: tuple[str, ...], output: str) -> None:
    """Print jobs, calendars and pools as a job file: all, or these jobs and what they use.

    Applying it changes nothing.
    """
    with open_session() as session:
        if names:
            rows = list(known_jobs(session, dict.fromkeys(names)).values())
        else:
            rows = list(session.jobs())
        shared = session.answer(Shared, GetShared())
    jobs = sorted((row.job for row in rows), key=lambda job: job.name)

    def is_wanted(kind: str, name: str) -> bool:
        return not names or any(uses(job, kind, name) for job in jobs)

    document = set_to_file(
        jobs,
        [each for each in shared.calendars if is_wanted("calendar", each.name)],
        [each for each in shared.pools if is_wanted("pool", each.name)],
    )
    if output == "json":
        print_json(document)
    else:
        click.echo(dump_yaml(document), nl=False)
