"""A sample of what `python -m tests.unit.schedule.every_change` goes through."""

from __future__ import annotations

from random import Random  # noqa: TID251 - seeded: a difference comes again

import pytest

from tests.unit.schedule.every_change import changes_of, differences, zones

# Changes of every kind: half an hour, two hours, a whole day forward and back, midnight, summer
# time as standard time, Ramadan, and an odd number of seconds.
_NOTABLE = [
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/Santiago",
    "Antarctica/Troll",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Kwajalein",
]
_ZONES = 25
_CHANGES = 3


def _sample(names: list[str], chance: Random) -> list[tuple[str, int]]:
    found = []
    for name in names:
        all_changes = changes_of(name)
        found += [(name, at) for at in chance.sample(all_changes, min(_CHANGES, len(all_changes)))]
    return found


@pytest.mark.parametrize("name", _NOTABLE)
def test_a_notable_zone(name: str) -> None:
    """Due times around its changes are those that a look at every minute finds."""
    for _, change in _sample([name], Random(name)):
        assert list(differences(name, change, 4)) == []


def test_any_zone() -> None:
    """So are those around changes of zones by chance."""
    chance = Random("any zone")
    for name, change in _sample(chance.sample(zones(), _ZONES), chance):
        assert list(differences(name, change, 4)) == []
