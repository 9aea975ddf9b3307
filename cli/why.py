"""`tocsin why`: why a job did, or did not, run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import click

from tocsin import clock
from tocsin.errors import RequestError
from tocsin.instants import SECOND_US, to_datetime
from tocsin.messages.client_answers import Step, StepVerdict, Story
from tocsin.messages.client_link import Explain
from tocsin.moments import is_absolute, parse_moment
from tocsin.nearest import did_you_mean

from .asking import open_session, some_jobs
from .options import output_option
from .shapes import print_json, story_shape
from .tables import cell

if TYPE_CHECKING:
    from tocsin.session import Session

_MARKS: Final = {StepVerdict.YES: "✓", StepVerdict.NO: "✗", StepVerdict.INFO: "·"}
_PLAIN_MARKS: Final = {StepVerdict.YES: "+", StepVerdict.NO: "!", StepVerdict.INFO: "-"}


@click.command()
@click.argument("job")
@click.option(
    "--at",
    "at_text",
    metavar="TIME",
    help="The due time, or a time near it: 02:30, yesterday 02:30, 2026-11-01 02:30 (on the "
    "job's clock), or RFC 3339. Else the last due time.",
)
@click.option("--run", "run_id", metavar="ID", help="This run, in place of a due time.")
@output_option
def why(*, job: str, at_text: str | None, run_id: str | None, as_json: bool) -> None:
    """Tell why JOB did, or did not, run.

    Goes through everything that was decided of one due time: whether the job existed and in which
    version, its schedule, pauses, absences of the coordinator, earlier runs, hosts, attempts.
    """
    if at_text is not None and run_id is not None:
        raise click.UsageError("--at and --run exclude each other")
    with open_session() as session:
        try:
            at_us = None if at_text is None else _instant(session, job, at_text)
            story = session.answer(Story, Explain(job, at_us, (run_id or "").upper()))
        except RequestError as error:
            raise _with_nearest(session, job, error) from error
    if as_json:
        print_json(story_shape(story))
        return
    click.echo("\n".join(_lines(story)))


def _instant(session: Session, job: str, text: str) -> int:
    """What `--at` means on the clock of the job, also of one that is removed."""
    now_us = clock.now_us()
    if is_absolute(text):
        return parse_moment(text, ZoneInfo("UTC"), now_us)
    timezone = session.answer(Story, Explain(job)).timezone
    return parse_moment(text, ZoneInfo(timezone), now_us)


def _with_nearest(session: Session, job: str, error: RequestError) -> RequestError:
    """As the coordinator said it; of a job that there never was, with the nearest name."""
    if some_jobs(session, [job]) or not error.message.startswith("there is no job"):
        return error
    names = [row.job.name for row in session.jobs()]
    return RequestError(error.message, did_you_mean(job, names) or error.hint)


def _lines(story: Story) -> list[str]:
    marks = _MARKS if (sys.stdout.encoding or "").lower().startswith("utf") else _PLAIN_MARKS
    head = cell(story.job)
    if story.at_us is not None:
        local = to_datetime(story.at_us).astimezone(ZoneInfo(story.timezone))
        seconds = ":%S" if story.at_us // SECOND_US % 60 else ""
        head += f", due {local.strftime(f'%a %Y-%m-%d %H:%M{seconds} %Z')}"
    elif story.runs:
        head += f", run {story.runs[0].id}"
    lines = [head, cell(story.verdict), ""]
    width = max((len(step.kind) for step in story.steps), default=0)
    kind: Any = None
    for step in story.steps:
        name = "" if step.kind is kind else step.kind
        lines.append(_line(step, name, marks, width))
        kind = step.kind
    return lines


def _line(step: Step, name: str, marks: dict[StepVerdict, str], width: int) -> str:
    return f"  {marks[step.verdict]} {name:{width}}  {cell(step.text)}"
