"""A host of the executor, and the servers that it asks."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.contract.host_client import Agent, Host

from .web import Web


@pytest.fixture
def web() -> Iterator[Web]:
    """A server without TLS."""
    made = Web()
    yield made
    made.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the certificates."""
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """Paths of the authority and of a client's certificate."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    client = authority.issue_cert("client@example.org")
    client.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    return {"ca": str(tmp_path / "ca.pem"), "cert": str(tmp_path / "client.pem")}


@pytest.fixture
def secured(authority: trustme.CA) -> ssl.SSLContext:
    """The TLS of a server that wants a client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
def secure(secured: ssl.SSLContext) -> Iterator[Web]:
    """A server with TLS that wants a client's certificate."""
    made = Web(secured)
    yield made
    made.close()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host of the executor."""
    made = Host("http", tmp_path_factory.mktemp("run"), 600)
    yield made
    made.end()


@pytest.fixture
def agent(host: Host) -> Iterator[Agent]:
    """Its agent."""
    made = host.connect()
    yield made
    made.vanish()
