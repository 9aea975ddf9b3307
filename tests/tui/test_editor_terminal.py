"""The user's own editor on a real terminal: it gets the screen, and gives it back."""

from __future__ import annotations

import os
from pathlib import Path

from tests.tui.on_terminal import ALT_SCREEN_OFF, ALT_SCREEN_ON, terminal


def test_editor_gets_the_terminal_and_gives_it_back(tmp_path: Path) -> None:
    """It sees the terminal as it was before; what it leaves is asked about on the screen."""
    script = tmp_path / "editor.sh"
    script.write_text(
        "#!/bin/sh\nstty -a | grep -o -- '-\\?icanon'; echo EDITING\n"
        'read -r line; echo "GOT $line"\n'
        'sed -i "s/45 \\* \\*/50 * */" "$1"\n'
    )
    script.chmod(0o700)
    home = tmp_path / "home"
    with terminal(tmp_path, VISUAL=str(script), TOCSIN_HOME=str(home)) as t:
        t.read_until(b"etl-orders", b"live")
        os.write(t.master, b"2")
        t.read_until(b"SCHEDULE")
        os.write(t.master, b"gjjjj")
        os.write(t.master, b"E")
        t.read_until(b"EDITING")
        assert b"-icanon" not in t.output
        assert t.output.rindex(ALT_SCREEN_OFF) > t.output.rindex(ALT_SCREEN_ON)
        os.write(t.master, b"hello\n")
        t.read_until(b"GOT hello", b"Save etl-orders")
        assert t.output.rindex(ALT_SCREEN_OFF) < t.output.rindex(ALT_SCREEN_ON)
        os.write(t.master, b"n")
        t.read_until(b"F2 save")
        os.write(t.master, b"\x03")
        assert t.end() == 0
        assert t.attributes() == t.before
    assert list((home / "data" / "drafts").rglob("edit*.json"))
