"""The examples in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tocsin.schedule import parse

_PAGE = Path(__file__).parents[3] / "docs" / "schedules.md"
_ROW = re.compile(r"^\| `([^`]+)` \| ([^|`]+) \|$", re.MULTILINE)
_FIRST_TABLE = _PAGE.read_text().partition("## ")[0]


@pytest.mark.parametrize(("text", "words"), _ROW.findall(_FIRST_TABLE))
def test_an_example_means_what_the_page_says(text: str, words: str) -> None:
    """The words beside an example are those that Tocsin itself says."""
    assert parse(text).describe() == words
