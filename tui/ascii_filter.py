"""Puts `ascii` to work: all that Textual draws goes through it."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from .ascii import to_ascii


class AsciiFilter(LineFilter):
    """Replaces what is not ASCII in lines that are about to be shown."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """The segments, in ASCII."""
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]
