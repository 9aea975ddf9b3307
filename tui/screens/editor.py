"""The job editor: a form, and beside it what would follow from what is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from textual.containers import Horizontal
from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.jobfile import dump_yaml
from tocsin.messages.client_answers import ExecutorsPage, Shared
from tocsin.messages.client_link import GetShared, ListExecutors
from tocsin.model import JobRow
from tocsin.tui.actions.action import Place, Situation
from tocsin.tui.actions.telling import help_lines
from tocsin.tui.drafts import Kept
from tocsin.tui.editing.desk import Desk
from tocsin.tui.editing.draft import Draft, clone_draft, edit_draft, new_draft
from tocsin.tui.editing.executor_fields import masked
from tocsin.tui.editing.form_rows import told_lines
from tocsin.tui.editing.side import SIDE_WIDTH, side_lines
from tocsin.tui.plain import fit, one_line
from tocsin.tui.scene import Scene
from tocsin.tui.widgets.columns import Cell
from tocsin.tui.widgets.lines import FormLines, Lines
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.words import ago

from . import editor_saving, editor_text
from .choose import STAY, ChooseScreen
from .editor_frame import EditorFrame

WIDE: Final = 96
"""From this width on there is room beside the form."""
_SCROLLBAR: Final = 1
_FRAME_LINES: Final = 7
"""Above and below the form."""
_HELP_WIDTH: Final = 72
_TYPING: Final = (
    " tab     next field    shift+tab the one before, pgup pgdn further",
    " right   behind the text: takes the first of the names that the line above offers",
    " ctrl+u  takes away what is before the caret, ctrl+k behind it, ctrl+w a word",
)


def opened(
    jobs: Mapping[str, JobRow], name: str, *, clone: bool, as_text: bool
) -> EditorScreen | None:
    """The editor on a job, on a clone of it, or without a name on a new one; None: no such job."""
    if not name:
        return EditorScreen(new_draft(""), "new")
    row = jobs.get(name)
    if row is None:
        return None
    if clone:
        return EditorScreen(clone_draft(row.job, jobs), f"clone {name}", f"clone of {name}")
    return EditorScreen(edit_draft(row), f"edit {name}", in_editor=as_text)


class EditorScreen(EditorFrame):
    """A job being written.

    Args:
        draft: what it begins with.
        key: under which name the draft is kept on this host.
        title: what makes a new job, for the line of tabs.
        in_editor: whether the user's own editor is wanted at once.
    """

    PLACE = Place.EDITOR
    AUTO_FOCUS: ClassVar[str] = "#form"

    def __init__(
        self, draft: Draft, key: str, title: str = "new job", *, in_editor: bool = False
    ) -> None:
        super().__init__(draft, key, in_editor=in_editor)
        self._title = title
        self._row_ids: list[str] = []
        self._learnt = False
        self._pane = "form"
        self._more = Cell("")
        """What there is to tell of the field beside two lines."""
        self.doings = {
            **self.doings,
            "save": lambda _: editor_saving.save(self),
            "field_help": lambda _: self._help_on_field(),
            "whole": lambda _: self._show_pane("whole"),
            "own_editor": lambda _: editor_text.edit(self),
            "effect": lambda _: self._show_pane("side"),
            "all_fields": lambda _: self._open_all(),
            "back": lambda _: self._leave(),
        }

    # What it shows.

    def body(self) -> Iterable[Widget]:
        """The form, what would follow, the whole job, and what the field means."""
        with Horizontal(id="editor"):
            yield FormLines(self._take, self._paste, self._click, id="form")
            yield Lines(id="side")
            yield Lines(id="whole")
        yield OneLine(id="verdict")
        yield OneLine(id="meaning")
        yield OneLine(id="writing")

    def look(self, scene: Scene) -> Situation:
        """The job that is edited, where it is there already."""
        row = scene.view.jobs.get(self.desk.draft.name)
        return Situation(place=self.PLACE, jobs=() if row is None else (row,))

    def crumb(self) -> str:
        """What is being done."""
        draft = self.desk.draft
        return self._title if draft.is_new else f"edit {draft.name} v{draft.version}"

    def draw_body(self, scene: Scene) -> None:
        """Everything, as it is now."""
        wide = self.size.width >= WIDE
        form, side, whole = (
            self._form,
            self.query_one("#side", Lines),
            self.query_one("#whole", Lines),
        )
        form.display = self._pane == "form" or (wide and self._pane == "side")
        side.display = self._pane == "side" or (wide and self._pane == "form")
        whole.display = self._pane == "whole"
        side.styles.width = SIDE_WIDTH if wide else "1fr"
        self._draw_form(scene, self.size.width - (SIDE_WIDTH if wide else 0))
        if side.display:
            self._draw_side(scene, side, (SIDE_WIDTH if wide else self.size.width) - _SCROLLBAR)
        if whole.display:
            block = masked(self.desk.fields, self.desk.checked.block)
            text = dump_yaml({"jobs": {self.desk.draft.name or "NAME": block}})
            whole.show([(Cell(f" {line}"),) for line in text.splitlines()])
        self._draw_words(scene)
        if not self._learnt and not scene.connection.blocks():
            self._learnt = True
            self.run_worker(self._learn(), group="learn", exclusive=True)

    @property
    def _form(self) -> FormLines:
        return self.query_one("#form", FormLines)

    def _draw_form(self, scene: Scene, width: int) -> None:
        rows = self.desk.rows(scene.now_us, width - _SCROLLBAR)
        self._row_ids = [row.field_id for row in rows]
        caret = next(((y, row.caret) for y, row in enumerate(rows) if row.caret is not None), None)
        self._form.show_form([row.cells for row in rows], caret)

    def _draw_side(self, scene: Scene, side: Lines, width: int) -> None:
        lines = side_lines(self.desk.effect, self.desk.changed, scene.now_us, scene.zone, width - 1)
        height = side.size.height or self.size.height - _FRAME_LINES
        lines += [Cell("")] * (height - len(lines))
        edge = (Cell("│"),) if self.size.width >= WIDE else ()
        side.show([(*edge, line) for line in lines])

    def _draw_words(self, scene: Scene) -> None:
        width = self.size.width - 2
        verdict = self.desk.verdict()
        self.query_one("#verdict", OneLine).say(Cell(f" {fit(verdict.text, width)}", verdict.tone))
        said = super()._said_line(scene, self.situation(scene)).text.strip()
        told = told_lines(*self.desk.help_lines(), width, 2 if said else 3)
        for name, line in zip(("meaning", "writing"), told, strict=False):
            self.query_one(f"#{name}", OneLine).say(line)
        self._more = told[-1]

    def _said_line(self, scene: Scene, at: Situation) -> Cell:
        """What was said; while there is nothing, what had no room above."""
        said = super()._said_line(scene, at)
        return said if said.text.strip() else self._more

    # What it is told.

    def on_mount(self) -> None:
        """Judge what it begins with, and offer what was not saved last time."""
        self.judge()
        kept = self.drafts.find(self.key)
        if kept is not None and kept.draft != self.first:
            self._offer(kept)
        elif self.in_editor:
            self.call_after_refresh(editor_text.edit, self)

    def _offer(self, kept: Kept) -> None:
        """Let the user go on with what was not saved."""
        when = ago(kept.at_us, self.stage.scene().now_us)
        name = kept.draft.name or "a new job"
        text = f"You were writing {one_line(name)} {when}, and did not save it."
        if kept.draft.version != self.first.version:
            text += (
                f"\nIt was version {kept.draft.version} then and is {self.first.version} now:"
                "\nwhen you save, you see what has changed."
            )

        def answer(key: str | None) -> None:
            if key == "g":
                self.desk.form = Desk(kept.draft).form
                self.judge()
            elif key == "b":
                self.drafts.forget(self.key)
            elif key == STAY:
                self.app.pop_screen()
                return
            if self.in_editor:
                self.call_after_refresh(editor_text.edit, self)

        choices = [("g", "go on with it"), ("b", "begin anew, without it")]
        self.app.push_screen(ChooseScreen(text, choices, "leave it for later"), answer)

    async def _learn(self) -> None:
        """Ask for what jobs can name."""
        try:
            executors = await self.stage.session.ask(ListExecutors())
            shared = await self.stage.session.ask(GetShared())
        except (LinkError, RequestError):
            self._learnt = False  # asked again when there is something to draw
            return
        if isinstance(executors, ExecutorsPage) and isinstance(shared, Shared):
            self.desk.learn(executors.rows, shared.calendars, shared.pools)
            self.judge()

    # Writing.

    def _take(self, key: str, character: str | None) -> bool:
        before, at = self.desk.draft, self.desk.form.at
        if not self.desk.press(key, character):
            return False
        self.written(before)
        if self.desk.form.at != at:
            self.judge_rest()
        return True

    def _paste(self, text: str) -> None:
        before = self.desk.draft
        self.desk.paste(text)
        self.written(before)

    def _click(self, line: int) -> None:
        if line < len(self._row_ids):
            self.desk.go_to(self._row_ids[line])
            self.draw()

    def _open_all(self) -> None:
        self.desk.open_all()
        self.draw()

    def _show_pane(self, name: str) -> None:
        """Show a part alone, and the form again."""
        self.judge()
        self._pane = "form" if self._pane == name else name
        self.draw()
        self.query_one(f"#{self._pane}").focus()

    def _help_on_field(self) -> None:
        meaning, writing = self.desk.help_lines()
        field = self.desk.field
        text = f"{meaning}\n\nin a job file: {field.id}"
        if writing:
            text += f"\nwritten: {writing}"
        keys = help_lines(self.stage.actions, self.PLACE, _HELP_WIDTH)
        text = "\n".join([text, "", *(line.rstrip() for line in keys), *_TYPING])
        self.app.push_screen(ChooseScreen(text, [], "back to the form"))

    # The end.

    def _leave(self) -> None:
        """Go back to the form from beside it, else away; what was written is not lost unasked."""
        if self._pane != "form":
            self._show_pane(self._pane)
            return
        self.judge()
        if not self.desk.is_changed:
            self.drafts.forget(self.key)
            self.app.pop_screen()
            return

        def answer(key: str | None) -> None:
            if key == "d":
                self.drafts.forget(self.key)
            if key in {"k", "d"}:
                self.app.pop_screen()

        text = f"{self.desk.draft.name or 'The new job'} is not saved."
        choices = [("k", "keep it as a draft and leave"), ("d", "throw it away")]
        self.app.push_screen(ChooseScreen(text, choices, "go on writing"), answer)
