"""What this machine allows at best, measured beside what we do."""

from __future__ import annotations

import heapq
import os
import select
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

import zmq

from tocsin import clock
from tocsin.link.alarm import Alarm

_C_SPAWN: Final = r"""
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
/* spawn PROGRAM COUNT WORKERS: each worker keeps two children under way */
int main(int argc, char **argv) {
  int count = atoi(argv[2]), workers = atoi(argv[3]), status;
  char *words[] = {argv[1], 0};
  for (int i = 0; i < workers; i++) {
    if (fork()) continue;
    int started = 0, live = 0, wanted = count / workers;
    while (started < wanted || live) {
      while (live < 2 && started < wanted) {
        pid_t pid;
        if (posix_spawn(&pid, argv[1], 0, 0, words, environ)) _exit(1);
        live++; started++;
      }
      if (wait(&status) > 0) live--;
    }
    _exit(0);
  }
  while (wait(&status) > 0) if (status) return 1;
  return 0;
}
"""
_IDLE_PEER: Final = """
import sys, msgpack, zmq
port, server_key, public, secret = sys.argv[1:]
socket = zmq.Context().socket(zmq.DEALER)
socket.curve_serverkey = server_key.encode()
socket.curve_publickey, socket.curve_secretkey = public.encode(), secret.encode()
socket.connect(f"tcp://127.0.0.1:{port}")
while True:
    socket.send(msgpack.packb(["heartbeat", "session", 0, 0]))
    if socket.poll(1000):
        msgpack.unpackb(socket.recv())
        socket.poll(1000)
"""


class Spawner(NamedTuple):
    """The fastest way to start processes that is to be had here."""

    kind: str
    argv: list[str] | None
    """None: there is no C compiler, and Python's os.posix_spawn stands in."""

    def runs_a_second(self, program: str, count: int) -> float:
        """Processes started and waited for, on all processors."""
        workers = len(os.sched_getaffinity(0))
        began_s = time.perf_counter()
        if self.argv is not None:
            subprocess.run([*self.argv, program, str(count), str(workers)], check=True)
        else:
            _spawn_in_python(program, count, workers)
        return count / (time.perf_counter() - began_s)


def spawner(folder: Path) -> Spawner:
    """Compile the C program, where there is a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return Spawner("os.posix_spawn, one process a processor", None)
    source, program = folder / "spawn.c", folder / "spawn"
    source.write_text(_C_SPAWN)
    subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=True)
    return Spawner("C posix_spawn, one process a processor", [str(program)])


def _spawn_in_python(program: str, count: int, workers: int) -> None:
    pids = []
    for _ in range(workers):
        pid = os.fork()
        if pid == 0:
            for _ in range(count // workers):
                os.waitpid(os.posix_spawn(program, [program], os.environ), 0)
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


class WakeUps:
    """A bare timerfd on the wall clock: the lag from an instant to the first line after it."""

    def __init__(self) -> None:
        self._alarm = Alarm()
        self._poll = select.poll()
        self._poll.register(self._alarm.fd, select.POLLIN)

    def lag_ms(self, at_us: int) -> float:
        """Sleep until the instant; how late it was seen."""
        self._alarm.set(at_us)
        self._poll.poll()
        lag_us = clock.now_us() - at_us
        self._alarm.acknowledge(clock.now_us())
        return lag_us / 1e3

    def close(self) -> None:
        """Give the descriptor back."""
        self._alarm.close()


def load_heap_ms(database: Path) -> float:
    """Read (due, id) of all jobs from the database, and make a heap of them."""
    began_s = time.perf_counter()
    connection = sqlite3.connect(database)
    pairs = connection.execute(
        "SELECT next_due_us, id FROM job WHERE next_due_us IS NOT NULL"
    ).fetchall()
    heapq.heapify(pairs)
    took_s = time.perf_counter() - began_s
    connection.close()
    return took_s * 1e3


class IdlePeers:
    """A process that does nothing but zmq, CURVE, msgpack and a heartbeat a second."""

    def __init__(self) -> None:
        server, own = zmq.curve_keypair(), zmq.curve_keypair()
        self._router = zmq.Context().socket(zmq.ROUTER)
        self._router.curve_publickey, self._router.curve_secretkey = server
        self._router.curve_server = True
        port = self._router.bind_to_random_port("tcp://127.0.0.1")
        keys = [key.decode() for key in (server[0], *own)]
        self.process = subprocess.Popen([sys.executable, "-c", _IDLE_PEER, str(port), *keys])

    def serve(self, seconds: float) -> None:
        """Answer its heartbeats for so long."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            if self._router.poll(round(left_s * 1000)):
                self._router.send_multipart(self._router.recv_multipart())

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        self._router.close(linger=0)
