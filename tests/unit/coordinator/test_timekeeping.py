"""What a coordinator remembers about time from one start to the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tocsin import clock
from tocsin.coordinator.machine.machine import Deadline
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.coordinator.timekeeping import IDLE_US, SEEN, ZONES, Timekeeper, zone_data_version
from tocsin.instants import SECOND_US, Now


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    """A store in memory."""
    opened = SqliteStore(None)
    yield opened
    opened.close()


def now() -> Now:
    """The real clocks."""
    wall_us, steady_us, _ = clock.read_all()
    return Now(wall_us, steady_us)


def later(at: Now, seconds: float) -> Now:
    """Both clocks so much later."""
    return Now(at.wall_us + round(seconds * SECOND_US), at.steady_us + round(seconds * SECOND_US))


def test_the_first_coordinator_was_never_down(store: SqliteStore) -> None:
    """There is nothing to compare with."""
    keeper = Timekeeper(store)

    keeper.begin(now())

    assert keeper.take() == []


@pytest.mark.parametrize(
    ("seen_s", "kinds"), [(-60, ["down"]), (-0.5, []), (0.5, []), (3600, ["step"])]
)
def test_the_next_one_knows_since_when(store: SqliteStore, seen_s: float, kinds: list[str]) -> None:
    """The last sign of life was then; one that lies ahead says that the clock was set back."""
    at = now()
    seen_us = later(at, seen_s).wall_us
    store.stage_setting(SEEN, seen_us)
    keeper = Timekeeper(store)

    keeper.begin(at)

    noticed = keeper.take()
    assert [incident.kind for incident in noticed] == kinds
    for incident in noticed:
        assert {incident.from_us, incident.until_us} == {seen_us, at.wall_us}
    assert keeper.take() == []


def test_signs_of_life_are_few(store: SqliteStore) -> None:
    """One a second goes with other commits; an idle coordinator leaves one in thirty seconds."""
    keeper, at = Timekeeper(store), now()
    keeper.stamp(at)
    store.commit()

    keeper.stamp(later(at, 29))
    assert not store.dirty
    keeper.stamp(later(at, 30))
    assert store.setting(SEEN) == later(at, 30).wall_us
    store.commit()
    store.stage_setting("other", 1)
    keeper.stamp(later(at, 30.5))
    assert store.setting(SEEN) == later(at, 30).wall_us
    keeper.stamp(later(at, 31))
    assert store.setting(SEEN) == later(at, 31).wall_us
    keeper.stamp(later(at, 31.1), last=True)
    assert store.setting(SEEN) == later(at, 31.1).wall_us


def test_an_idle_coordinator_wakes_up_for_a_sign_of_life(store: SqliteStore) -> None:
    """At the latest; an earlier deadline of the steady clock goes before, the wall's is apart."""
    keeper, at = Timekeeper(store), now()
    nothing = Deadline(None, None)

    assert keeper.before_sleep(None, nothing, at) == at.steady_us + IDLE_US
    assert keeper.before_sleep(at.steady_us + 5, nothing, at) == at.steady_us + 5
    assert keeper.before_sleep(None, Deadline(at.wall_us + 1, None), at) == at.steady_us + IDLE_US


def test_an_outage_of_the_store_is_a_stall_with_its_reason(store: SqliteStore) -> None:
    """From its beginning to its end, told once."""
    keeper, at = Timekeeper(store), now()
    keeper.store_failed(at, "the disk is full")
    keeper.store_failed(later(at, 5), "the disk is full")

    keeper.store_mended(later(at, 20))

    (stall,) = keeper.take()
    assert (stall.kind, stall.detail) == ("stall", "the disk is full")
    assert (stall.from_us, stall.until_us) == (at.wall_us, later(at, 20).wall_us)
    keeper.store_mended(later(at, 21))
    assert keeper.take() == []


def test_other_zone_data_than_before_is_noticed_once(store: SqliteStore) -> None:
    """What is first found is remembered; it is looked at again only after an hour."""
    at = now()
    assert Timekeeper(store).zones_changed(at) == ""
    assert store.setting(ZONES) == zone_data_version()

    store.stage_setting(ZONES, "1999a")
    keeper = Timekeeper(store)
    assert keeper.zones_changed(at) == f"{zone_data_version()}, before 1999a"
    assert [incident.kind for incident in keeper.take()] == ["zones"]
    store.stage_setting(ZONES, "1999a")
    assert keeper.zones_changed(later(at, 3599)) == ""
    assert keeper.zones_changed(later(at, 3600)) != ""
