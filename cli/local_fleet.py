"""A coordinator and an agent on this machine, made and kept alive by one process."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from typing import Final

from tocsin import clock
from tocsin.agent.config import AgentConfig
from tocsin.agent.enrol import enrol, request, with_token
from tocsin.agent.process import command_line, settings_variable
from tocsin.config import Context, Places, read_context
from tocsin.errors import ConfigError, LinkError, TocsinError
from tocsin.keys import KeyPair, load_or_make_keypair
from tocsin.link import new_keypair
from tocsin.lock import DirectoryLock
from tocsin.messages.client_answers import AgentsPage, Status, Token
from tocsin.messages.client_link import CreateToken, GetStatus, ListAgents
from tocsin.messages.enrolment import Enrolled
from tocsin.model import Agent, AgentState
from tocsin.own_process import own_command
from tocsin.session import Session

from .supervisor import Child, Supervisor

PORTS: Final = (7370, 7371)
START_S: Final = 20.0
DRAIN_S: Final = 15.0
_LOOPBACK: Final = "127.0.0.1"
_SETTING: Final = re.compile(r"^(port|enrol_port) = (\d+)$", re.MULTILINE)


class LocalFleet:
    """Made by `start`, kept alive by `supervisor`, ended by `close`."""

    def __init__(self, places: Places) -> None:
        self.supervisor: Final = Supervisor()
        self.agent_name: Final = socket.gethostname().partition(".")[0] or "local"
        self._places = places
        self._data = places.data_dir / "coordinator"
        self._coordinator: Child | None = None
        self._agent: Child | None = None
        self._session: Session | None = None

    @property
    def context(self) -> Context:
        """The administrator's way to this coordinator."""
        return read_context(self._data / "admin.toml")

    @property
    def session(self) -> Session:
        """A session with this coordinator, once `start` is through."""
        assert self._session is not None, "start comes first"
        return self._session

    def start(self) -> None:
        """Start both, and wait until the agent is up.

        Raises:
            TocsinError: another one runs here, or one of them does not start; says why.
        """
        DirectoryLock(self._data / "coordinator.lock", "a coordinator").release()
        ports = self._ports()
        logs = self._places.log_dir
        argv = [*own_command("tocsin.cli"), "coordinator", "--bind", _LOOPBACK]
        argv += ["--port", str(ports[0]), "--enrol-port", str(ports[1]), "--data", str(self._data)]
        coordinator = Child("coordinator", argv, logs / "coordinator.log")
        self._coordinator = self.supervisor.add(coordinator)
        self._session = self._connect(coordinator)
        environ = settings_variable(self._agent_config(ports))
        agent = Child("agent", command_line(), logs / "agent.log", environ)
        self._agent = self.supervisor.add(agent)
        self._until(agent, self._agent_is_up, "the agent to be up")

    def _ports(self) -> tuple[int, int]:
        """The ports of last time, the usual ones, or free ones, whichever nobody listens on."""
        memory = self._data / "ports.toml"
        wanted = list(PORTS)
        if memory.exists():
            said = dict(_SETTING.findall(memory.read_text()))
            wanted = [int(said.get(key, 0)) for key in ("port", "enrol_port")]
        ports = [port if port and _is_free(port) else _free_port() for port in wanted]
        memory.write_text(f"port = {ports[0]}\nenrol_port = {ports[1]}\n")
        return ports[0], ports[1]

    def _connect(self, coordinator: Child) -> Session:
        session: list[Session] = []

        def answers() -> bool:
            if not session:
                if not (self._data / "admin.toml").exists():
                    return False
                session.append(Session(self.context))
            try:
                return isinstance(session[0].ask(GetStatus(), timeout_s=1.0), Status)
            except LinkError:
                return False

        self._until(coordinator, answers, "the coordinator to answer")
        return session[0]

    def _agent_config(self, ports: tuple[int, int]) -> AgentConfig:
        folder = self._places.data_dir / "agent"
        key_file = folder / "agent.key"
        own = load_or_make_keypair(key_file, new_keypair)
        if not any(agent.key == own.public for agent in self._agents()):
            self._let_in(own, ports[1])
        return AgentConfig(
            data_dir=folder,
            run_dir=self._places.run_dir / "agent",
            endpoint=f"tcp://{_LOOPBACK}:{ports[0]}",
            server_key=self.context.server_key,
            key_file=key_file,
            secrets_dir=self._places.config_dir / "secrets",
            drain_s=DRAIN_S,
        )

    def _let_in(self, own: KeyPair, enrol_port: int) -> None:
        names = {agent.name for agent in self._agents()}
        name = self.agent_name if self.agent_name not in names else clock.new_ulid()
        token = self.session.answer(Token, CreateToken())
        server_key = self.context.server_key
        asked = with_token(request(name, {}), token.id, token.secret, own.public, server_key)
        answer = enrol(_LOOPBACK, enrol_port, own, server_key, asked)
        if not isinstance(answer, Enrolled):
            raise TocsinError(f"the agent was not let in: {answer}")

    def _agents(self) -> list[Agent]:
        return list(self.session.answer(AgentsPage, ListAgents()).rows)

    def _agent_is_up(self) -> bool:
        rows = self.session.answer(AgentsPage, ListAgents()).rows
        return any(agent.state is AgentState.UP for agent in rows)

    def _until(self, child: Child, look: Callable[[], bool], what: str) -> None:
        until_s = clock.monotonic_s() + START_S
        while not look():
            for ended, code in self.supervisor.tend(0.05):
                if ended is child and code == 2:  # noqa: PLR2004 - bad input: it would end again
                    raise ConfigError(f"the {child.name} did not start", child.log_tail())
            if clock.monotonic_s() > until_s:
                raise TocsinError(
                    f"waited {START_S:.0f} s in vain for {what}",
                    f"{child.log_file} says:\n{child.log_tail()}",
                )

    def supervise_beside(self, program: Callable[[], int]) -> int:
        """Keep both alive while `program` runs; its result."""
        over = threading.Event()

        def tend() -> None:
            while not over.is_set():
                self.supervisor.tend(0.2)

        watcher = threading.Thread(target=tend, name="supervisor")
        watcher.start()
        try:
            return program()
        finally:
            over.set()
            watcher.join()

    def retire_agent(self) -> None:
        """Have the agent take nothing new, and end when its runs are over."""
        if self._agent is not None:
            self._agent.ask_to_end()

    def close(self) -> None:
        """End both."""
        if self._agent is not None:
            self.supervisor.stop(self._agent, DRAIN_S + 5)
        if self._session is not None:
            self._session.close()
        if self._coordinator is not None:
            self.supervisor.stop(self._coordinator, 10)


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((_LOOPBACK, port)):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server((_LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port
