"""Drafts on this host."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.tui.fleet import JOBS, NOW_US
from tocsin.errors import ConfigError
from tocsin.tui.drafts import Drafts, Kept
from tocsin.tui.editing.draft import edit_draft


def test_draft_is_there_again(tmp_path: Path) -> None:
    """Whole, for the user alone, until it is forgotten; names may hold anything."""
    drafts, draft = Drafts(tmp_path / "new" / "folder", lambda: NOW_US), edit_draft(JOBS[0])
    assert drafts.find("edit a/../b") is None
    drafts.keep("edit a/../b", draft)
    drafts.keep("edit a/../b", draft)
    path = drafts.path("edit a/../b")
    assert path.parent == tmp_path / "new" / "folder"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert drafts.find("edit a/../b") == Kept(draft, NOW_US)
    drafts.forget("edit a/../b")
    drafts.forget("edit a/../b")
    assert drafts.find("edit a/../b") is None


def test_draft_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    """One of another version, or half a file, is nothing to go on with."""
    drafts = Drafts(tmp_path, lambda: NOW_US)
    drafts.path("new").write_text("{")
    assert drafts.find("new") is None


def test_draft_that_cannot_be_kept(tmp_path: Path) -> None:
    """It is said why, and where else it could be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be kept") as caught:
        Drafts(tmp_path / "file", lambda: NOW_US).keep("new", edit_draft(JOBS[0]))
    assert "TOCSIN_HOME" in caught.value.hint
