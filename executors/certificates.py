"""What a client believes and shows in TLS."""

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
        try:
            context.load_cert_chain(cert, key, password="")
        except (OSError, ssl.SSLError, ValueError) as error:
            which = f"{cert}, {key}" if key else cert
            raise ExecutorError(f"`cert` {which}: {_why(error)}") from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no certificate or key in PEM, or they do not belong together ({error.reason})"
    return (isinstance(error, OSError) and error.strerror) or str(error)
