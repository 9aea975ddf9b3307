"""The job in the user's own editor, from the screen and back."""

from __future__ import annotations

import os

from textual.app import SuspendNotSupported

from tocsin.config import find_places
from tocsin.errors import ConfigError, JobFileError
from tocsin.jobfile import read_job_files
from tocsin.model import Job
from tocsin.tui.editing.job_text import faults_in_words, job_text, with_faults, wrong_jobs
from tocsin.tui.external_editor import EditedFile, editor_command, run_editor

from . import editor_saving
from .choose import ChooseScreen
from .editor_frame import EditorFrame

_FAULTS_SHOWN = 8


def edit(screen: EditorFrame) -> None:
    """Let the user's editor at the whole job; what it leaves is judged, shown and asked about."""
    screen.judge()
    desk = screen.desk
    unread = [field.label.strip() for field in desk.fields if field.id in desk.checked.unread]
    if unread:
        screen.say(f"first put right what cannot be read: {', '.join(unread)}", failed=True)
        return
    text = job_text(desk.draft.name, desk.checked.block)
    file = EditedFile(find_places(os.environ).data_dir / "drafts", desk.draft.name or "new")
    _round(screen, file, text, text)


def _round(screen: EditorFrame, file: EditedFile, first: str, text: str) -> None:
    """Once into the editor and back."""
    try:
        file.write(text)
        command = editor_command(os.environ)
        with screen.app.suspend():
            run_editor(command, file.path)
        after = file.read()
    except (ConfigError, SuspendNotSupported) as error:
        said = error.message if isinstance(error, ConfigError) else "there is no terminal for it"
        file.close()
        _back(screen, f"✗ {said}", failed=True)
        return
    if after in {first, text} and text == first:
        file.close()
        _back(screen, "nothing was changed")
        return
    job, faults = _read(file, screen)
    if job is None:
        _offer_again(screen, file, (first, after), faults)
        return
    file.close()
    screen.desk.rewrite(job)
    screen.judge()
    editor_saving.save(screen)


def _read(file: EditedFile, screen: EditorFrame) -> tuple[Job | None, list[str]]:
    """The job that the editor left, or what is wrong with it."""
    desk = screen.desk
    try:
        found = read_job_files([file.path], desk.executors)
    except JobFileError as error:
        return None, error.faults
    name = "" if desk.draft.is_new else desk.draft.name
    wrong = wrong_jobs(found.jobs, len(found.calendars) + len(found.pools), name)
    return (None, [wrong]) if wrong else (found.jobs[0], [])


def _offer_again(
    screen: EditorFrame, file: EditedFile, texts: tuple[str, str], faults: list[str]
) -> None:
    """Say what is wrong, and let the user put it right."""
    first, after = texts
    path = str(file.path)
    said = faults_in_words(faults, path)
    more = [f"… and {len(said) - _FAULTS_SHOWN} more"] if len(said) > _FAULTS_SHOWN else []
    lines = ["This is no job yet:", "", *(f"✗ {one}" for one in said[:_FAULTS_SHOWN]), *more]

    def answer(key: str | None) -> None:
        if key == "e":
            _round(screen, file, first, with_faults(after, faults, path))
        else:
            _back(screen, f"nothing was saved; the text is in {path}")

    choices = [("e", "back into the editor")]
    screen.app.push_screen(ChooseScreen("\n".join(lines), choices, "leave it"), answer)


def _back(screen: EditorFrame, said: str, *, failed: bool = False) -> None:
    """To the form, or to the screen below where only the editor was wanted."""
    if screen.in_editor and not screen.desk.is_changed:
        screen.end(said, failed=failed)
    else:
        screen.say(said, failed=failed)
