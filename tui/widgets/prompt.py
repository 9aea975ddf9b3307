"""The line at the bottom in which something is typed: a command, a filter, a text to find."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class Question:
    """What is asked for, and who is told."""

    def __init__(
        self,
        label: str,
        submit: Callable[[str], None],
        *,
        value: str = "",
        change: Callable[[str], None] = lambda _: None,
        complete: Callable[[str], list[str]] = lambda _: [],
    ) -> None:
        self.label = label
        self.submit = submit
        self.value = value
        self.change = change
        """Is told of each letter; of the first value as well when the prompt is left by escape."""
        self.complete = complete


class _Line(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False),
        Binding("tab", "complete", "complete", show=False),
        Binding("up", "ignore", show=False),
        Binding("down", "ignore", show=False),
    ]

    def action_leave(self) -> None:
        """Take nothing."""
        self.post_message(Prompt.Left())

    def action_complete(self) -> None:
        """Take what all completions have in common."""
        self.post_message(Prompt.Completing())

    def action_ignore(self) -> None:
        """Keep the key from the table below."""


class Prompt(Horizontal):
    """Hidden until `open`; hides itself when it was answered or left."""

    class Left(Message):
        """Escape was pressed."""

    class Completing(Message):
        """Tab was pressed."""

    class Offered(Message):
        """Other completions are possible now; none when the prompt is closed."""

        def __init__(self, completions: list[str]) -> None:
            super().__init__()
            self.completions = completions

    class Closed(Message):
        """The keys go back to where they went."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self._question: Question | None = None
        self.display = False

    def compose(self) -> ComposeResult:
        """A label and a line."""
        yield Static("", markup=False, id="prompt-label")
        yield _Line(id="prompt-line", compact=True)

    @property
    def is_open(self) -> bool:
        """Whether something is being typed."""
        return self._question is not None

    def open(self, question: Question) -> None:
        """Ask."""
        self._question = question
        line = self.query_one(_Line)
        line.cursor_blink = False  # a blinking cursor alone sends a kilobyte a second
        label = self.query_one("#prompt-label", Static)
        label.update(f" {question.label}")
        label.styles.width = len(question.label) + 1
        self.display = True
        with line.prevent(Input.Changed):
            line.value = question.value
        line.cursor_position = len(line.value)
        # At once: what was typed in one go with the key that opened this is for the line.
        self.screen.set_focus(line)
        self._offer()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Tell who asked."""
        message.stop()
        if self._question is not None:
            self._question.change(message.value)
            self._offer()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Take it."""
        message.stop()
        question = self._question
        self._close()
        if question is not None:
            question.submit(message.value)

    def on_prompt_left(self, message: Left) -> None:
        """Leave everything as it was before."""
        message.stop()
        question = self._question
        self._close()
        if question is not None:
            question.change(question.value)

    def on_prompt_completing(self, message: Completing) -> None:
        """Type what all completions begin with; when that is typed already, the first of them."""
        message.stop()
        line = self.query_one(_Line)
        found = self._question.complete(line.value) if self._question is not None else []
        if not found or (len(found) > 1 and not line.value.strip()):
            return  # with nothing typed, all that there is is only shown
        common = _common_start(found)
        line.value = common if len(common) > len(line.value) else found[0]
        if len(found) == 1:
            line.value += " "
        line.cursor_position = len(line.value)

    def _offer(self) -> None:
        line = self.query_one(_Line)
        found = self._question.complete(line.value) if self._question is not None else []
        self.post_message(self.Offered(found))

    def _close(self) -> None:
        self._question = None
        self.display = False
        self.post_message(self.Offered([]))
        self.post_message(self.Closed())


def _common_start(texts: list[str]) -> str:
    low, high = min(texts), max(texts)
    same = 0
    while same < min(len(low), len(high)) and low[same] == high[same]:
        same += 1
    return low[:same]
