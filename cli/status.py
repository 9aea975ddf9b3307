"""`tocsin status`: how the coordinator is."""

from __future__ import annotations

import click

from tocsin.incidents import in_words
from tocsin.messages.client_answers import Status
from tocsin.messages.client_link import GetStatus
from tocsin.model import Pause
from tocsin.pausing import scope_text

from .asking import open_session
from .options import output_option
from .shapes import print_json, status_shape
from .tables import distance, local_time, pairs, span


@click.command()
@output_option
def status(*, as_json: bool) -> None:
    """Show how the coordinator is."""
    with open_session() as session:
        told = session.answer(Status, GetStatus())
        context = session.context
    if as_json:
        print_json({**status_shape(told), "endpoint": context.endpoint})
        return
    due = "none"
    if told.next_due_us is not None:
        due = f"{local_time(told.next_due_us)}, {distance(told.next_due_us, told.now_us)}"
    click.echo(
        pairs(
            [
                ("coordinator", f"{context.name} at {context.endpoint}"),
                ("version", f"{told.version} (pid {told.pid}, epoch {told.epoch})"),
                ("you are", f"{told.you or '-'}, {told.role or 'of a role not told'}"),
                ("up for", span(told.started_us, told.now_us)),
                ("store", told.store),
                ("jobs", told.jobs if told.jobs >= 0 else None),
                ("runs", f"{told.runs_active} active, {told.runs_queued} of them queued"),
                ("agents", f"{told.agents_up} of {told.agents} up"),
                ("next due", due),
                ("dropped", told.dropped),
                ("paused", [_paused(pause) for pause in told.pauses]),
                *(("incident", in_words(incident)) for incident in told.incidents),
            ]
        )
    )


def _paused(pause: Pause) -> str:
    until = "" if pause.until_us is None else f" until {local_time(pause.until_us)}"
    return f"{scope_text(pause)} paused{until} ({pause.reason})"
