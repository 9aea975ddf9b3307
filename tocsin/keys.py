"""Key pairs and the files that hold them: two lines, `public HEX` and `secret HEX`, mode 0600.

How a pair is made, and what it is used for, is the business of `tocsin.link`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from tocsin import clock
from tocsin.credentials import is_credential
from tocsin.errors import ConfigError

_FILE: Final = re.compile(r"public ([0-9a-f]{64})\nsecret ([0-9a-f]{64})\n?", re.ASCII)
_FILE_BYTES_MAX: Final = 4096
_OTHERS: Final = 0o077


class KeyPair(msgspec.Struct, frozen=True):
    """A CURVE key pair (rfc.zeromq.org/spec/26); each half is 64 lowercase hex digits."""

    public: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public!r}, secret=<hidden>)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("public", self.public)]


def read_keypair(path: Path) -> KeyPair:
    """The pair in the file `path`.

    Raises:
        ConfigError: missing, unreadable, not a key file, or open to others than its owner.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(_FILE_BYTES_MAX)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no key file", "check the path") from error
    except OSError as error:
        raise _io_error(path, "read", error) from error
    if mode & _OTHERS and not is_credential(path, os.environ):
        raise ConfigError(
            f"{path}: mode {mode:04o} lets others use this secret key", f"chmod 600 {path}"
        )
    match = _FILE.fullmatch(data.decode("ascii", "replace"))
    if match is None:
        raise ConfigError(
            f"{path}: not a Tocsin key file", "restore it from a backup, or move it away"
        )
    return KeyPair(match[1], match[2])


def write_keypair(path: Path, pair: KeyPair) -> None:
    """Put `pair` into the file `path`, whole or not at all, in place of what was there.

    Raises:
        ConfigError: the file or its directory cannot be written.
    """
    _put(path, pair, os.replace)


def load_or_make_keypair(path: Path, make: Callable[[], KeyPair]) -> KeyPair:
    """The pair in the file `path`; where there is none, `make()` one and keep it there.

    Of several processes that do this at once, all end up with the same pair.

    Raises:
        ConfigError: as `read_keypair` and `write_keypair`.
    """
    if not os.path.lexists(path):
        _put(path, make(), _link_unless_there)
    return read_keypair(path)


def _put(path: Path, pair: KeyPair, into_place: Callable[[Path, Path], None]) -> None:
    draft = path.with_name(f".{path.name}.{clock.new_ulid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write_new(draft, f"public {pair.public}\nsecret {pair.secret}\n".encode("ascii"))
            into_place(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except OSError as error:
        raise _io_error(path, "write", error) from error


def _write_new(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:  # noqa: PTH123 - Path cannot open a descriptor
        file.write(data)
        file.flush()
        os.fsync(fd)


def _link_unless_there(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return  # another process was first: its pair counts


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _io_error(path: Path, verb: str, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path}: cannot {verb} the key file: {error.strerror}",
        f"check owner and mode: ls -ld {path.parent} {path}",
    )
