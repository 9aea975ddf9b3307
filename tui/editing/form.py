"""The form as a value: the draft, which field has the focus, and what a key makes of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from . import codecs
from .draft import Draft, codec_of, field_changed, text_of, typed
from .fields import EXECUTOR_PATH, NAME, Field
from .writing import Written, insert, press

PAGE: Final = 6
"""So many fields further with page down."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What is written so far."""

    draft: Draft
    at: str = NAME.id
    """The id of the field with the focus."""
    caret: int = 0
    opened: bool = False
    """Whether all fields are shown, empty ones too."""
    seen: frozenset[str] = frozenset()
    """The fields that the focus has left: their faults are told."""
    asked: bool = False
    """Whether saving was tried: all faults are told."""

    def tells(self, field_id: str) -> bool:
        """Whether the faults of a field are told already."""
        return self.asked or not self.draft.is_new or field_id in self.seen


def shown(form: Form, fields: Iterable[Field], faulty: Iterable[str] = ()) -> list[Field]:
    """The fields that are on the form."""
    wrong = {field_id for field_id in faulty if form.tells(field_id)}
    return [
        field
        for field in fields
        if form.opened
        or field.often
        or field.id == form.at
        or field.id in wrong
        or text_of(form.draft, field)
        or field_changed(form.draft, field)
    ]


def may_change(form: Form, field: Field) -> bool:
    """Whether a field can be written in: the name of a job that is there stays."""
    return field.path != NAME.path or form.draft.is_new


def is_many(form: Form, field: Field) -> bool:
    """Whether a field takes several lines."""
    return not field.choices and codec_of(form.draft, field).many


def focused(form: Form, fields: Sequence[Field]) -> Field:
    """The field with the focus; the first where that is gone."""
    return next((field for field in fields if field.id == form.at), fields[0])


def go(form: Form, field: Field) -> Form:
    """Put the focus on a field, behind what stands there."""
    return msgspec.structs.replace(
        form,
        at=field.id,
        caret=len(text_of(form.draft, field)),
        seen=form.seen | {form.at} if field.id != form.at else form.seen,
    )


def step(form: Form, fields: Sequence[Field], count: int) -> Form:
    """Go so many fields further or back, not beyond the ends."""
    on = shown(form, fields)
    here = next((i for i, field in enumerate(on) if field.id == form.at), 0)
    return go(form, on[min(max(here + count, 0), len(on) - 1)])


def write(form: Form, fields: Sequence[Field], text: str) -> Form:
    """Type or paste a text; terminals paste the ends of lines as CR."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    field = focused(form, fields)
    if not may_change(form, field):
        return form
    if field.choices:
        return _chosen_by_letter(form, field, text)
    if not is_many(form, field):
        text = " ".join(text.splitlines())
    return _put(form, field, insert(_written(form, field), text))


def key(form: Form, fields: Sequence[Field], name: str) -> Form | None:
    """What a key that is no character does; None when it means nothing to the form."""
    match name:
        case "tab":
            return step(form, fields, 1)
        case "shift+tab":
            return step(form, fields, -1)
        case "pagedown":
            return step(form, fields, PAGE)
        case "pageup":
            return step(form, fields, -PAGE)
    field = focused(form, fields)
    if field.choices:
        return _key_of_choice(form, fields, field, name)
    if name == "enter":
        if is_many(form, field) and may_change(form, field):
            return _put(form, field, insert(_written(form, field), "\n"))
        return step(form, fields, 1)
    it = _written(form, field)
    done = press(it, name)
    if done is None:
        return step(form, fields, {"up": -1, "down": 1}[name]) if name in {"up", "down"} else None
    if done.text != it.text and not may_change(form, field):
        return form
    return _put(form, field, done)


def line_begun(form: Form, field: Field) -> str:
    """What stands in the line with the caret, up to it."""
    it = _written(form, field)
    return it.text[it.line_start : it.caret]


def at_line_end(form: Form, field: Field) -> bool:
    """Whether nothing stands behind the caret in its line."""
    it = _written(form, field)
    return it.caret == it.line_end


def complete(form: Form, field: Field, text: str) -> Form:
    """Put a text in the place of what the line with the caret begins with."""
    it = _written(form, field)
    before, behind = it.text[: it.line_start], it.text[it.caret :]
    return _put(form, field, Written(before + text + behind, len(before) + len(text)))


def _key_of_choice(form: Form, fields: Sequence[Field], field: Field, name: str) -> Form | None:
    match name:
        case "up":
            return step(form, fields, -1)
        case "down" | "enter":
            return step(form, fields, 1)
        case "right":
            return _chosen(form, field, 1)
        case "left":
            return _chosen(form, field, -1)
        case "backspace" | "delete" | "ctrl+u" if not field.needed:
            return _put(form, field, Written("", 0))
    return None


def _chosen(form: Form, field: Field, count: int) -> Form:
    """The next or the one before; an empty field begins with what holds without it."""
    text = text_of(form.draft, field) or field.otherwise
    values = field.choices
    where = values.index(text) + count if text in values else (0 if count > 0 else -1)
    return _put(form, field, Written(values[where % len(values)], 0))


def _chosen_by_letter(form: Form, field: Field, text: str) -> Form:
    if text == " ":
        return _chosen(form, field, 1)
    here = text_of(form.draft, field)
    fitting = [value for value in field.choices if value.startswith(text)]
    if not fitting:
        return form
    where = fitting.index(here) + 1 if here in fitting else 0
    return _put(form, field, Written(fitting[where % len(fitting)], 0))


def _written(form: Form, field: Field) -> Written:
    text = text_of(form.draft, field)
    return Written(text, min(form.caret, len(text)))


def _put(form: Form, field: Field, it: Written) -> Form:
    draft = typed(form.draft, field, it.text)
    return msgspec.structs.replace(form, draft=draft, caret=it.caret, at=field.id)


def advice(form: Form, field: Field) -> str:
    """How the field with the focus is written, for the line below the form."""
    if not may_change(form, field):
        return "the name stays: c on the list of jobs clones it under another one"
    if field.choices:
        return f"space, left, right: {', '.join(field.choices)}"
    codec = codec_of(form.draft, field)
    own = "" if codec is codecs.YAML and field.codec is not codecs.YAML else field.example()
    parts = [own or codec.example, "enter: new line" if codec.many else ""]
    if field.path == EXECUTOR_PATH:
        return ""
    return "; ".join(part for part in parts if part)
