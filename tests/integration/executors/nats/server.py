"""Real NATS servers, each a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Self

DEADLINE_S = 30.0
_CONNECTED = "Client connection created"


class NatsServer:
    """A server that listens on a port of the loopback interface; `config` is in its own format.

    It starts with the object, and keeps its port when it is started again.
    """

    def __init__(self, folder: Path, config: str = "", *, jetstream: bool = False) -> None:
        self.port = 0
        self.log: list[str] = []
        self._folder = folder
        self._config = (
            f"jetstream: {{ store_dir: {folder}/store }}\n{config}" if jetstream else config
        )
        self._said = threading.Condition()
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where to connect to."""
        return f"nats://{self.address}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        file = self._folder / "server.conf"
        file.write_text(f"listen: 127.0.0.1:{self.port or -1}\ndebug: true\n{self._config}\n")
        self.log.clear()
        self._process = subprocess.Popen(
            [find_server(), "-c", str(file)], stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        line = self.await_line("Listening for client connections on")
        self.port = int(line.rpartition(":")[2])
        self.await_line("Server is ready")

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._said:
                self.log.append(line.strip())
                self._said.notify_all()

    def await_line(self, text: str, count: int = 1) -> str:
        """Wait until it has logged `count` lines with this text; the last of them."""
        found: list[str] = []

        def there() -> bool:
            found[:] = [line for line in self.log if text in line]
            return len(found) >= count

        with self._said:
            assert self._said.wait_for(there, DEADLINE_S), f"no {text!r} in {self.log}"
        return found[count - 1]

    def connections(self, least: int) -> int:
        """Wait until so many clients have connected since its start; how many there were."""
        self.await_line(_CONNECTED, least)
        return sum(_CONNECTED in line for line in self.log)

    def freeze(self) -> None:
        """Stop it where it stands; the kernel goes on taking connections for it."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)  # all its threads

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def bow_out(self) -> None:
        """Go into lame duck mode."""
        self._process.send_signal(signal.SIGUSR2)
        self.await_line("Entering lame duck mode")

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stderr is not None
        self._process.stderr.close()


def find_server() -> str:
    """The path of the program.

    Raises:
        FileNotFoundError: and says how to get it.
    """
    path = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if path is None:
        raise FileNotFoundError("nats-server is missing; `make services` installs it on Debian")
    return path
