"""What a user may set, and that the reference says all of it.

To print the table anew: TOCSIN_ACCEPT_GOLDENS=1 pytest tests/unit/tui/test_settings.py
"""

from __future__ import annotations

import ast
import inspect
import os
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tocsin.errors import ConfigError
from tocsin.tui import settings
from tocsin.tui.settings import TuiSettings, read_tui_settings

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs/tui.md"
BEGIN, END = "test_settings.py -->\n", "<!-- /settings -->"
WORDS = {"True": "`true`", "False": "`false`"}


def read(tmp_path: Path, text: str, **given: Any) -> TuiSettings:
    """The settings of a file with this text."""
    (tmp_path / "tui.toml").write_text(text)
    return read_tui_settings(tmp_path, given)


def test_all_of_it_can_be_set(tmp_path: Path) -> None:
    """Every key is read; the command line wins over the file."""
    text = 'theme="light"\nmouse=true\nascii=true\nzone="utc"\nread_only=true\n[keys]\nkill="K"\n'
    assert read(tmp_path, text, theme="dark") == TuiSettings(
        theme="dark", mouse=True, ascii=True, zone="utc", read_only=True, keys={"kill": "K"}
    )


def test_nothing_need_be_set(tmp_path: Path) -> None:
    """Without a file and options all is as it comes."""
    assert read_tui_settings(tmp_path, {}) == TuiSettings()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('theme="drak"', 'theme: there is no "drak"', 'did you mean "dark"?'),
        ('zone="Europe/Berlim"', "'Europe/Berlim' is not known", "Europe/Berlin"),
        ("mouze=true", "mouze", "mouse"),
        ('mouse="yes"', "mouse", ""),
        ("[keys]\nkill=3", "kill", ""),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, message: str, hint: str) -> None:
    """The error names the key and, where there is one, what was meant."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert message in caught.value.message
    assert hint in f"{caught.value.message} {caught.value.hint}"


def test_zones_are_those_of_the_host_or_of_the_world() -> None:
    """`local` leaves it to the system."""
    assert TuiSettings().tzinfo() is None
    assert TuiSettings(zone="UTC").tzinfo() is UTC
    assert str(TuiSettings(zone="Europe/Berlin").tzinfo()) == "Europe/Berlin"


def _meanings() -> dict[str, str]:
    """The text below each field."""
    (kind,) = [
        node
        for node in ast.parse(inspect.getsource(settings)).body
        if isinstance(node, ast.ClassDef)
    ]
    told: dict[str, str] = {}
    for field, text in zip(kind.body, kind.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            assert isinstance(field.target, ast.Name)
            told[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return told


def _table() -> str:
    meanings = _meanings()
    rows = ["", "| key | default | meaning |", "| --- | --- | --- |"]
    for field in msgspec.structs.fields(TuiSettings):
        default = field.default
        shown = f'`"{default}"`' if isinstance(default, str) else WORDS.get(repr(default), "")
        rows.append(f"| `{field.name}` | {shown} | {meanings[field.name]} |")
    return "\n".join([*rows, "", ""])


def test_the_reference_has_every_setting() -> None:
    """The table in docs/tui.md is made of the texts beside the settings."""
    before, rest = REFERENCE.read_text(encoding="utf-8").split(BEGIN)
    told, behind = rest.split(END)
    if os.environ.get("TOCSIN_ACCEPT_GOLDENS"):
        REFERENCE.write_text(f"{before}{BEGIN}{_table()}{END}{behind}", encoding="utf-8")
        told = _table()
    assert told == _table()
