"""Copies text out of the TUI: through tmux, through the terminal, or else into a file.

OSC 52 (xterm's control sequences, "Manipulate Selection Data") asks the terminal to take a text; it
travels over SSH. tmux with its usual settings swallows it, so there tmux itself is asked. The one
process that this starts is tmux's client; it is waited for by the loop and never blocks it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import enum
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

SEQUENCE_BYTES_MAX: Final = 74_994
"""Of base64; terminals take no more in one sequence (hterm's limit is the smallest)."""
TMUX_S: Final = 2.0
FILE: Final = "copied.txt"
_TMUX: Final = ("tmux", "load-buffer", "-w", "-")
_DEAF_TERMS: Final = ("linux", "screen", "tmux", "dumb")
"""Terminals that ignore the sequence, or pass it on only where they are told to."""
_WEB_DRIVER: Final = "WebDriver"


class Way(enum.Enum):
    """How a text leaves the program."""

    TMUX = "tmux"
    TERMINAL = "terminal"
    FILE = "file"


def choose(environ: Mapping[str, str], text: str) -> Way:
    """The best way there is in an environment, for a text of this length."""
    if environ.get("TMUX") and not is_in_browser(environ):
        return Way.TMUX
    if _encoded_bytes(len(text.encode())) > SEQUENCE_BYTES_MAX:
        return Way.FILE
    term = environ.get("TERM", "")
    deaf = term.startswith(_DEAF_TERMS) or environ.get("TERM_PROGRAM") == "Apple_Terminal"
    return Way.FILE if deaf or is_in_browser(environ) else Way.TERMINAL


def is_in_browser(environ: Mapping[str, str]) -> bool:
    """Whether textual-serve started this, and the screen is in a browser."""
    return environ.get("TEXTUAL_DRIVER", "").endswith(_WEB_DRIVER)


def sequence(text: str) -> str:
    """What asks a terminal to take `text` into its clipboard."""
    return f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a"


async def copy(
    text: str, environ: Mapping[str, str], data_dir: Path, write: Callable[[str], object]
) -> str:
    """Copy, and tell in a few words where the text is now.

    Args:
        text: what to copy.
        environ: tells which terminal this is.
        data_dir: where the file is put that stands in for a clipboard.
        write: sends text to the terminal as it is.

    Raises:
        OSError: there was no other way than the file, and it cannot be written.
    """
    way = choose(environ, text)
    if way is Way.TMUX and await _load_buffer(text, environ):
        return "to tmux and the clipboard of the terminal around it"
    if way is Way.TERMINAL:
        write(sequence(text))
        return "to the terminal's clipboard"
    path = await asyncio.to_thread(save, text, data_dir)
    return f"to {path}, as no clipboard takes it here"


def save(text: str, data_dir: Path) -> Path:
    """Put text into a file of mode 0600 in place of the one before.

    Raises:
        OSError: it cannot be written.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / FILE
    draft = path.with_name(f".{FILE}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123 - Path cannot open a descriptor
            file.write(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def _encoded_bytes(size: int) -> int:
    return (size + 2) // 3 * 4


async def _load_buffer(text: str, environ: Mapping[str, str]) -> bool:
    """Whether tmux took it; it passes it on to the terminal around it (`-w`, since tmux 3.2)."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_TMUX,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=dict(environ),
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(TMUX_S):
            await process.communicate(text.encode())
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return process.returncode == 0
