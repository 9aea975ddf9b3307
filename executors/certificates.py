"""Whom a client trusts, and as whom it comes, in TLS."""

from __future__ import annotations

import ssl

from tocsin.errors import ExecutorError


def client_context(
    ca: str | None, cert: str | None, key: str | None, *, verify: bool
) -> ssl.SSLContext:
    """A context for connections to servers; all are paths of PEM files.

    Raises:
        ExecutorError: a file cannot be used; says which, by the name of its key.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ExecutorError(f"`ca` {ca}: {_why(error)}") from error
    if cert is not None:
        _identify(context, cert, key)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _identify(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    is_locked = False

    def passphrase() -> str:
        nonlocal is_locked
        is_locked = True
        return ""

    which = f"`cert` {cert}" if key is None else f"`cert` {cert}, `key` {key}"
    try:
        context.load_cert_chain(cert, key, passphrase)
    except (OSError, ssl.SSLError, ValueError) as error:
        why = "the key has a passphrase" if is_locked else _why(error)
        raise ExecutorError(f"{which}: {why}") from error


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is not that of the certificate"
        return f"no certificate or key in PEM ({error.reason or 'empty'})"
    return (isinstance(error, OSError) and error.strerror) or str(error)
