"""A nats-server on this machine, where one is installed, with a service that echoes.

What is sent to `echo` comes back; what is sent to `silence` gets no answer. The service speaks the
client protocol of docs.nats.io, as far as it needs it.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from .verdict import LeftOut

START_S: Final = 10.0
_HELLO: Final = (
    b'CONNECT {"verbose":false,"headers":true}\r\nSUB echo 1\r\nSUB silence 2\r\nPING\r\n'
)


@contextlib.contextmanager
def local_nats() -> Iterator[str]:
    """Serve as long as the context lasts; the address.

    Raises:
        LeftOut: there is no nats-server on this machine.
    """
    program = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if program is None:
        raise LeftOut("nats-server is not installed here, so nothing was run")
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder]
        process = subprocess.Popen(  # noqa: S603 - found on the path
            [program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            port = _port(Path(folder) / f"nats-server_{process.pid}.ports")
            with socket.create_connection(("127.0.0.1", port)) as connection:
                _serve(connection)
                yield f"nats://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _port(file: Path) -> int:
    """The port that the server chose, which it writes into a file."""
    import time

    import msgspec

    for _ in range(int(START_S / 0.02)):
        if file.exists() and (text := file.read_bytes()).endswith((b"}", b"}\n")):
            url: str = msgspec.json.decode(text)["nats"][0]
            return int(url.rpartition(":")[2])
        time.sleep(0.02)
    raise LeftOut("nats-server does not start here")


def _serve(connection: socket.socket) -> None:
    """Subscribe, and answer in a thread until the connection ends."""
    stream = connection.makefile("rb")
    connection.sendall(_HELLO)
    while stream.readline() != b"PONG\r\n":  # then it is subscribed
        pass
    threading.Thread(target=_answer, args=(connection, stream), daemon=True).start()


def _answer(connection: socket.socket, stream: BinaryIO) -> None:
    with contextlib.suppress(OSError), stream:
        for line in stream:
            kind, *words = line.split()
            if kind == b"PING":
                connection.sendall(b"PONG\r\n")
            elif kind in {b"MSG", b"HMSG"}:  # subject, number, reply, [size of the headers,] size
                headers_size = int(words[3]) if kind == b"HMSG" else 0
                data = stream.read(int(words[-1]) + 2)[headers_size:-2]
                if words[0] == b"echo":
                    connection.sendall(b"PUB %s %d\r\n%s\r\n" % (words[2], len(data), data))
