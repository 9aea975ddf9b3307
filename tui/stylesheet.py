"""CSS that is parsed once: Textual parses all of it again with each screen that is new."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class KeptStylesheet(Stylesheet):
    """Is parsed again only for other variables."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._known = variables or {}
        self._is_other = False

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take the variables of a theme."""
        if variables != self._known:
            self._known, self._is_other = variables, True
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse with the variables as they are now, unless that is done."""
        if self._is_other:
            super().reparse()
            self._is_other = False
