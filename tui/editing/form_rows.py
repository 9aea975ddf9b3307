"""The form as lines of text: fields with their values, faults below them, and what follows."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from rich.cells import cell_len

from tocsin.tui.plain import fit, one_line, rule, wrap
from tocsin.tui.widgets.columns import Cell

from .draft import field_changed, text_of
from .executor_fields import hidden
from .fields import Field, Section
from .form import Form, shown
from .writing import Written

LABEL: Final = 15
_SAID_LINES: Final = 4
_LINES_SHOWN: Final = 4
"""Of a text that has not the focus."""


class Row(msgspec.Struct, frozen=True):
    """One line of the form."""

    cells: tuple[Cell, ...]
    field_id: str = ""
    caret: int | None = None
    """The column of the caret, where it is in this line."""


Notes = Mapping[str, Sequence[Cell]]
"""What there is to say below fields, by their ids."""


def form_rows(
    form: Form,
    fields: Sequence[Field],
    faults: Mapping[str, Sequence[str]],
    notes: Notes,
    width: int,
) -> list[Row]:
    """All lines of the form."""
    on = {field.id for field in shown(form, fields, faults)}
    rows: list[Row] = []
    for section in Section:
        of_section = [field for field in fields if field.section is section]
        if not of_section:
            continue
        rows.append(Row((Cell(rule(section.value, "", width), "strong"),)))
        for field in of_section:
            if field.id in on:
                rows += _field_rows(form, field, width)
                rows += _below(form, field, faults, notes, width)
        left_out = [field.label.strip() for field in of_section if field.id not in on]
        if left_out:
            said = f"{'':{LABEL}}+ {', '.join(left_out)}"
            rows.append(Row((Cell(fit(said, width), "quiet"),)))
    if form.asked:
        rows += [
            Row((Cell(line, "bad"),)) for said in faults.get("", ()) for line in _told(said, width)
        ]
    return rows


def told_lines(meaning: str, writing: str, width: int, count: int) -> list[Cell]:
    """What a field means and how it is written, in so many lines."""
    how = wrap(writing, width)[: count - 1] if writing else []
    what = wrap(meaning, width)
    room = count - len(how)
    if len(what) > room:
        what = [*what[: room - 1], fit(" ".join(what[room - 1 :]), width)]
    lines = [*(Cell(f" {line}") for line in what), *(Cell(f" {line}", "quiet") for line in how)]
    return [*lines, *[Cell("")] * (count - len(lines))]


def _below(
    form: Form, field: Field, faults: Mapping[str, Sequence[str]], notes: Notes, width: int
) -> list[Row]:
    rows = []
    if form.tells(field.id):
        for said in faults.get(field.id, ()):
            rows += [Row((Cell(line, "bad"),), field.id) for line in _told(said, width)]
    for note in notes.get(field.id, ()):
        rows += [Row((Cell(line, note.tone),), field.id) for line in _told(note.text, width, "")]
    return rows


def _told(said: str, width: int, head: str = "✗ ") -> list[str]:
    """What is said below a field, in as few lines as it takes, at most a handful."""
    room = max(width - LABEL, 10)
    lines = textwrap.wrap(
        one_line(said), room, initial_indent=head, subsequent_indent="  ", placeholder=" …",
        max_lines=_SAID_LINES,
    )  # fmt: skip
    return [fit(f"{'':{LABEL}}{line}", width) for line in lines]


def _field_rows(form: Form, field: Field, width: int) -> list[Row]:
    here = field.id == form.at
    text = text_of(form.draft, field)
    mark = "~" if field_changed(form.draft, field) else " "
    label = fit(f"{'>' if here else mark}{field.label}", LABEL)
    tone = "strong" if here else ""
    room = width - LABEL - 2
    if field.choices:
        return [_choice_row(form, field, label, tone, room)]
    lines = text.split("\n")
    caret = Written(text, min(form.caret, len(text))) if here else None
    rows = []
    for number, line in enumerate(lines):
        if not here and number == _LINES_SHOWN and len(lines) > _LINES_SHOWN + 1:
            more = f"{'':{LABEL}} … {len(lines) - number} more lines"
            rows.append(Row((Cell(fit(more, width), "quiet"),), field.id))
            break
        column = caret.column if caret is not None and caret.line == number else None
        head = label if number == 0 else " " * LABEL
        rows.append(_line_row(field, head, tone, (line, column, text), room))
    return rows


def _choice_row(form: Form, field: Field, label: str, tone: str, room: int) -> Row:
    text = text_of(form.draft, field)
    here = field.id == form.at
    value = Cell(f"< {text} >" if here else f"  {text}") if text else _otherwise(field)
    shown_value = Cell(fit(value.text, room + 2), "strong" if here and text else value.tone)
    return Row((Cell(label, tone), shown_value), field.id, LABEL + 2 if here else None)


def _line_row(
    field: Field, head: str, tone: str, line: tuple[str, int | None, str], room: int
) -> Row:
    text, column, whole = line
    safe = hidden(text) if field.secret else _cells_of(text)
    value = Cell(safe) if whole else _otherwise(field)
    caret = None
    if column is not None:
        begin = _scrolled(safe, column, room)
        value = Cell("…" + safe[begin + 1 :]) if begin else value
        caret = LABEL + 1 + cell_len(safe[begin:column])
    cells = (Cell(head, tone), Cell("["), Cell(fit(value.text, room), value.tone), Cell("]"))
    return Row(cells, field.id, caret)


def _scrolled(text: str, column: int, room: int) -> int:
    """The first character shown, so that the caret is in sight."""
    begin = 0
    while cell_len(text[begin:column]) >= room:
        begin += 1
    return begin


def _otherwise(field: Field) -> Cell:
    """What stands in an empty field: what holds then, or that it must be filled in."""
    if field.needed:
        return Cell("(needed)", "warn")
    return Cell(f"({field.otherwise})" if field.otherwise else "", "quiet")


def _cells_of(text: str) -> str:
    """A line of a value, a character for each of its characters."""
    return "".join(char if char.isprintable() else "·" for char in text)
