"""CSS is parsed again when the variables are others, and only then."""

from __future__ import annotations

from tocsin.tui.stylesheet import KeptStylesheet


def colour(sheet: KeptStylesheet) -> str:
    """Of the only rule."""
    (rules,) = sheet.rules
    return str(rules.styles.color)


def test_other_variables() -> None:
    """Another theme shows; the same one costs nothing."""
    sheet = KeptStylesheet(variables={"ink": "#010203"})
    sheet.add_source("Label { color: $ink; }")
    before = sheet.rules
    assert colour(sheet) == "Color(1, 2, 3)"
    sheet.set_variables({"ink": "#010203"})
    sheet.reparse()
    assert sheet.rules is before
    sheet.set_variables({"ink": "#040506"})
    sheet.reparse()
    assert colour(sheet) == "Color(4, 5, 6)"
