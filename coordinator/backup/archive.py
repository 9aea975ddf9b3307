"""A backup as a file: a tar archive, compressed with gzip, whose members have fixed names.

Nothing of what an archive says decides where anything is written.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final

from tocsin.errors import ConfigError
from tocsin.instants import SECOND_US

from . import manifest as manifests
from .manifest import Manifest, Member

LEVEL: Final = 3
"""Of gzip: higher ones take several times as long, and save a tenth."""
_MANIFEST_BYTES_MAX: Final = 1 << 20
_CHUNK: Final = 1 << 20
_MODE: Final = 0o600


def described(path: Path) -> Member:
    """A file as a manifest names it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Member(name=path.name, size=file.tell(), sha256=digest)


def write(file: BinaryIO, manifest: Manifest, folder: Path) -> None:
    """Write a backup of the files of a folder that its manifest names.

    Raises:
        OSError: it cannot be written.
    """
    at_s = manifest.made_us // SECOND_US
    with (
        gzip.GzipFile("", "wb", LEVEL, file, mtime=at_s) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        data = manifests.to_json(manifest)
        tar.addfile(_header(manifests.NAME, len(data), at_s), io.BytesIO(data))
        for member in manifest.members:
            with (folder / member.name).open("rb") as content:
                tar.addfile(_header(member.name, member.size, at_s), content)


def _header(name: str, size: int, at_s: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = size, at_s, _MODE
    return header


def unpack(file: BinaryIO, name: str, folder: Path) -> Manifest:
    """Write what a backup holds into a folder, each file as its manifest says that it is.

    Args:
        file: the backup.
        name: what it is called, for errors.
        folder: empty; left with some of the files when there is an error.

    Raises:
        ConfigError: it is no backup, damaged, or of a newer program.
        OSError: it cannot be read, or the folder not be written.
    """
    with (
        _said(name),
        gzip.GzipFile(fileobj=file, mode="rb") as packed,
        tarfile.open(fileobj=packed, mode="r|") as tar,
    ):
        members = iter(tar)
        manifest = manifests.from_json(_manifest(tar, next(members, None)))
        for wanted in manifest.members:
            header = next(members, None)
            if header is None:
                raise ConfigError(f"{wanted.name} is missing in it")
            _unpack(_content(tar, header, wanted.name), wanted, folder)
        extra = next(members, None)
        if extra is not None:
            raise ConfigError(f"it holds {extra.name!r}, which no backup has")
        while packed.read(_CHUNK):
            pass  # its end has the checksum over all of it
    return manifest


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """A backup to be read; `-` is standard input.

    Raises:
        ConfigError: it cannot be read.
    """
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115 - what is done with it has errors of its own
    except OSError as error:
        raise ConfigError(f"{file}: cannot read it: {error.strerror}") from error
    with source:
        yield source


@contextmanager
def _said(name: str) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{name}: {error.message}", error.hint or "take another backup") from None
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ConfigError(
            f"{name}: no backup, damaged, or cut short: {error}", "take another backup"
        ) from error


def _manifest(tar: tarfile.TarFile, header: tarfile.TarInfo | None) -> bytes:
    if header is None or header.name != manifests.NAME or header.size > _MANIFEST_BYTES_MAX:
        raise ConfigError(f"no backup: it does not begin with a {manifests.NAME}")
    return _content(tar, header, manifests.NAME).read()


def _content(tar: tarfile.TarFile, header: tarfile.TarInfo, name: str) -> IO[bytes]:
    content = tar.extractfile(header) if header.isreg() else None
    if header.name != name or content is None:
        raise ConfigError(f"it holds {header.name!r} where the file {name} should be")
    return content


def _unpack(content: IO[bytes], wanted: Member, folder: Path) -> None:
    digest, size = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(folder / wanted.name, flags, _MODE), "wb") as file:  # noqa: PTH123 - a descriptor
        while chunk := content.read(_CHUNK):
            size += len(chunk)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if size != wanted.size or digest.hexdigest() != wanted.sha256:
        raise ConfigError(f"{wanted.name} in it is not what its manifest says: it is damaged")
