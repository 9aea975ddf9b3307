"""A screen in whose last lines something can be typed."""

from __future__ import annotations

from textual.widget import Widget

from tocsin.tui.narrow import NarrowScreen
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.prompt import Prompt, Question


class PromptingScreen(NarrowScreen[None]):
    """Has a `Prompt`, which takes the place of what was said while it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.offered: list[str] = []
        """What the line that is typed may become."""
        self._before_prompt: Widget | None = None

    def draw(self) -> None:
        """Show what is known now."""
        raise NotImplementedError

    def prompt(self, question: Question) -> None:
        """Let the user type something."""
        self._before_prompt = self.focused
        self.query_one("#said", OneLine).display = False
        self.query_one(Prompt).open(question)

    def on_prompt_offered(self, message: Prompt.Offered) -> None:
        """Show what the line may become, in place of the keys."""
        self.offered = message.completions
        self.draw()

    def on_prompt_closed(self) -> None:
        """The keys go back to where they went."""
        self.query_one("#said", OneLine).display = True
        if self._before_prompt is not None:
            self._before_prompt.focus()
