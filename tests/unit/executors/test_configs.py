"""The blocks of the in-tree executors, as a job file may have them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tocsin.execution import check_config
from tocsin.executors.scripted import Scripted
from tocsin.executors.shell import Shell


def test_a_string_is_a_command() -> None:
    """`shell: "…"` is its command."""
    assert check_config(Shell, "echo hi") == {"command": "echo hi"}


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({}, "exactly one of `command` and `argv`"),
        ({"command": "x", "argv": ["x"]}, "exactly one of `command` and `argv`"),
        ({"command": ""}, "command"),
        ({"command": "a\0b"}, "command"),
        ({"command": 1}, "command"),
        ({"argv": []}, "argv"),
        ({"argv": [""]}, "argv"),
        ({"argv": ["a", 1]}, "argv"),
        ({"argv": ["a", "b\0"]}, "argv"),
        ({"argv": "a b"}, "argv"),
        ({"command": "x", "cwd": ""}, "cwd"),
        ({"command": "x", "success_codes": []}, "success_codes"),
        ({"command": "x", "success_codes": [256]}, "success_codes"),
        ({"command": "x", "success_codes": ["0"]}, "success_codes"),
        ({"command": "x", "shell": True}, "shell"),
        ("", "command"),
    ],
)
def test_shell_blocks_that_are_wrong(block: Any, named: str) -> None:
    """A wrong block is refused when it is applied, and the key is named."""
    with pytest.raises(msgspec.ValidationError, match=named):
        check_config(Shell, block)


@pytest.mark.parametrize("block", ["1h30m", {"run_for": 2}, {"run_for": 0.5, "interval": "10ms"}])
def test_scripted_durations(block: Any) -> None:
    """Durations are numbers of seconds, or text."""
    check_config(Scripted, block)


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({"run_for": "soon"}, "run_for"),
        ({"run_for": -1}, "run_for"),
        ({"interval": "1x"}, "interval"),
        ({"lines": -1}, "lines"),
        ({"exit_code": 256}, "exit_code"),
        ({"crash": "yes"}, "crash"),
    ],
)
def test_scripted_blocks_that_are_wrong(block: Any, named: str) -> None:
    """A wrong block is refused when it is applied, and the key is named."""
    with pytest.raises(msgspec.ValidationError, match=named):
        check_config(Scripted, block)
