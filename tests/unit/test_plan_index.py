"""The short word for what a plan was compared with."""

from __future__ import annotations

import pytest

from tocsin.model import Calendar, Pool
from tocsin.plan_index import hash_of, index_of, parse_index, shared_digest, shared_key

AT_US = 1_767_225_600_123_000


def test_an_index_can_be_read_back() -> None:
    """With its instant, to the millisecond; also in capitals, as somebody may type it."""
    index = index_of(hash_of({"a": 1}, {}), AT_US + 999)

    assert index == "mjuohs3f-" + hash_of({"a": 1}, {})
    assert parse_index(f" {index.upper()}\n") == (AT_US, hash_of({"a": 1}, {}))
    assert parse_index(index_of("0" * 10, 0)) == (0, "0" * 10)


@pytest.mark.parametrize("text", ["", "x", "mjuohs3f", "mjuohs3f-xyz", "-3f2a9c01de"])
def test_what_is_no_index_is_refused(text: str) -> None:
    """Before anything is compared with it."""
    with pytest.raises(ValueError, match="is no index of a plan"):
        parse_index(text)


def test_the_hash_depends_on_everything_but_the_order() -> None:
    """Names, versions, what is shared, and the options."""
    base = hash_of({"a": 1, "b": 2}, {"pool p": "x"})
    others = [
        hash_of({"a": 1, "b": 3}, {"pool p": "x"}),
        hash_of({"a": 1}, {"pool p": "x"}),
        hash_of({"a": 1, "b": 2}, {"pool p": "y"}),
        hash_of({"a": 1, "b": 2}, {"pool p": "x"}, ["prune"]),
    ]

    assert hash_of({"b": 2, "a": 1}, {"pool p": "x"}) == base
    assert len({base, *others}) == 5


def test_calendars_and_pools_have_digests_in_place_of_versions() -> None:
    """One that does not exist has none."""
    pool, calendar = Pool(name="p", slots=1), Calendar(name="p")

    assert (shared_key(pool), shared_key(calendar)) == ("pool p", "calendar p")
    assert shared_digest(None) == ""
    assert len({shared_digest(pool), shared_digest(Pool(name="p", slots=2))}) == 2
