"""The commands that undo an action."""

from __future__ import annotations

import shlex

from tocsin.cli import undo


def test_an_undo_of_many_names_is_whole() -> None:
    """Whoever pastes it gets all of it undone: no name is left out."""
    names = [f"job {number}" for number in range(1000)]
    assert shlex.split(undo.command("job", "rm", *names)) == ["tocsin", "job", "rm", *names]
