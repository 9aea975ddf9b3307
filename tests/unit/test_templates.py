"""Placeholders in an executor's block."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from tocsin.templates import faults, has_placeholders, render, values_of


class Block(msgspec.Struct):
    """A schema with one key that is taken as it stands."""

    line: Annotated[str | None, Meta(extra={"template": False})] = None
    text: str = ""
    more: dict[str, Any] = {}


VALUES = values_of(
    {"TOCSIN_RUN_ID": "R1", "TOCSIN_ATTEMPT": "2", "TOCSIN_JOB": "a", "TOCSIN_PARAM_DAY_OF": "7"},
    {"TOKEN": "s3cret"},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ run.id }}.{{run.attempt}}", "R1.2"),
        ("{{ job.name }}/{{ param.day_of }}", "a/7"),
        ("Bearer {{ secret.TOKEN }}", "Bearer s3cret"),
        ("due {{ run.due }}.", "due ."),
        ("{{ nothing }} {{.Go}} {% if %} {}", "{{ nothing }} {{.Go}} {% if %} {}"),
        (r"\{{ run.id }}", "{{ run.id }}"),
    ],
)
def test_filled_in(text: str, expected: str) -> None:
    """Known placeholders are filled in, other braces stay."""
    assert render({"text": text}, Block, VALUES) == {"text": expected}


def test_everywhere_but_where_it_would_be_code() -> None:
    """Lists and blocks are filled in to any depth; a literal key is left alone."""
    one = "{{ run.id }}"
    block = {"line": one, "text": one, "more": {"a": [one, {"b": one}], "n": 3}}
    done = {"line": one, "text": "R1", "more": {"a": ["R1", {"b": "R1"}], "n": 3}}
    assert render(block, Block, VALUES) == done
    assert has_placeholders(block, Block)
    assert not has_placeholders({"line": one}, Block)


def test_a_value_is_not_filled_in_again() -> None:
    """What a parameter holds is text, whatever it looks like."""
    values = {"param.a": "{{ secret.TOKEN }}", "secret.TOKEN": "x"}
    assert render({"text": "{{ param.a }}"}, Block, values) == {"text": "{{ secret.TOKEN }}"}


def test_unknown_names_are_faults_with_their_place() -> None:
    """A placeholder that stands for nothing is named at apply, with what was meant."""
    block = {"text": "{{ param.regoin }}", "more": {"a": ["{{ secret.X }}"]}}
    found = list(faults(block, Block, params={"region": None}, secrets={}))
    assert [place for place, _, _ in found] == [("text",), ("more", "a", 0)]
    assert found[0][1] == "{{ param.regoin }} stands for nothing"
    assert "param.region" in found[0][2]


def test_an_unknown_name_on_the_agent_says_where() -> None:
    """An order that was made by other rules ends with a sentence, not with a gap."""
    with pytest.raises(ValueError, match=r"more\.a\.0: .*param\.x"):
        render({"more": {"a": ["{{ param.x }}"]}}, Block, VALUES)


@given(st.text())
def test_text_without_braces_is_itself(text: str) -> None:
    """Nothing but placeholders is changed."""
    plain = text.replace("{{", "{")
    assert render({"text": plain}, Block, VALUES) == {"text": plain}
