"""A fleet of real processes in a directory of its own, and the client that uses it."""

from __future__ import annotations

import contextlib
import enum
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Self

from tocsin import clock
from tocsin.agent.config import AgentConfig
from tocsin.agent.enrol import enrol, request, with_token
from tocsin.agent.process import command_line, settings_variable
from tocsin.config import Places, find_places, read_context
from tocsin.errors import LinkError
from tocsin.keys import load_or_make_keypair
from tocsin.link import new_keypair
from tocsin.messages.client_answers import AgentsPage, Done, Status, Token
from tocsin.messages.client_link import CreateToken, GetStatus, ListAgents, PutJobs, RunJobs
from tocsin.messages.enrolment import Enrolled
from tocsin.model import AgentState, Job, Overlap, Run
from tocsin.session import Session

DEADLINE_S: Final = 120.0
LIST_MAX: Final = 1_000
"""Runs asked for in one message."""
_LOOPBACK: Final = "127.0.0.1"


class Size(enum.StrEnum):
    """How long to measure."""

    TINY = "tiny"
    """Seconds: shows that it works, and says nothing about speed."""
    SHORT = "short"
    FULL = "full"

    def pick(self, tiny: int, short: int, full: int) -> int:
        """The number for this size."""
        return {Size.TINY: tiny, Size.SHORT: short, Size.FULL: full}[self]


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A directory on a disk: /tmp may be memory, where nothing has to be flushed."""
    base = os.environ.get("TOCSIN_BENCH_DIR") or tempfile.gettempdir()
    if os.major(Path(base).stat().st_dev) == 0:  # a file system without a device
        base = "/var/tmp"
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def no_op(name: str, schedule: Sequence[str] = ()) -> Job:
    """A job whose run is over as soon as it has begun."""
    return Job(
        name=name,
        executor="scripted",
        config={},
        schedule=list(schedule),
        overlap=Overlap.ALLOW,
    )


class Fleet:
    """One coordinator and some agents. Leave the context to end them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = _free_ports()
        self.coordinator: subprocess.Popen[bytes] | None = None
        self.agents: list[subprocess.Popen[bytes]] = []
        self._session: Session | None = None

    def __enter__(self) -> Self:
        self.start_coordinator()
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        for process in (*self.agents, self.coordinator):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self._end_hosts()

    def hang_up(self) -> None:
        """End the session; nobody asks anything any more."""
        if self._session is not None:
            self._session.close()
            self._session = None

    @property
    def session(self) -> Session:
        """The administrator's session."""
        assert self._session is not None
        return self._session

    def places(self, who: str) -> Places:
        """The directories of a member."""
        return find_places({"TOCSIN_HOME": str(self.home / who)})

    # Members.

    def start_coordinator(self) -> None:
        """Start it, and wait until it answers."""
        self.coordinator = self.spawn_coordinator({})
        admin = self.places("coordinator").data_dir / "coordinator" / "admin.toml"
        _until(admin.exists)
        self._session = Session(read_context(admin))
        _until(self._answers)

    def spawn_coordinator(self, environ: dict[str, str]) -> subprocess.Popen[bytes]:
        """Its process."""
        return self._spawn(
            "coordinator",
            [sys.executable, "-P", "-m", "tocsin.cli", "coordinator", "--bind", _LOOPBACK,
             "--port", str(self.ports[0]), "--enrol-port", str(self.ports[1])],
            environ,
        )  # fmt: skip

    def _answers(self) -> bool:
        try:
            return isinstance(self.session.ask(GetStatus(), timeout_s=1.0), Status)
        except LinkError:
            return False

    def start_agents(self, count: int, *, slots: int) -> None:
        """Let agents in and start them, and wait until all are up."""
        server_key = self.session.context.server_key
        token = self.session.answer(Token, CreateToken(uses=count))
        for number in range(count):
            name = f"agent-{number}"
            places = self.places(name)
            key_file = places.data_dir / "agent" / "agent.key"
            own = load_or_make_keypair(key_file, new_keypair)
            asked = with_token(request(name, {}), token.id, token.secret, own.public, server_key)
            answer = enrol(_LOOPBACK, self.ports[1], own, server_key, asked)
            assert isinstance(answer, Enrolled), answer
            config = AgentConfig(
                data_dir=places.data_dir / "agent",
                run_dir=places.run_dir / "agent",
                endpoint=f"tcp://{_LOOPBACK}:{self.ports[0]}",
                server_key=server_key,
                key_file=key_file,
                slots=slots,
            )
            self.agents.append(self._spawn(name, command_line(), settings_variable(config)))
        _until(lambda: self._up() == count)

    def _up(self) -> int:
        rows = self.session.answer(AgentsPage, ListAgents()).rows
        return sum(agent.state is AgentState.UP for agent in rows)

    def _spawn(
        self, who: str, arguments: list[str], environ: dict[str, str]
    ) -> subprocess.Popen[bytes]:
        (self.home / who).mkdir(parents=True, exist_ok=True)
        with (self.home / f"{who}.log").open("ab") as log:
            return subprocess.Popen(
                arguments,
                env={**os.environ, "TOCSIN_HOME": str(self.home / who), **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def host_pids(self) -> list[int]:
        """The hosts of executors."""
        home = os.fsencode(self.home)
        processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [int(entry.name) for entry in processes if _was_started_below(home, entry)]

    def _end_hosts(self) -> None:
        for pid in self.host_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # Work.

    def put(self, jobs: Sequence[Job]) -> None:
        """Define jobs."""
        for first in range(0, len(jobs), LIST_MAX):
            self.session.ask(PutJobs(list(jobs[first : first + LIST_MAX])), timeout_s=60)

    def submit(self, names: Sequence[str]) -> list[str]:
        """Ask for one run each, in lists; the ids."""
        ids: list[str] = []
        for first in range(0, len(names), LIST_MAX):
            part = RunJobs(list(names[first : first + LIST_MAX]))
            ids += self.session.answer(Done, part, timeout_s=60).names
        return ids

    def submit_all(self, name: str, count: int, clients: int) -> None:
        """As `submit`, by so many clients at once: one is always heard while another thinks."""
        lists = iter([LIST_MAX] * (count // LIST_MAX) + [count % LIST_MAX])
        lock = threading.Lock()

        def client() -> None:
            with Session(self.session.context) as session:
                while True:
                    with lock:
                        size = next(lists, 0)
                    if not size:
                        return
                    session.ask(RunJobs([name] * size), timeout_s=60)

        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def until_idle(self) -> None:
        """Wait until no run is under way: the end of each is durable then."""
        _until(lambda: self.session.answer(Status, GetStatus(), timeout_s=60).runs_active == 0)

    def runs(self, job: str = "", limit: int | None = None) -> list[Run]:
        """Runs, newest first."""
        return list(self.session.runs(job, limit=limit))


def _until(look: Callable[[], bool]) -> None:
    end_s = clock.monotonic_s() + DEADLINE_S
    while not look():
        if clock.monotonic_s() > end_s:
            raise TimeoutError(f"waited {DEADLINE_S:.0f} s in vain")
        time.sleep(0.01)


def _free_ports() -> tuple[int, int]:
    with socket.create_server((_LOOPBACK, 0)) as one, socket.create_server((_LOOPBACK, 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


def _was_started_below(home: bytes, entry: Path) -> bool:
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(word.startswith(home) for word in words)
