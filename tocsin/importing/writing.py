"""An import as a job file, as JSON, and as lines for people."""

from __future__ import annotations

from typing import Any, Final

from tocsin.importing.doubt import Doubt, Place, Weight
from tocsin.importing.draft import Draft, Imported
from tocsin.jobfile import dump_yaml

_INDENT: Final = "  "


def to_yaml(imported: Imported, title: str) -> str:
    """A job file; each job below the doubts about it, held ones as comments.

    `title` says in one line where the jobs come from.
    """
    by_job: dict[str, list[Doubt]] = {}
    for doubt in imported.doubts:
        by_job.setdefault(doubt.place.job, []).append(doubt)
    lines = [_comment(title, "")]
    lines += [_comment(_said(doubt), "") for doubt in by_job.get("", ())]
    if all(draft.held for draft in imported.drafts):
        lines += ["", "# no job can run as it is; take the {} away together with comment signs"]
        lines.append("jobs: {}")
    else:
        lines += ["", "jobs:"]
    for draft in imported.drafts:
        lines += ["", *_job_lines(draft, by_job.get(draft.name, []))]
    if imported.comments:
        lines += ["", *(_comment(text, _INDENT) for text in imported.comments)]
    return "\n".join(lines) + "\n"


def _job_lines(draft: Draft, doubts: list[Doubt]) -> list[str]:
    lines = [_comment(text, _INDENT) for text in draft.comments]
    if draft.place.source:
        lines.append(_comment(f"from {_place(draft.place)}", _INDENT))
    lines += [_comment(_said(doubt), _INDENT) for doubt in doubts]
    text = dump_yaml({draft.name: draft.block}).removesuffix("\n")
    if draft.held:
        # Empty lines get the whole sign too: who takes the signs away is left with no lone #.
        return lines + [f"{_INDENT}# {line}" for line in text.split("\n")]
    return lines + [_INDENT + line if line else "" for line in text.split("\n")]


def doubt_line(doubt: Doubt) -> str:
    """One line: where, which job, how much it matters, what was done and what to check."""
    where = _place(doubt.place)
    parts = [where, doubt.place.job, f"{doubt.weight}: {_told(doubt)}"]
    return _one_line(": ".join(part for part in parts if part))


def doubt_shape(doubt: Doubt) -> dict[str, Any]:
    """A doubt as JSON."""
    return {
        "weight": doubt.weight,
        "source": doubt.place.source or None,
        "line": doubt.place.line,
        "job": doubt.place.job or None,
        "about": doubt.about,
        "done": doubt.done,
        "check": doubt.check or None,
    }


def import_shape(imported: Imported) -> dict[str, Any]:
    """An import as JSON: the jobs by name, those held back with their reason, the doubts."""
    return {
        "jobs": {draft.name: draft.block for draft in imported.drafts if not draft.held},
        "held": {
            draft.name: {"reason": draft.held, "job": draft.block}
            for draft in imported.drafts
            if draft.held
        },
        "doubts": [doubt_shape(doubt) for doubt in imported.doubts],
    }


def _said(doubt: Doubt) -> str:
    where = _place(doubt.place) if not doubt.place.job else ""
    return f"{doubt.weight}: {where + ': ' if where else ''}{_told(doubt)}"


def _told(doubt: Doubt) -> str:
    told = f"{doubt.about}: {doubt.done}"
    if not doubt.check:
        return told
    return f"{told}; {'check: ' if doubt.weight is Weight.CHECK else ''}{doubt.check}"


def _place(place: Place) -> str:
    return place.source if place.line is None else f"{place.source}:{place.line}"


def _comment(text: str, indent: str) -> str:
    return f"{indent}# {_one_line(text)}".rstrip()


def _one_line(text: str) -> str:
    """The text without line breaks and other control characters, which a comment cannot hold."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
