"""A directory is backed up, handed over and restored."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from tocsin import clock
from tocsin.coordinator.backup import STAGED, archive
from tocsin.coordinator.backup.handover import check_not_handed_over
from tocsin.coordinator.backup.manifest import Manifest
from tocsin.coordinator.backup.restoring import Done, Wish, complete, restore
from tocsin.coordinator.backup.taking import hand_over, locked, take
from tocsin.coordinator.config import CoordinatorConfig
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.errors import ConfigError, StoreError
from tocsin.instants import SECOND_US
from tocsin.keys import load_or_make_keypair, read_keypair
from tocsin.link import new_keypair

from .places import add_runs, config_of, killed_at, made, runs_in

RENAMES_MAX = 30


def put_back(config: CoordinatorConfig, file: Path, **wish: object) -> Done:
    """Restore a backup."""
    with file.open("rb") as source:
        return restore(config, source, Wish(by="ann", file=file.name, **wish))  # type: ignore[arg-type] # in tests


def in_good_order(folder: Path) -> bool:
    """Whether nothing is left that a later command would have to deal with."""
    names = {path.name for path in folder.iterdir()}
    return not {name for name in names if name == STAGED or name.startswith(".")}


def test_a_backup_is_restored_elsewhere(tmp_path: Path) -> None:
    """Runs, keys and a later epoch; what nobody else may read, nobody else can."""
    old = made(tmp_path / "old", runs=3)
    file = tmp_path / "backup.tar.gz"
    take(old, file)
    new = config_of(tmp_path / "new")

    done = put_back(new, file)

    assert runs_in(new.data_dir) == runs_in(old.data_dir)
    assert read_keypair(new.key_file) == read_keypair(old.key_file)
    assert (done.aside, done.key_missing) == (None, False)
    assert abs(done.epoch - clock.now_us() // SECOND_US) < 60
    assert in_good_order(new.data_dir)
    assert new.data_dir.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in new.data_dir.iterdir()} == {0}
    store = SqliteStore(new.data_dir)
    assert store.next_epoch() == done.epoch
    assert store.stored().restore == done.restore
    assert store.setting("seen_us") == done.restore.restored_us
    store.close()


def test_a_backup_is_of_one_moment_while_others_write(tmp_path: Path) -> None:
    """What is committed before it is in it; a write goes on meanwhile and is not in its way."""
    config = made(tmp_path / "data", runs=50)
    before = runs_in(config.data_dir)
    store = SqliteStore(config.data_dir)
    for number in range(5):
        file = tmp_path / f"{number}.tar.gz"
        add_runs(store, 1)
        take(config, file)
        add_runs(store, 1)
        found = put_back(config_of(tmp_path / str(number)), file).manifest
        assert found.holds.runs == len(before) + 2 * number + 1
    store.close()


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    """It is refused, and with `replace` put aside whole, with what SQLite keeps beside it."""
    config = made(tmp_path / "data", runs=1)
    first = runs_in(config.data_dir)
    take(config, tmp_path / "backup.tar.gz")
    store = SqliteStore(config.data_dir)
    add_runs(store, 2)  # in the write-ahead log
    shutil.copytree(config.data_dir, tmp_path / "crashed")
    store.close()
    crashed = config_of(tmp_path / "crashed")

    with pytest.raises(ConfigError, match="holds a coordinator's database already"):
        put_back(crashed, tmp_path / "backup.tar.gz")
    done = put_back(crashed, tmp_path / "backup.tar.gz", replace=True)

    assert done.aside is not None
    assert runs_in(crashed.data_dir) == first
    assert len(runs_in(done.aside)) == 3
    assert (done.aside / "coordinator.key").exists()


def test_a_coordinator_at_work_is_left_alone(tmp_path: Path) -> None:
    """Nothing is restored or handed over under its hands."""
    config = made(tmp_path / "data")
    file = tmp_path / "backup.tar.gz"
    take(config, file)

    with locked(config.data_dir):
        take(config, file)
        for act in (
            lambda: put_back(config, file, replace=True),
            lambda: hand_over(config, tmp_path / "other.tar.gz"),
        ):
            with pytest.raises(ConfigError, match="a coordinator with pid"):
                act()
    assert not (tmp_path / "other.tar.gz").exists()


@pytest.mark.parametrize("used", [False, True])
def test_a_restore_that_is_killed_leaves_the_old_or_goes_on(tmp_path: Path, *, used: bool) -> None:
    """Before each of its renames; then the coordinator starts, or it is begun again."""
    old = made(tmp_path / "old", runs=2)
    file = tmp_path / "backup.tar.gz"
    take(old, file)
    wanted = runs_in(old.data_dir)
    for again in (True, False):
        for moment in range(1, RENAMES_MAX):
            config = config_of(tmp_path / f"{again}-{moment}")
            there = set[str]()
            if used:
                made(config.data_dir, runs=5)
                there = runs_in(config.data_dir)
            if not killed_at(moment, lambda c=config: put_back(c, file, replace=True)):  # type: ignore[misc] # of this turn
                break
            if again:
                put_back(config, file, replace=True)
                assert runs_in(config.data_dir) == wanted
                assert in_good_order(config.data_dir)
            else:
                complete(config.data_dir)
                assert runs_in(config.data_dir) in (wanted, there)
            if used:
                asides = list(config.data_dir.glob("replaced-*"))
                kept = [runs_in(aside) for aside in asides]
                assert there in (*kept, runs_in(config.data_dir))
                assert len(asides) <= 1
        assert 5 < moment < RENAMES_MAX - 1


def test_a_backup_that_is_killed_leaves_the_one_before(tmp_path: Path) -> None:
    """And what it leaves beside is removed by a later one."""
    config = made(tmp_path / "data")
    folder = tmp_path / "backups"
    folder.mkdir()
    file = folder / "backup.tar.gz"
    take(config, file)
    before = file.read_bytes()

    assert killed_at(1, lambda: take(config, file))

    assert file.read_bytes() == before
    (left,) = folder.glob(".*")
    take(config, file)
    assert left.exists()  # another one may just have made it
    long_ago = left.stat().st_mtime - 100
    os.utime(left, (long_ago, long_ago))
    take(config, file)
    assert list(folder.iterdir()) == [file]


def test_a_newer_schema_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    """It says so."""
    config = made(tmp_path / "data")
    take(config, tmp_path / "good.tar.gz")
    with closing(sqlite3.connect(config.data_dir / "tocsin.db")) as database:
        database.execute("INSERT INTO migration VALUES (4, ''), (5, '')")
        database.commit()
    with pytest.raises(StoreError, match="has schema 5, this program knows"):
        take(config, tmp_path / "backup.tar.gz")
    assert not (tmp_path / "backup.tar.gz").exists()

    _repack(tmp_path, config.data_dir / "tocsin.db")
    target = made(tmp_path / "target")
    before = {path.name: path.read_bytes() for path in target.data_dir.iterdir()}
    with pytest.raises(StoreError, match="has schema 5, this program knows"):
        put_back(target, tmp_path / "repacked.tar.gz", replace=True)
    after = {path.name: path.read_bytes() for path in target.data_dir.iterdir()}
    del after["coordinator.lock"]
    assert after == before


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    """Though its checksum is right."""
    config = made(tmp_path / "data", runs=200)
    take(config, tmp_path / "good.tar.gz")
    torn = tmp_path / "tocsin.db"
    data = bytearray((config.data_dir / "tocsin.db").read_bytes())
    data[8192:40960] = bytes(40960 - 8192)
    torn.write_bytes(data)
    _repack(tmp_path, torn)

    with pytest.raises(StoreError, match=r"tocsin\.db in it is damaged"):
        put_back(config_of(tmp_path / "new"), tmp_path / "repacked.tar.gz")
    assert not (tmp_path / "new/tocsin.db").exists()


def _repack(tmp_path: Path, database: Path) -> Manifest:
    """Make `repacked.tar.gz` of `good.tar.gz`, with another main database."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    with (tmp_path / "good.tar.gz").open("rb") as source:
        good = archive.unpack(source, "good", folder)
    shutil.copyfile(database, folder / "tocsin.db")
    members = [archive.described(folder / member.name) for member in good.members]
    changed = replace(good, members=members)
    with (tmp_path / "repacked.tar.gz").open("wb") as file:
        archive.write(file, changed, folder)
    return changed


def test_a_key_elsewhere_is_kept_in_it_and_goes_there(tmp_path: Path) -> None:
    """Where another one is, it is refused; where none is to be had, it is said."""
    config = made(tmp_path / "data")
    outside = tmp_path / "keys/coordinator.key"
    outside.parent.mkdir()
    config.key_file.rename(outside)
    config = replace(config, key_file=outside)
    take(config, tmp_path / "backup.tar.gz")
    pair = read_keypair(outside)

    elsewhere = replace(config_of(tmp_path / "new"), key_file=tmp_path / "new-keys/coordinator.key")
    put_back(elsewhere, tmp_path / "backup.tar.gz")
    assert read_keypair(elsewhere.key_file) == pair
    put_back(elsewhere, tmp_path / "backup.tar.gz", replace=True)

    other = replace(elsewhere, data_dir=tmp_path / "third", key_file=tmp_path / "other.key")
    load_or_make_keypair(other.key_file, new_keypair)
    with pytest.raises(ConfigError, match="the key of another coordinator"):
        put_back(other, tmp_path / "backup.tar.gz")

    outside.unlink()
    take(config, tmp_path / "keyless.tar.gz")
    assert put_back(config_of(tmp_path / "fourth"), tmp_path / "keyless.tar.gz").key_missing


def test_epochs_go_on(tmp_path: Path) -> None:
    """Whatever the clock says: later than the backup's, and not earlier than is asked for."""
    config = made(tmp_path / "data")
    store = SqliteStore(config.data_dir)
    later = clock.now_us() // SECOND_US + 10_000
    store.stage_setting("epoch", later)
    store.commit()
    store.close()
    file = tmp_path / "backup.tar.gz"
    take(config, file)

    assert put_back(config_of(tmp_path / "one"), file).epoch == later + 1
    assert put_back(config_of(tmp_path / "two"), file, epoch=later + 50).epoch == later + 50
    with pytest.raises(ConfigError, match=f"epoch {later} is over"):
        put_back(config_of(tmp_path / "three"), file, epoch=later)


def test_a_directory_that_was_handed_over_starts_no_coordinator(tmp_path: Path) -> None:
    """It says to which file, and its backup takes it back without more ado."""
    config = made(tmp_path / "data")
    check_not_handed_over(config.data_dir)
    file = tmp_path / "backup.tar.gz"

    assert hand_over(config, file).handed_over
    with pytest.raises(ConfigError, match=f"was handed over at .* to {file}"):
        check_not_handed_over(config.data_dir)
    assert hand_over(config, file).handed_over  # the file may have been lost

    done = put_back(config, file)
    check_not_handed_over(config.data_dir)
    assert done.restore.handed_over
    assert done.aside is not None
    store = SqliteStore(config.data_dir)
    assert store.setting("seen_us") is None  # it was away since its own last sign of life
    store.close()


def test_a_handover_that_fails_changes_nothing(tmp_path: Path) -> None:
    """There is no such file, so the coordinator can start."""
    config = made(tmp_path / "data")
    with pytest.raises(ConfigError, match="cannot write it"):
        hand_over(config, tmp_path / "nowhere/backup.tar.gz")
    check_not_handed_over(config.data_dir)


def test_a_handover_that_is_killed_starts_no_coordinator(tmp_path: Path) -> None:
    """Once it is marked there may be such a file; it is to be finished."""
    config = made(tmp_path / "data")
    file = tmp_path / "backup.tar.gz"
    for moment in range(1, RENAMES_MAX):
        if not killed_at(moment, lambda: hand_over(config, file)):
            break
        if moment == 1:
            check_not_handed_over(config.data_dir)
            continue
        with pytest.raises(ConfigError, match="and that was cut short"):
            check_not_handed_over(config.data_dir)
    assert moment > 2
    with pytest.raises(ConfigError, match="was handed over"):
        check_not_handed_over(config.data_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root works for somebody else")
def test_what_root_writes_belongs_to_whom_the_directory_does(tmp_path: Path) -> None:
    """Also the lock, the mark of a handover, and what is put aside; and a new directory."""
    config = made(tmp_path / "data")
    mine = (12_345, 23_456)
    for path in (config.data_dir, *config.data_dir.iterdir()):
        os.chown(path, *mine)
    file = tmp_path / "backup.tar.gz"

    hand_over(config, file)
    put_back(config, file)
    new = config_of(tmp_path / "var/lib/tocsin")
    with file.open("rb") as source:
        restore(new, source, Wish(by="ann", file="b"), owner=mine)

    for folder in (config.data_dir, tmp_path / "var"):
        for path in (folder, *folder.rglob("*")):
            assert (path.stat().st_uid, path.stat().st_gid) == mine, path


@pytest.mark.parametrize("name", ["data", "/dev/null"])
def test_only_files_are_written(tmp_path: Path, name: str) -> None:
    """What is there and is no file stays."""
    config = made(tmp_path / "data")
    with pytest.raises(ConfigError, match="is there, and no file"):
        take(config, tmp_path / name)


def test_a_directory_without_a_coordinator_has_nothing_to_back_up(tmp_path: Path) -> None:
    """It says where the databases should be."""
    with pytest.raises(ConfigError, match="there is no coordinator's database"):
        take(config_of(tmp_path / "none"), tmp_path / "backup.tar.gz")
