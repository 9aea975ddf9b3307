"""Key files: kept whole, kept to their owner, and never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tocsin.errors import ConfigError
from tocsin.keys import KeyPair, load_or_make_keypair, read_keypair, write_keypair

PAIR = KeyPair("ab" * 32, "cd" * 32)
OTHER = KeyPair("01" * 32, "23" * 32)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """A pair survives the way through its file."""
    write_keypair(tmp_path / "key", PAIR)
    assert read_keypair(tmp_path / "key") == PAIR


def test_file_and_directory_are_for_their_owner_alone(tmp_path: Path) -> None:
    """A new key file has mode 0600, in a new directory of mode 0700, and leaves no draft."""
    write_keypair(tmp_path / "new" / "key", PAIR)
    assert _mode(tmp_path / "new" / "key") == 0o600
    assert _mode(tmp_path / "new") == 0o700
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["key"]


def test_writing_replaces(tmp_path: Path) -> None:
    """A second pair takes the place of the first, and is closed to others even if that was not."""
    write_keypair(tmp_path / "key", PAIR)
    (tmp_path / "key").chmod(0o644)
    write_keypair(tmp_path / "key", OTHER)
    assert read_keypair(tmp_path / "key") == OTHER


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_open_file_is_refused(tmp_path: Path, mode: int) -> None:
    """A key file that others may use is an error whose hint is the line that closes it."""
    path = tmp_path / "key"
    write_keypair(path, PAIR)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"{mode:04o}") as caught:
        read_keypair(path)
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "public abc\nsecret def\n",
        "\0" * 5000,
        f"public {'AB' * 32}\nsecret {'cd' * 32}\n",
        f"public {'ab' * 32}\nsecret {'cd' * 32}\nmore\n",
        f"secret {'cd' * 32}\npublic {'ab' * 32}\n",
    ],
)
def test_other_content_is_refused(tmp_path: Path, text: str) -> None:
    """What is not exactly a key file is an error that does not repeat the content."""
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not a Tocsin key file") as caught:
        read_keypair(path)
    assert "cd" * 32 not in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A missing file is an error that names it."""
    with pytest.raises(ConfigError, match="gone: there is no key file"):
        read_keypair(tmp_path / "gone")


def test_a_directory_in_its_place_is_named(tmp_path: Path) -> None:
    """Other trouble with the file is told as the system tells it."""
    with pytest.raises(ConfigError, match="Is a directory"):
        read_keypair(tmp_path)
    with pytest.raises(ConfigError, match="cannot write"):
        write_keypair(tmp_path, PAIR)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        write_keypair(tmp_path / "file" / "key", PAIR)


def test_a_pair_is_made_once(tmp_path: Path) -> None:
    """The first load makes a pair, later ones find it."""
    path = tmp_path / "new" / "key"
    assert load_or_make_keypair(path, lambda: PAIR) == PAIR
    assert load_or_make_keypair(path, lambda: OTHER) == PAIR


def test_of_two_makers_the_first_counts(tmp_path: Path) -> None:
    """Whoever loses the race to make the pair takes the winner's."""
    path = tmp_path / "key"

    def make_too_late() -> KeyPair:
        write_keypair(path, OTHER)
        return PAIR

    assert load_or_make_keypair(path, make_too_late) == OTHER
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_the_secret_is_not_shown() -> None:
    """Neither repr nor a pretty printer shows the secret."""
    assert PAIR.secret not in repr(PAIR)
    assert PAIR.secret not in str(PAIR)
    assert PAIR.secret not in str(PAIR.__rich_repr__())
    assert PAIR.public in repr(PAIR)
