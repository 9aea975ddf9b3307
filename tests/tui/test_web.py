"""The TUI in a browser: who is let in, and what a headless Chromium shows."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.tui.coordinator import Coordinator
from tests.tui.driving import fleet
from tocsin.config import Context, write_context
from tocsin.keys import write_keypair

DEADLINE_S = 60.0
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--remote-debugging-port=0", "--window-size=1200,800",
)  # fmt: skip


@contextmanager
def served(coordinator: Coordinator, home: Path) -> Iterator[str]:
    """`tocsin web` for this coordinator; its address."""
    write_keypair(home / "config/client.key", coordinator.client_pair)
    context = Context(
        name="prod-eu",
        endpoint=coordinator.endpoint,
        server_key=coordinator.server_key,
        key_file=home / "config/client.key",
    )
    write_context(home / "config/context.toml", context)
    process = subprocess.Popen(
        [sys.executable, "-m", "tocsin.cli", "web", "--port", "0"],
        env={**os.environ, "TOCSIN_HOME": str(home), "TERM": "dumb"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(DEADLINE_S)
        process.stdout.close()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where the usual fleet is shown."""
    (tmp_path / "config").mkdir()
    with fleet() as coordinator, served(coordinator, tmp_path) as address:
        yield address


def split(address: str) -> tuple[str, str]:
    """Origin and secret."""
    match = re.fullmatch(r"(http://127\.0\.0\.1:\d+)/([\w-]{43})/", address)
    assert match is not None, address
    return match[1], match[2]


def test_only_who_knows_the_address_is_let_in(address: str) -> None:
    """Neither pages, nor files, nor the socket, nor a page of another origin that knows it."""
    origin, secret = split(address)

    async def ask(path: str, **headers: str) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{origin}{path}", headers=headers) as response,
        ):
            return response.status

    async def dial(path: str, **headers: str) -> int:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(f"{origin}{path}", headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    async def check() -> None:
        wrong = secret[::-1]
        for path in ("/", "/static/js/textual.js", f"/{wrong}/", f"/{secret[:-1]}/"):
            assert await ask(path) == 404
        for path in ("/ws", f"/{wrong}/ws"):
            assert await dial(path) == 404
        assert await ask(f"/{secret}/", Host="rebound.example.org") == 403
        assert await dial(f"/{secret}/ws", Origin="http://127.0.0.1:1") == 403
        assert await ask(f"/{secret}/") == 200
        assert await ask(f"/{secret}/static/js/textual.js") == 200
        assert await dial(f"/{secret}/ws", Origin=origin) == 101

    asyncio.run(check())


class Page:
    """A page in Chromium, over its debugging protocol (chromedevtools.github.io)."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent = 0
        self.received = b""
        """What the terminal of the page got so far."""
        self.answered: list[str] = []
        """What the page got from where."""

    async def do(self, method: str, **params: Any) -> Any:
        """Have something done; its result."""
        self._sent += 1
        number = self._sent
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            told = await self._read()
            if told.get("id") == number:
                return told.get("result", told)

    async def press(self, key: str) -> None:
        """Press a key that has a letter."""
        for kind in ("keyDown", "keyUp"):
            await self.do("Input.dispatchKeyEvent", type=kind, text=key, key=key)

    async def until(self, *texts: str) -> None:
        """Wait until all of these were received."""
        async with asyncio.timeout(DEADLINE_S):
            while not all(text.encode() in self.received for text in texts):
                await self._read()

    async def _read(self) -> dict[str, Any]:
        told: dict[str, Any] = await self._socket.receive_json(timeout=DEADLINE_S)
        params = told.get("params", {})
        if told.get("method") == "Network.webSocketFrameReceived":
            frame = params["response"]
            data = frame["payloadData"]
            self.received += base64.b64decode(data) if frame["opcode"] == 2 else data.encode()
        elif told.get("method") == "Network.responseReceived":
            self.answered.append(params["response"]["url"])
        return told


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Page]:
    """An empty page."""
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("chromium is missing; `make services` installs it on Debian")
    process = await asyncio.create_subprocess_exec(
        program,
        *FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        authority = await _debugger(process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{authority}/json/list") as response:
                pages = [one for one in await response.json() if one["type"] == "page"]
            url = pages[0]["webSocketDebuggerUrl"]
            async with session.ws_connect(url, max_msg_size=0) as socket:
                page = Page(socket)
                for domain in ("Network", "Page", "Runtime"):
                    await page.do(f"{domain}.enable")
                yield page
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _debugger(process: asyncio.subprocess.Process) -> str:
    """Host and port of the debugging protocol, from what Chromium says first."""
    assert process.stderr is not None
    async with asyncio.timeout(DEADLINE_S):
        while line := (await process.stderr.readline()).decode():
            if match := re.search(r"DevTools listening on ws://([^/]+)/", line):
                return match[1]
    raise AssertionError("chromium ended")


def test_a_browser_shows_the_screens(address: str, tmp_path: Path) -> None:
    """The page draws them, keys reach them, and no other host is asked for anything."""

    async def play() -> None:
        async with chromium(tmp_path / "profile") as page:
            await page.do("Page.navigate", url=address)
            await page.until("etl-orders", "live")
            shown = await page.do(
                "Runtime.evaluate",
                expression="document.body.classList.contains('-first-byte')"
                " && document.querySelector('.xterm') !== null",
            )
            assert shown["result"]["value"] is True
            await page.do(
                "Runtime.evaluate", expression="document.querySelector('textarea').focus()"
            )
            await page.press("3")
            await page.until("BEGAN")
            assert any(url.startswith(address) for url in page.answered)
            assert all(url.startswith(split(address)[0]) for url in page.answered)

    asyncio.run(play())
