"""Every text can be read, in every theme, however many colours the terminal has.

Limits: WCAG 2.2, 1.4.3 (text, 4.5 to 1) and 1.4.11 (what is no text, 3 to 1).
"""

from __future__ import annotations

import asyncio

import pytest
from rich.color import Color, ColorSystem, ColorType
from rich.color_triplet import ColorTriplet
from rich.palette import Palette
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, fleet, shown, until
from tests.tui.fleet import RUNNING
from tocsin.tui.palettes import palette_name
from tocsin.tui.settings import AUTO, THEMES
from tocsin.tui.themes import THEMES as COLOURS

TEXT_MIN, LINE_MIN = 4.5, 3.0
XTERM = Palette(
    [
        (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0),
        (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
        (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0),
        (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
    ]
)  # fmt: skip
VGA = Palette(
    [
        (0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0),
        (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170),
        (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85),
        (85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255),
    ]
)  # fmt: skip
PALETTES = {"xterm": XTERM, "vga": VGA}
SYSTEMS = (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD)


def luminance(colour: ColorTriplet) -> float:
    """Relative luminance, see WCAG 2.2."""
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """From 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _seen(
    colour: Color | None, system: ColorSystem, palette: Palette, default: ColorTriplet
) -> ColorTriplet:
    if colour is None or colour.type is ColorType.DEFAULT:
        return default
    sent = colour.downgrade(system)
    if sent.type is ColorType.STANDARD:
        assert sent.number is not None
        return palette[sent.number]
    return sent.get_truecolor(DEFAULT_TERMINAL_THEME)


def ratio(style: Style, system: ColorSystem, palette: Palette, *, dark: bool) -> float:
    """The contrast of a text in a style with what is behind it, on a terminal of these colours."""
    assert not style.dim, "how much darker that is nobody knows"
    white, black = ColorTriplet(255, 255, 255), ColorTriplet(0, 0, 0)
    front, behind = (white, black) if dark else (black, white)
    return contrast(
        _seen(style.color, system, palette, front), _seen(style.bgcolor, system, palette, behind)
    )


async def _screens(pilot: Pilot[None], coordinator: Coordinator) -> list[tuple[str, Style]]:
    """What is in the lists, in a run, in a question, in the help."""
    taken: list[tuple[str, Style]] = []

    def take() -> None:
        strips = pilot.app.screen._compositor.render_strips()
        taken.extend((text, style or Style()) for strip in strips for text, style, _ in strip)

    coordinator.write(RUNNING.id, "etl.orders 4.2.0 starting\n" * 60)
    coordinator.write(RUNNING.id, "WARN slow query 3.1s\n", stream=2)
    await expect(pilot, "● live", "agents 2/3")
    for keys, text in (
        (["2"], "cleanup-tmp"),
        (["space"], "1 marked"),
        (["3"], "etl-03"),
        (["x"], "Kill run"),
        (["escape", "enter"], "WARN slow"),
        (["question_mark"], "ctrl+c leaves"),
    ):
        await pilot.press(*keys)
        await expect(pilot, text)
        take()
    return taken


def _parts(theme: str) -> list[tuple[str, Style]]:
    async def play() -> list[tuple[str, Style]]:
        with fleet() as coordinator:
            async with shown(coordinator, theme=theme) as pilot:
                return await _screens(pilot, coordinator)

    return asyncio.run(play())


def _limit(text: str) -> float:
    lines = set(text.strip()) <= set("─│═║┌┐└┘|-+█▁▂▃▄▅▆▇░▒▓")
    return LINE_MIN if lines else TEXT_MIN


@pytest.mark.parametrize("theme", [name for name in THEMES if name != AUTO])
def test_everything_can_be_read(theme: str) -> None:
    """Text, lines, what is marked and what is selected."""
    parts = {(text.strip(), style) for text, style in _parts(theme) if text.strip()}
    assert len(parts) > 100
    faint = {
        f"{found:.1f} {system.name} {name}: {text!r} {style}"
        for text, style in parts
        for system in SYSTEMS
        for name, palette in PALETTES.items()
        if (found := ratio(style, system, palette, dark=COLOURS[theme].dark)) < _limit(text)
    }
    assert sorted(faint) == []


@pytest.mark.parametrize(
    ("colours", "environ", "name"),
    [
        ("truecolor", {}, "dark"),
        ("256", {"COLORFGBG": "15;0"}, "dark"),
        ("256", {"COLORFGBG": "0;15"}, "light"),
        ("standard", {}, "ansi-dark"),
        ("standard", {"COLORFGBG": "0;default;15"}, "ansi-light"),
        (None, {}, "ansi-dark"),
    ],
)
def test_the_theme_suits_the_terminal(
    colours: str | None, environ: dict[str, str], name: str
) -> None:
    """Below 256 colours it uses the terminal's own; a light background is heeded where told."""
    assert palette_name(AUTO, colours, environ) == name
    assert palette_name("light", colours, environ) == "light"


def test_all_themes_are_there() -> None:
    """What can be set is what can be drawn."""
    assert (AUTO, *COLOURS) == THEMES


def test_the_theme_is_changed_by_its_name() -> None:
    """`:theme NAME` draws in other colours; a name that there is not is said."""

    async def play() -> None:
        with fleet() as coordinator:
            async with shown(coordinator) as pilot:
                await expect(pilot, "● live", "agents 2/3")
                await pilot.press("colon", *"theme light", "enter")
                await until(pilot, lambda: pilot.app.theme == "tocsin-light")
                pilot.app.use_theme("drak")  # type: ignore[attr-defined]
                await expect(pilot, 'theme: there is no "drak"; did you mean "dark"?')
                assert pilot.app.theme == "tocsin-light"

    asyncio.run(play())
