"""The program: the link is dialled, Textual is loaded meanwhile, then the app has the terminal.

Loading Textual takes longer than a coordinator nearby needs to answer. If it has answered by then,
the first picture is drawn without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import locale
import os
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from tocsin import clock
from tocsin.config import Context, find_places
from tocsin.link import Hub

from .actions.table import Table
from .ascii import charset
from .ascii import wanted as ascii_wanted
from .clipboard import is_in_browser
from .connection import Connection
from .contexts import Begun, Contexts, Watched, known_contexts, watched
from .curtain import Curtain, Picture
from .guard import Guard, refusal
from .opening import Ink, colours_of, first_picture
from .palettes import PALETTES, palette_name
from .settings import TuiSettings, read_tui_settings
from .state import View

if TYPE_CHECKING:
    from .app import TocsinApp

EXIT_USAGE: Final = 2


class Surroundings(msgspec.Struct, frozen=True):
    """What the program finds where it is started."""

    settings: TuiSettings = TuiSettings()
    data_dir: Path = Path(os.devnull)
    contexts: Contexts = MappingProxyType({})
    terminal: int | None = None
    """The descriptor of the terminal; None in a browser."""
    ends_all: bool = False
    """Whether coordinator, agent and runs end with the program."""


def run_tui(
    context: Context,
    given: Mapping[str, object] = MappingProxyType({}),
    *,
    ends_all: bool = False,
) -> int:
    """Run the TUI in the foreground until the user leaves; the exit code of the program.

    Args:
        context: which coordinator, and as whom.
        given: settings from the command line, see `TuiSettings`.
        ends_all: whether coordinator, agent and runs end with the program.

    Raises:
        ConfigError: the context's key cannot be read, or a setting is wrong.
    """
    streams = (sys.stdin, sys.stdout, sys.stderr)
    in_browser = is_in_browser(os.environ)
    refused = refusal(os.environ, on_terminal=all(stream.isatty() for stream in streams))
    if refused and not in_browser:
        print(refused, file=sys.stderr)  # noqa: T201 - this is for the user
        return EXIT_USAGE
    places = find_places(os.environ)
    settings = read_tui_settings(places.config_dir, given)
    if settings.ascii is None:
        own = charset(os.environ, locale.getencoding(), utf8_mode=bool(sys.flags.utf8_mode))
        few = ascii_wanted(own, os.environ.get("TERM", "")) and not in_browser
        settings = msgspec.structs.replace(settings, ascii=few)
    hub = Hub()
    try:
        return watch(
            watched(context, hub),
            Surroundings(
                settings,
                places.data_dir,
                known_contexts(context, places, hub),
                None if in_browser else sys.stdin.fileno(),
                ends_all,
            ),
        )
    finally:
        hub.close()


def watch(first: Watched, here: Surroundings) -> int:
    """Watch a coordinator until the user leaves; the exit code.

    Raises:
        ConfigError: the settings name what is no action, or one key twice.
    """
    curtain = None if here.terminal is None else Curtain(here.terminal)
    try:
        return asyncio.run(_watch(first, here, Table(here.settings.keys), curtain))
    except asyncio.CancelledError:
        return 0  # a signal came before the app was there
    finally:
        if curtain is not None:
            curtain.close()


async def _watch(
    first: Watched, here: Surroundings, actions: Table, curtain: Curtain | None
) -> int:
    heard = _Heard()
    session = first.make_session(heard.tell)
    begun = Begun(session, asyncio.create_task(session.run()))
    loading = _loading()
    with _Leaving(here.terminal) as leaving:
        if curtain is not None:
            either: set[asyncio.Future[Any]] = {loading, heard.whole}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not loading.done():
                _draw(first, here, actions, heard, curtain)
        make_app = await loading
        app = make_app(
            first.make_session,
            name=first.name,
            settings=here.settings,
            data_dir=here.data_dir,
            read_only=first.read_only,
            careful=first.careful,
            contexts=here.contexts,
            begun=begun,
            curtain=curtain,
            ends_all=here.ends_all,
        )
        leaving.app = app
        await app.run_async(mouse=here.settings.mouse)
        return app.return_code or 0


class _Heard:
    """What was heard of the coordinator last."""

    def __init__(self) -> None:
        self.view = View()
        self.connection = Connection()
        self.whole: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Is done as soon as there is something to draw."""

    def tell(self, view: View, connection: Connection) -> None:
        self.view, self.connection = view, connection
        if view.whole and not self.whole.done():
            self.whole.set_result(None)


def _loading() -> asyncio.Future[Callable[..., TocsinApp]]:
    """What makes the app, as soon as it is loaded."""
    loop = asyncio.get_running_loop()
    loaded: asyncio.Future[Callable[..., TocsinApp]] = loop.create_future()

    def settle(make: Callable[..., TocsinApp] | None, error: Exception | None) -> None:
        if loaded.cancelled():
            return
        if make is not None:
            loaded.set_result(make)
        elif error is not None:
            loaded.set_exception(error)

    def load() -> None:
        try:
            from .app import TocsinApp
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits is to know
            told: tuple[Callable[..., TocsinApp] | None, Exception | None] = None, error
        else:
            told = TocsinApp, None
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(settle, *told)

    # A daemon: a slow disk does not hold up who wants to leave.
    threading.Thread(target=load, name="loading", daemon=True).start()
    return loaded


class _Leaving:
    """Ends the program when a signal asks for it or the terminal is gone, wherever it stands."""

    def __init__(self, terminal: int | None) -> None:
        self.app: TocsinApp | None = None
        self._task = asyncio.current_task()
        self._guard = None if terminal is None else Guard(terminal, self._leave)

    def __enter__(self) -> Self:
        if self._guard is not None:
            self._guard.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._guard is not None:
            self._guard.stop()

    def _leave(self) -> None:
        if self.app is not None:
            self.app.call_later(self.app.leave)  # among its own messages: it may not run yet
        elif self._task is not None:
            self._task.cancel()


def _draw(
    first: Watched, here: Surroundings, actions: Table, heard: _Heard, curtain: Curtain
) -> None:
    settings, environ = here.settings, os.environ
    scene = first.scene(
        heard.view, heard.connection, clock.now_us(), settings.tzinfo(), settings.read_only
    )
    size = shutil.get_terminal_size()
    rows = first_picture(scene, actions, size.columns, size.lines)
    if not rows:
        return
    no_color = "NO_COLOR" in environ
    colours = colours_of(environ)
    name = palette_name("ansi-dark" if no_color else settings.theme, colours, environ)
    ink = Ink(PALETTES[name], colours, plain=no_color, ascii_only=bool(settings.ascii))
    lines = ink.lines(rows, size.columns)
    curtain.show(ink.text(lines), Picture(lines, size.columns, size.lines))
