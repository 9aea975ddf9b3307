"""Archives: what was packed is unpacked, and nothing else is."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tocsin.coordinator.backup import archive, manifest
from tocsin.coordinator.backup.manifest import Manifest
from tocsin.coordinator.backup.taking import take
from tocsin.errors import ConfigError

from .places import made

Entry = tuple[tarfile.TarInfo, bytes]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup."""
    path = tmp_path / "backup.tar.gz"
    take(made(tmp_path / "data"), path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder, two levels down."""
    path = tmp_path / "outer/inner"
    path.mkdir(parents=True)
    return path


def unpacked(path: Path, folder: Path) -> Manifest:
    """What a file comes to."""
    with path.open("rb") as file:
        return archive.unpack(file, path.name, folder)


def entries_of(path: Path) -> list[Entry]:
    """All members of an archive."""
    with tarfile.open(path) as tar:
        return [(it, tar.extractfile(it).read()) for it in tar]  # type: ignore[union-attr] # files


def packed(path: Path, entries: list[Entry]) -> None:
    """Write members as an archive."""
    with tarfile.open(path, "w:gz") as tar:
        for header, data in entries:
            header.size = len(data) if header.isreg() else 0
            tar.addfile(header, io.BytesIO(data))


def test_what_was_packed_is_unpacked(backup: Path, folder: Path) -> None:
    """Each file as it was, readable for its owner alone."""
    found = unpacked(backup, folder)

    assert [member.name for member in found.members] == list(manifest.MEMBERS)
    assert {path.name for path in folder.iterdir()} == set(manifest.MEMBERS)
    assert {archive.described(path) for path in folder.iterdir()} == set(found.members)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert backup.stat().st_mode & 0o777 == 0o600


def test_what_is_cut_short_is_refused(backup: Path, tmp_path: Path) -> None:
    """Wherever it ends."""
    data = backup.read_bytes()
    for number, length in enumerate([*range(0, len(data), 97), len(data) - 1]):
        backup.write_bytes(data[:length])
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(ConfigError, match=r"backup\.tar\.gz: "):
            unpacked(backup, folder)


def test_a_changed_byte_is_noticed_or_of_no_consequence(backup: Path, tmp_path: Path) -> None:
    """A few bits of gzip's mean nothing; then what is unpacked is what was packed."""
    data = backup.read_bytes()
    for number, at in enumerate(range(0, len(data), 53)):
        broken = bytearray(data)
        broken[at] ^= 0x55
        backup.write_bytes(broken)
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            unpacked(backup, folder)
        except ConfigError:
            continue
        assert gzip.decompress(broken) == gzip.decompress(data)


def _renamed(name: str) -> Callable[[list[Entry]], list[Entry]]:
    def change(entries: list[Entry]) -> list[Entry]:
        entries[1][0].name = name
        return entries

    return change


def _linked(kind: bytes, target: str) -> Callable[[list[Entry]], list[Entry]]:
    def change(entries: list[Entry]) -> list[Entry]:
        entries[1][0].type, entries[1][0].linkname = kind, target
        return entries

    return change


def _added(name: str) -> Callable[[list[Entry]], list[Entry]]:
    return lambda entries: [*entries, (tarfile.TarInfo(name), b"more")]


def _said(**fields: Any) -> Callable[[list[Entry]], list[Entry]]:
    def change(entries: list[Entry]) -> list[Entry]:
        said = msgspec.json.decode(entries[0][1]) | fields
        return [(entries[0][0], msgspec.json.encode(said)), *entries[1:]]

    return change


FOREIGN: dict[str, tuple[Callable[[list[Entry]], list[Entry]], str]] = {
    "a way out": (_renamed("../../evil"), "it holds '../../evil' where"),
    "an absolute name": (_renamed("/tmp/evil"), "where the file tocsin.db should be"),
    "a symbolic link": (_linked(tarfile.SYMTYPE, "/etc/passwd"), "it holds 'tocsin.db' where"),
    "a hard link": (_linked(tarfile.LNKTYPE, "/etc/passwd"), "it holds 'tocsin.db' where"),
    "a folder": (_linked(tarfile.DIRTYPE, ""), "it holds 'tocsin.db' where"),
    "a pipe": (_linked(tarfile.FIFOTYPE, ""), "it holds 'tocsin.db' where"),
    "one file more": (_added("crontab"), "it holds 'crontab', which no backup has"),
    "one file twice": (_added("admin.key"), "it holds 'admin.key', which no backup has"),
    "one file less": (lambda entries: entries[:-1], "admin.key is missing in it"),
    "another order": (lambda entries: entries[::-1], "it does not begin with a manifest.json"),
    "no manifest": (lambda entries: entries[1:], "it does not begin with a manifest.json"),
    "nothing": (lambda _: [], "it does not begin with a manifest.json"),
    "other content": (
        lambda entries: [entries[0], (entries[1][0], entries[1][1][::-1]), *entries[2:]],
        "tocsin.db in it is not what its manifest says",
    ),
    "a later format": (_said(format=2), "it has format 2, this program knows 1"),
    "no format": (_said(format="new"), "its manifest is wrong"),
    "other names": (
        _said(members=[{"name": "../evil", "size": 4, "sha256": ""}]),
        "its manifest names other files than a backup has",
    ),
    "no database": (_said(members=[]), "its manifest names other files than a backup has"),
}


@pytest.mark.parametrize("what", list(FOREIGN))
def test_foreign_archives_are_refused(
    backup: Path, tmp_path: Path, folder: Path, what: str
) -> None:
    """They say why, and nothing is written outside of the folder."""
    change, words = FOREIGN[what]
    packed(backup, change(entries_of(backup)))
    before = set(tmp_path.rglob("*"))

    with pytest.raises(ConfigError) as caught:
        unpacked(backup, folder)

    assert words in caught.value.message
    assert caught.value.hint
    assert {path for path in tmp_path.rglob("*") if folder not in path.parents} == before


@pytest.mark.parametrize("data", [b"", b"jobs: {}\n", gzip.compress(b"jobs: {}\n" * 100)])
def test_what_is_no_archive_is_refused(tmp_path: Path, folder: Path, data: bytes) -> None:
    """A job file, for one, be it compressed."""
    path = tmp_path / "jobs.yaml"
    path.write_bytes(data)

    with pytest.raises(ConfigError, match=r"jobs\.yaml: no backup"):
        unpacked(path, folder)
