"""Draws again only the lines that changed; Textual draws all widgets of a screen for each of them.

`Compositor._get_renders` (not public, seen in Textual 8.2) leaves out what lies outside of a
change by the clips of the widgets, which is the whole screen for most, and takes all lines of each
that is left. Where that part is not as it was, Textual's own way is used.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from textual._compositor import Compositor
from textual.geometry import Region
from textual.screen import Screen, ScreenResultType
from textual.strip import Strip


class NarrowCompositor(Compositor):
    """Asks widgets for the lines of a change."""

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if crop is None:
            yield from super()._get_renders()
            return
        for widget, (region, clip) in self.visible_widgets.items():
            lines = clip.intersection(Region(clip.x, crop.y, clip.width, crop.height))
            part = region.intersection(lines)
            if part and part.overlaps(crop):
                yield region, lines, widget.render_lines(part.translate(-region.offset))


def _fits() -> bool:
    renders = getattr(Compositor, "_get_renders", None)
    return renders is not None and list(inspect.signature(renders).parameters) == ["self", "crop"]


_KNOWN = _fits()


class NarrowScreen(Screen[ScreenResultType]):
    """A screen that draws no more than what changed."""

    def __init__(self, name: str | None = None, id: str | None = None) -> None:  # noqa: A002 - as in Screen
        super().__init__(name, id)
        if _KNOWN:
            self._compositor = NarrowCompositor()
