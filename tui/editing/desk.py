"""A job being written, with all that is known of it: the form, its faults, what would follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tocsin.errors import ExecutorError
from tocsin.execution import Executor
from tocsin.jobfile import InstalledExecutors, KnownExecutors
from tocsin.model import Agent, Calendar, Description, Job, JobRow, OfferedExecutor, Pool
from tocsin.tui.widgets.columns import Cell

from .check import Checked, check, fields_of, for_forecast
from .draft import Draft, is_changed, rebased, rewritten, text_of
from .executor_fields import description_of, descriptions, masked
from .fields import NAME, Field
from .forecast import forecast, in_english, week_of
from .form import (
    Form,
    advice,
    at_line_end,
    complete,
    focused,
    go,
    key,
    line_begun,
    write,
)
from .form_rows import Row, form_rows
from .side import Effect, changes, notes_of
from .suggest import Names

_USUAL = "shell"


class Desk:
    """Holds the form; `judge` looks at it again, whenever that is worth it."""

    def __init__(self, draft: Draft) -> None:
        self.executors: Mapping[str, type[Executor]] = InstalledExecutors()
        self.known: dict[str, Description] = _installed(self.executors)
        self.calendars: Mapping[str, Calendar] = {}
        self._pools: list[str] = []
        self._names = Names([], [], [])
        self.form = Form(draft=draft)
        self.checked = Checked({}, None, {})
        self.effect: Effect | None = None
        self.refused: dict[str, str] = {}
        """What the coordinator said against it, by the ids of fields, until they are changed."""
        self.fields: list[Field] = []
        self._relearn()

    @property
    def draft(self) -> Draft:
        """The job that is being written."""
        return self.form.draft

    @property
    def field(self) -> Field:
        """The field with the focus."""
        return focused(self.form, self.fields)

    @property
    def faults(self) -> dict[str, list[str]]:
        """All that is wrong, by the ids of fields."""
        found = {field_id: list(said) for field_id, said in self.checked.faults.items()}
        for field_id, said in self.refused.items():
            found.setdefault(field_id, []).append(said)
        return found

    @property
    def changed(self) -> dict[str, tuple[object, object]]:
        """The keys that would be changed, secrets masked."""
        loaded = self.draft.loaded
        return changes(
            None if loaded is None else masked(self.fields, loaded),
            masked(self.fields, self.checked.block),
        )

    # What becomes known.

    def learn(
        self,
        rows: Iterable[OfferedExecutor],
        calendars: Iterable[Calendar],
        pools: Iterable[Pool] = (),
    ) -> None:
        """Take what the coordinator knows: executors that are offered, calendars, pools."""
        offered = list(rows)
        self._pools = [each.name for each in pools]
        self.calendars = {each.name: each for each in calendars}
        if offered:
            self.executors = KnownExecutors(lambda: offered)
            self.known = descriptions(offered)
        self._relearn()

    def judge(self, now_us: int, jobs: Mapping[str, JobRow], agents: Iterable[Agent]) -> None:
        """Look at the draft again."""
        self.fields = fields_of(self.draft, self.known)
        self._names = Names(set(jobs) - {self.draft.name}, self.calendars, self._pools)
        self.checked = check(self.draft, self.fields, self.executors, jobs)
        job = for_forecast(self.draft, self.checked)
        if job is None:
            self.effect = None
            return
        row = None if self.draft.is_new else jobs.get(job.name)
        self.effect = Effect(
            forecast(job, now_us, self.calendars, agents),
            week_of(row.job, now_us, self.calendars) if row is not None else None,
        )

    # Writing.

    def press(self, name: str, character: str | None) -> bool:
        """Take a key; False when it is not for the form."""
        if character is not None:
            self._now(write(self.form, self.fields, character))
            return True
        if name == "right" and (found := self.suggestions()) and at_line_end(self.form, self.field):
            self._now(complete(self.form, self.field, found[0]))
            return True
        after = key(self.form, self.fields, name)
        if after is None:
            return False
        self._now(after)
        return True

    def paste(self, text: str) -> None:
        """Take a text."""
        self._now(write(self.form, self.fields, text))

    def go_to(self, field_id: str) -> None:
        """Put the focus on a field."""
        found = next((field for field in self.fields if field.id == field_id), None)
        if found is not None:
            self.form = go(self.form, found)

    def open_all(self) -> None:
        """Show all fields, or those alone that are of use."""
        self.form = msgspec.structs.replace(self.form, opened=not self.form.opened)

    def ask(self) -> None:
        """Tell all faults from now on, and go to the first."""
        self.form = msgspec.structs.replace(self.form, asked=True)
        wrong = self.faults
        first = next((field for field in self.fields if field.id in wrong), None)
        if first is not None and self.form.at not in wrong:
            self.form = go(self.form, first)

    def rewrite(self, job: Job) -> None:
        """Put a job in place of what was written."""
        self._now(msgspec.structs.replace(self.form, draft=rewritten(self.draft, job)))

    def rebase(self, job: Job, theirs: JobRow | None) -> None:
        """Put what was changed here onto what the job has become meanwhile."""
        self._now(msgspec.structs.replace(self.form, draft=rebased(self.draft, job, theirs)))

    def refuse(self, field_id: str, said: str) -> None:
        """Keep what the coordinator said against a field, or "" against the whole."""
        self.refused = {field_id: said}
        if field_id:
            self.go_to(field_id)
        self.form = msgspec.structs.replace(self.form, asked=True)

    def _now(self, form: Form) -> None:
        before, self.form = self.form, form
        if form.draft is before.draft:
            return
        self.refused = {}
        if form.draft.executor != before.draft.executor:
            self.fields = fields_of(form.draft, self.known)

    def _relearn(self) -> None:
        draft = self.draft
        if not draft.executor:
            name = _USUAL if _USUAL in self.known else next(iter(self.known), "")
            self.form = msgspec.structs.replace(
                self.form, draft=msgspec.structs.replace(draft, executor=name)
            )
        self.fields = fields_of(self.draft, self.known)

    # Showing.

    def rows(self, now_us: int, width: int) -> list[Row]:
        """The form as lines."""
        texts = {field.id: text_of(self.draft, field) for field in self.fields if field.id in _WHEN}
        english = in_english(
            texts["schedule"].splitlines(), texts["timezone"] or "UTC", self.draft.name,
            texts["dst"] or "vixie",
        )  # fmt: skip
        notes = notes_of(self.effect, english, now_us)
        return form_rows(self.form, self.fields, self.faults, notes, width)

    def verdict(self) -> Cell:
        """Whether it could be saved, and what would change."""
        count = self.checked.count + len(self.refused)
        if count:
            wrong = self.faults
            labels = [field.label.strip() for field in self.fields if field.id in wrong]
            if self.draft.is_new and not self.form.asked:
                return Cell(f"to be filled in or put right: {', '.join(labels)}", "quiet")
            some = f"{count} thing{'s' * (count != 1)} wrong"
            return Cell(f"{some}: {', '.join(labels)}" if labels else some, "bad")
        parts = ["valid"]
        changed = len(self.changed)
        if not self.draft.is_new:
            parts.append(f"{changed} change{'s' * (changed != 1)}" if changed else "unchanged")
        if self.effect is None or not self.effect.forecast.doubts:
            return Cell(", ".join(parts), "good")
        first, *others = self.effect.forecast.doubts
        parts.append(f"{1 + len(others)} warning{'s' * bool(others)}: {first}")
        return Cell(", ".join(parts), "warn")

    def suggestions(self) -> list[str]:
        """What the line with the caret may become."""
        return self._names.fitting(self.field.id, line_begun(self.form, self.field))

    def help_lines(self) -> tuple[str, str]:
        """What the field with the focus means, and how it is written."""
        field = self.field
        otherwise = f"; without it: {field.otherwise}" if field.otherwise else ""
        found = self.suggestions()
        how = f"right: {'  '.join(found)}" if found else advice(self.form, field)
        return f"{field.label.strip()}: {field.help}{otherwise}", how

    @property
    def is_changed(self) -> bool:
        """Whether leaving would lose anything."""
        return is_changed(self.draft)


_WHEN = frozenset({"schedule", "timezone", "dst", NAME.id})


def _installed(executors: Mapping[str, type[Executor]]) -> dict[str, Description]:
    found = {}
    for name in executors:
        try:
            found[name] = description_of(executors[name])
        except ExecutorError:
            continue  # one that cannot be loaded here cannot be described
    return found
