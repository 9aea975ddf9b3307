"""A server, another client of it, and a host of the executor."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.contract.host_client import Agent, Host

from .peer import Peer
from .server import NatsServer, find_server


@pytest.fixture(autouse=True, scope="session")
def _service() -> None:
    """Without the server there is nothing to test; in CI that is a failure."""
    try:
        find_server()
    except FileNotFoundError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server that lets everybody do everything."""
    with NatsServer(tmp_path_factory.mktemp("server"), jetstream=True) as made:
        yield made


@pytest.fixture
def peer(server: NatsServer) -> Iterator[Peer]:
    """Another client of it."""
    with Peer(server.url) as made:
        yield made


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host of the executor."""
    made = Host("nats", tmp_path_factory.mktemp("run"), 600)
    yield made
    made.end()
    assert made.log() == "", "nothing that a server does is a fault of ours"


@pytest.fixture
def agent(host: Host) -> Agent:
    """Its agent."""
    return host.connect()
