"""The connections: one client for all requests of the same TLS and proxy settings."""

from __future__ import annotations

import ssl
from typing import Final

import httpx

from tocsin.errors import ExecutorError

from .config import HttpConfig

REDIRECTS_MAX: Final = 10
_CONNECT_S: Final = 30.0
_LIMITS: Final = httpx.Limits(
    max_connections=None, max_keepalive_connections=100, keepalive_expiry=30.0
)
Settings = tuple[str | None, str | None, str | None, bool, str | None, bool, int]


class Clients:
    """Made on first use, and kept: a TLS context costs more than a request."""

    def __init__(self) -> None:
        self._clients: dict[Settings, httpx.AsyncClient] = {}

    def client_for(self, config: HttpConfig) -> httpx.AsyncClient:
        """The client for a request.

        Raises:
            ExecutorError: a file of certificates cannot be used, or the proxy is none.
        """
        settings = (
            config.cert, config.key, config.ca, config.verify, config.proxy, config.http2,
            redirects_of(config),
        )  # fmt: skip
        client = self._clients.get(settings)
        if client is None:
            client = self._clients[settings] = _client(config)
        return client


def redirects_of(config: HttpConfig) -> int:
    """How many redirects are followed."""
    return REDIRECTS_MAX if config.redirects is True else int(config.redirects)


def _client(config: HttpConfig) -> httpx.AsyncClient:
    by_environment = config.proxy == "env"
    try:
        return httpx.AsyncClient(
            verify=_context(config),
            http2=config.http2,
            proxy=None if by_environment else config.proxy,
            trust_env=by_environment,
            timeout=httpx.Timeout(None, connect=_CONNECT_S),
            limits=_LIMITS,
            max_redirects=redirects_of(config),
            headers={"user-agent": "tocsin"},
        )
    except (ValueError, httpx.InvalidURL) as error:
        raise ExecutorError("`proxy` is no url of a proxy; write http://HOST:PORT") from error
    except ImportError as error:
        hint = "install what it needs: pip install 'tocsin[http]'"
        raise ExecutorError(f"the http executor lacks {error.name}", hint) from error


def _context(config: HttpConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ca)
    except (OSError, ssl.SSLError) as error:
        raise ExecutorError(f"`ca` {config.ca}: {_why(error)}") from error
    if config.cert is not None:
        try:
            context.load_cert_chain(config.cert, config.key, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            which = f"{config.cert}, {config.key}" if config.key else config.cert
            raise ExecutorError(f"`cert` {which}: {_why(error)}") from error
    if not config.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no certificate or key in PEM, or they do not belong together ({error.reason})"
    return (isinstance(error, OSError) and error.strerror) or str(error)
