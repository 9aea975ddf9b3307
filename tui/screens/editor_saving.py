"""Saving from the editor: the question, the request, and what becomes of a conflict."""

from __future__ import annotations

import msgspec

from tocsin.errors import LinkError, RequestError
from tocsin.jobfile import job_to_file
from tocsin.messages.client_answers import JobsPut, JobVersions
from tocsin.messages.client_link import Ask, GetJobVersions, PutJobs, RemoveJobs
from tocsin.model import Job, JobRow, JobVersion
from tocsin.tui.actions.action import forbidden
from tocsin.tui.editing.saving import conflict, question, refused_at
from tocsin.tui.editing.side import change_lines, changes
from tocsin.tui.words import ago, until

from .choose import ChooseScreen
from .confirm import ConfirmScreen
from .editor_frame import EditorFrame


def save(screen: EditorFrame) -> None:
    """Ask whether what is written is to be saved, and save it."""
    screen.judge()
    desk = screen.desk
    desk.ask()
    job, effect = desk.checked.job, desk.effect
    if job is None or effect is None:
        screen.draw()
        screen.say(f"not saved: {desk.verdict().text}", failed=True)
        return
    if not desk.draft.is_new and not desk.changed:
        screen.say("nothing was changed")
        return
    scene = screen.stage.scene()
    at = screen.situation(scene)
    action = screen.stage.actions.by_id("save")
    assert action is not None, "it is in the table"
    blocked = forbidden(action, at) or at.offline
    if blocked:
        screen.keep()
        screen.say(f"not saved: {blocked}; what you wrote is kept on this host", failed=True)
        return
    text = question(desk.draft, job, desk.changed, effect)
    asking = msgspec.structs.replace(action, question=lambda _: text)

    def answer(sure: bool | None) -> None:  # noqa: FBT001 - the answer itself
        if sure:
            screen.run_worker(_put(screen, job), group="save")

    screen.app.push_screen(ConfirmScreen(asking, at, scene.name if scene.careful else ""), answer)


async def _put(screen: EditorFrame, job: Job) -> None:
    draft = screen.desk.draft
    stage = screen.stage
    old = stage.scene().view.jobs.get(job.name)
    try:
        answer = await stage.session.ask(PutJobs([job], {job.name: draft.version}))
    except LinkError as error:
        hint = f" ({error.hint})" if error.hint else ""
        screen.say(f"✗ not known whether it is saved: {error.message}{hint}", failed=True)
        return
    except RequestError as error:
        await _refused(screen, job, error)
        return
    version = answer.changes[0].version if isinstance(answer, JobsPut) else draft.version + 1
    screen.drafts.forget(screen.key)
    back: Ask = RemoveJobs([job.name])
    if old is not None and old.version == draft.version:
        back = PutJobs([old.job], {job.name: version})
    stage.remember(f"{'new job' if draft.is_new else 'edit'} {job.name}", back)
    screen.end(f"✓ saved {job.name}, version {version}{_next(screen)}  U undoes it", about=job.name)


def _next(screen: EditorFrame) -> str:
    effect, now_us = screen.desk.effect, screen.stage.scene().now_us
    if effect is None or not effect.forecast.fires:
        return ""
    return f": next {until(effect.forecast.fires[0].at_us, now_us)}"


async def _refused(screen: EditorFrame, job: Job, error: RequestError) -> None:
    """It was declined: because somebody else was there before, or for what is written."""
    draft = screen.desk.draft
    try:
        answer = await screen.stage.session.ask(GetJobVersions(job.name, limit=1))
    except (LinkError, RequestError):
        answer = None
    rows = answer.rows if isinstance(answer, JobVersions) else []
    now = rows[0] if rows else None
    there = now is not None and now.job is not None
    if not draft.is_new and (now is None or now.version != draft.version):
        _offer_theirs(screen, job, now)
        return
    if draft.is_new and there:
        screen.desk.refuse("name", "a job of this name is there already")
    else:
        field_id, said = refused_at(error.message, job.name, screen.desk.fields)
        screen.desk.refuse(field_id, f"{said} ({error.hint})" if error.hint else said)
    screen.draw()
    screen.say(f"✗ not saved: {error.message}", failed=True)


def _offer_theirs(screen: EditorFrame, job: Job, theirs: JobVersion | None) -> None:
    """Let the user see what somebody else did, and put the own change onto it."""
    desk = screen.desk
    when = ago(theirs.changed_us, screen.stage.scene().now_us) if theirs is not None else ""
    gone = theirs is None or theirs.job is None
    lines = [conflict(desk.draft, theirs, when), ""]
    if theirs is not None and theirs.job is not None:
        lines += change_lines(changes(desk.draft.loaded, job_to_file(theirs.job)))
    lines += ["", "Nothing was saved, and nothing that you wrote is lost."]
    mine = "make it again, as you wrote it" if gone else "put your change onto theirs"

    def answer(key: str | None) -> None:
        if key != "m":
            return
        desk.rebase(job, _row(theirs))
        screen.judge()
        save(screen)

    screen.app.push_screen(
        ChooseScreen("\n".join(lines), [("m", mine)], "back to the form"), answer
    )


def _row(theirs: JobVersion | None) -> JobRow | None:
    if theirs is None or theirs.job is None:
        return None
    return JobRow(id=theirs.job_id, job=theirs.job, version=theirs.version)
