"""Who we are to a server: the fields of CONNECT that prove it."""

from __future__ import annotations

import base64
import re
from typing import Final

from tocsin.errors import ExecutorError

from .settings import Settings

_BYTES_MAX: Final = 64 << 10
_BLOCK: Final = re.compile(r"-{3,}BEGIN ([A-Z ]+?)-{3,}\s*(\S+)\s*-{3,}END \1-{3,}", re.ASCII)
_JWT: Final = "NATS USER JWT"
_SEED: Final = "USER NKEY SEED"


def proof(settings: Settings, nonce: str) -> dict[str, object]:
    """The fields; keys prove themselves by signing the server's nonce, if it has one.

    Raises:
        ExecutorError: a file cannot be used, or a library is missing.
    """
    if settings.user is not None:
        return {"user": settings.user, "pass": settings.password}
    if settings.token is not None:
        return {"auth_token": settings.token}
    if nonce and settings.nkey is not None:
        seed = _read("nkey", settings.nkey).strip()
        public_key, signature = _sign("nkey", settings.nkey, seed, nonce)
        return {"nkey": public_key, "sig": signature}
    if nonce and settings.creds is not None:
        blocks = dict(_BLOCK.findall(_read("creds", settings.creds)))
        if _JWT not in blocks or _SEED not in blocks:
            raise ExecutorError(f"`creds` {settings.creds}: holds no {_JWT} with its {_SEED}")
        _, signature = _sign("creds", settings.creds, blocks[_SEED], nonce)
        return {"jwt": blocks[_JWT], "sig": signature}
    return {}


def _read(key: str, path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - said as it was given
            return file.read(_BYTES_MAX).decode()
    except OSError as error:
        raise ExecutorError(f"`{key}` {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ExecutorError(f"`{key}` {path}: is not text") from None


def _sign(key: str, path: str, seed: str, nonce: str) -> tuple[str, str]:
    """The public key of a seed, and its signature of the nonce."""
    try:
        import nkeys
    except ImportError as error:
        hint = "install what it needs: pip install 'tocsin[nats]'"
        raise ExecutorError(f"`{key}` needs {error.name}", hint) from error
    try:
        pair = nkeys.from_seed(bytearray(seed.encode()))
        signature = pair.sign(nonce.encode())
        public_key: str = pair.public_key.decode()
    except (nkeys.NkeysError, ValueError, IndexError):  # nothing of a seed may be shown
        raise ExecutorError(f"`{key}` {path}: holds no seed of an nkey") from None
    return public_key, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
