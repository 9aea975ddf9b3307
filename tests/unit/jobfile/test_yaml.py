"""YAML's traps, and how far a text may go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.jobfile.writing import dump_yaml
from tocsin.jobfile.yaml_text import UnreadableError, read_yaml

_SCALARS = [
    ("on", "on"),
    ("no", "no"),
    ("y", "y"),
    ("Yes", "Yes"),
    ("true", True),
    ("False", False),
    ("~", None),
    ("null", None),
    ("", None),
    ("1:30", "1:30"),
    ("190:20:30", "190:20:30"),
    ("2026-01-01", "2026-01-01"),
    ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ("017", 17),
    ("0o17", 15),
    ("0x1F", 31),
    ("0b11", "0b11"),
    ("1_000", "1_000"),
    ("-5", -5),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("1.", 1.0),
    ("=", "="),
    ("'5'", "5"),
    ('"true"', "true"),
    ("1.2.3", "1.2.3"),
]


@pytest.mark.parametrize(("text", "value"), _SCALARS)
def test_a_scalar_is_read_by_the_core_schema(text: str, value: object) -> None:
    """Only what YAML 1.2's core schema knows is anything but text."""
    read = read_yaml(f"a: {text}\n").value
    assert read == {"a": value}
    assert isinstance(read, dict)
    assert type(read["a"]) is type(value)


def test_a_key_such_as_on_stays_text() -> None:
    """`on:` is a key of that name."""
    assert read_yaml("on: 1\nno: 2\n").value == {"on": 1, "no": 2}


def test_a_double_key_is_a_fault_and_the_first_counts() -> None:
    """Reading goes on, so that other faults are found too."""
    document = read_yaml("a: 1\nb:\n  c: 1\n  c: 2\n")
    assert document.value == {"a": 1, "b": {"c": 1}}
    assert document.faults == [(("b", "c"), 4, "this key stands here twice, first in line 3")]


def test_blocks_are_merged_under_what_is_there() -> None:
    """`<<` brings the keys that a block lacks, each with the line it comes from."""
    document = read_yaml("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n")
    assert document.value == {"a": {"x": 1, "y": 2}, "b": {"y": 3, "x": 1}}
    assert document.lines["b", "x"] == 1
    assert document.lines["b", "y"] == 4
    assert document.lines["b",] == 2


_UNREADABLE = [
    ("a: [1\nb: 2", "not YAML"),
    ("a: \x01", "control character"),
    ("a: *x", "undefined alias"),
    ("&a [*a]", "nested more than 50 deep"),
    ("[" * 100_000, "nested too deeply"),
    ("[" * 60 + "]" * 60, "nested more than 50 deep"),
    ("--- a\n--- b", "another document"),
    ("a: !!python/object/apply:os.system [x]", "means nothing here"),
    ("a: !!timestamp 2026-01-01", "means nothing here"),
    ("a: !mine x", "means nothing here"),
    ("a: !!int x", "not what its tag says"),
    ("a: {<<: 5}", "merges blocks of keys only"),
    ("a: " + "9" * 5000, "not what its tag says"),
]


@pytest.mark.parametrize(("text", "said"), _UNREADABLE)
def test_what_is_not_plain_data_is_refused(text: str, said: str) -> None:
    """No tag constructs anything, nothing recurses without end, and nothing overflows."""
    with pytest.raises(UnreadableError, match=said):
        read_yaml(text)


def test_aliases_that_multiply_are_refused() -> None:
    """Nine lists of nine lists … of one text are counted as what they stand for."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(UnreadableError, match="aliases written out"):
        read_yaml("\n".join(lines))


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


@given(
    _PLAIN | st.sampled_from(["0o17", "1e3", "on", "1:30", "<<", "=", "0x1F", "1_0", "2026-01-01"])
)
def test_what_is_written_reads_back(value: object) -> None:
    """Text that either version of YAML takes for something else is quoted."""
    assert read_yaml(dump_yaml(value)).value == value
