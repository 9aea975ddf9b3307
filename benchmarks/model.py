"""The least that any such system does for a no-op run: no retries, no logs, no leases, no checks.

A client sends lists of wanted runs to a coordinator, which commits them, sends them to an agent,
commits the ends that come back, and tells the client: msgpack over CURVE between three processes,
SQLite in WAL mode with synchronous FULL, one transaction for all that is ready at a time.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

import msgpack
import zmq

CREDIT: Final = 1_000
LIST: Final = 1_000
PATIENCE_MS: Final = 60_000
_INSERT: Final = "INSERT INTO run VALUES (?, ?, ?, 1, ?, NULL, NULL, NULL)"
_UPDATE: Final = "UPDATE run SET state = 3, started = ?, ended = ?, code = ? WHERE id = ?"
_SCHEMA: Final = (
    "CREATE TABLE run (id INTEGER PRIMARY KEY, job TEXT, agent TEXT, state INTEGER,"
    " created INTEGER, started INTEGER, ended INTEGER, code INTEGER);"
    "CREATE INDEX run_job ON run (job, id);"
)
_SPEC: Final = {"executor": "scripted", "config": {}, "timeout": 60.0, "env": {"JOB": "noop"}}

_Keys = tuple[bytes, bytes]


def runs_a_second(folder: Path, count: int) -> float:
    """How many runs a second the model gets through, seen by its client."""
    server, peers = zmq.curve_keypair(), (zmq.curve_keypair(), zmq.curve_keypair())
    pipe = os.pipe()
    coordinator = _fork(lambda: _coordinate(server, folder / f"model-{time.time_ns()}.db", pipe[1]))
    port = int.from_bytes(os.read(pipe[0], 4), "big")
    for fd in pipe:
        os.close(fd)
    agent = _fork(lambda: _act(_dial(port, server[0], peers[0])))
    took_s = _ask(_dial(port, server[0], peers[1]), count)
    for pid in (agent, coordinator):
        os.waitpid(pid, 0)
    return count / took_s


def _fork(work: Any) -> int:  # noqa: ANN401 - any function
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def _dial(port: int, server_key: bytes, own: _Keys) -> zmq.Socket[bytes]:
    dealer = zmq.Context().socket(zmq.DEALER)
    dealer.curve_serverkey = server_key
    dealer.curve_publickey, dealer.curve_secretkey = own
    dealer.set_hwm(0)
    dealer.rcvtimeo = PATIENCE_MS
    dealer.connect(f"tcp://127.0.0.1:{port}")
    return dealer


def _ask(dealer: zmq.Socket[bytes], count: int) -> float:
    dealer.send(msgpack.packb(["ready"]))
    dealer.recv()  # the agent is there too
    began_s = time.perf_counter()
    for first in range(0, count, LIST):
        dealer.send(msgpack.packb(["run", ["noop"] * min(LIST, count - first)]))
    left = count
    while left:
        left -= len(msgpack.unpackb(dealer.recv()))
    took_s = time.perf_counter() - began_s
    dealer.send(msgpack.packb(["stop"]))
    dealer.recv()
    return took_s


def _act(dealer: zmq.Socket[bytes]) -> None:
    dealer.send(msgpack.packb(["agent"]))
    while orders := msgpack.unpackb(dealer.recv()):
        ends = []
        for order in orders:
            began_us = time.time_ns() // 1000
            ends.append((began_us, time.time_ns() // 1000, 0, order[0]))
        dealer.send(msgpack.packb(["ends", ends]))


def _coordinate(own: _Keys, path: Path, told: int) -> None:
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = FULL")
    store.executescript(_SCHEMA)
    router = zmq.Context().socket(zmq.ROUTER)
    router.curve_publickey, router.curve_secretkey = own
    router.curve_server = True
    router.set_hwm(0)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    os.write(told, port.to_bytes(4, "big"))
    _Coordinator(router, store).serve()


class _Coordinator:
    def __init__(self, router: zmq.Socket[bytes], store: sqlite3.Connection) -> None:
        self._router = router
        self._store = store
        self._agent = self._client = b""
        self._credit = CREDIT
        self._next_id = 1
        self._wanted: list[str] = []
        self._ends: list[Any] = []
        self._stopped = False

    def serve(self) -> None:
        while not self._stopped:
            if not self._router.poll(PATIENCE_MS):
                return
            self._drain()
            self._turn()
        for route in (self._agent, self._client):
            self._router.send_multipart([route, msgpack.packb([])])
        self._router.close()

    def _drain(self) -> None:
        while self._router.poll(0):
            route, data = self._router.recv_multipart()
            said = msgpack.unpackb(data)
            match said[0]:
                case "agent":
                    self._agent = route
                case "ready":
                    self._client = route
                case "run":
                    self._wanted += said[1]
                    continue
                case "ends":
                    self._ends += said[1]
                    continue
                case "stop":
                    self._stopped = True
            if self._agent and self._client and not self._stopped:
                self._router.send_multipart([self._client, msgpack.packb([])])

    def _turn(self) -> None:
        ends, self._ends = self._ends, []
        self._credit += len(ends)
        jobs, self._wanted = self._wanted[: self._credit], self._wanted[self._credit :]
        self._credit -= len(jobs)
        if not jobs and not ends:
            return
        created_us = time.time_ns() // 1000
        rows = [(self._next_id + at, job, "agent", created_us) for at, job in enumerate(jobs)]
        self._next_id += len(rows)
        self._store.execute("BEGIN IMMEDIATE")
        self._store.executemany(_INSERT, rows)
        self._store.executemany(_UPDATE, ends)
        self._store.execute("COMMIT")
        if rows:
            orders = msgpack.packb([(row[0], row[1], _SPEC) for row in rows])
            self._router.send_multipart([self._agent, orders])
        if ends:
            self._router.send_multipart([self._client, msgpack.packb([end[3] for end in ends])])
