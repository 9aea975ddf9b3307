"""Whom a request trusts and as whom it comes, from files, read anew when one of them changes."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from typing import Final

from tocsin.errors import ExecutorError

from .config import HttpConfig

CONTEXTS_MAX: Final = 32
_Version = tuple[str, int, int]


class TlsContexts:
    """Made on first use, and kept: a context costs more than a request."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[object, ...], ssl.SSLContext] = {}

    def context_for(self, config: HttpConfig, *, http2: bool) -> ssl.SSLContext:
        """The context for a request; httpcore names in it the versions of HTTP that it offers.

        Raises:
            ExecutorError: a file of certificates cannot be used.
        """
        files = [(name, getattr(config, name)) for name in ("ca", "cert", "key")]
        settings = (*_versions(files), config.verify, http2)
        context = self._contexts.pop(settings, None) or _context(config)
        self._contexts[settings] = context  # the last one used is the last in it
        if len(self._contexts) > CONTEXTS_MAX:
            del self._contexts[next(iter(self._contexts))]
        return context


def _versions(files: Iterable[tuple[str, str | None]]) -> list[_Version | None]:
    return [None if path is None else _version(name, path) for name, path in files]


def _version(name: str, path: str) -> _Version:
    try:
        status = os.stat(path)  # noqa: PTH116 - said as it was given
    except (OSError, ValueError) as error:
        raise ExecutorError(f"`{name}` {path}: {_why(error)}") from error
    return path, status.st_mtime_ns, status.st_ino


def _context(config: HttpConfig) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ca)
    except (OSError, ssl.SSLError) as error:
        raise ExecutorError(f"`ca` {config.ca}: {_why(error)}") from error
    if config.cert is not None:
        _identify(context, config.cert, config.key)
    if not config.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _identify(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    asked = False

    def password() -> str:
        nonlocal asked
        asked = True
        return ""

    which = f"`cert` {cert}" if key is None else f"`cert` {cert}, `key` {key}"
    try:
        context.load_cert_chain(cert, key, password)
    except (OSError, ssl.SSLError, ValueError) as error:
        if asked:
            hint = f"take it off: openssl pkey -in {key or cert} -out NEW"
            raise ExecutorError(f"{which}: the key has a passphrase", hint) from error
        raise ExecutorError(f"{which}: {_why(error)}") from error


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is not that of the certificate"
        return f"no certificate or key in PEM ({error.reason or 'empty'})"
    return (isinstance(error, OSError) and error.strerror) or str(error)
