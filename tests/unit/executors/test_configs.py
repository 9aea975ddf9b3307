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


@pytest.mark.parametrize(
    "block",
    [
        {"user": "nobody", "group": 0, "groups": ["adm", 5]},
        {"umask": "022", "nice": -20, "login": True, "env": {"A": "b"}},
        {"umask": "0o027", "stdin_file": "x"},
        {"ulimits": {"nofile": 5, "as": "2GiB", "core": "0:unlimited", "stack": "unlimited"}},
    ],
)
def test_shell_options(block: dict[str, Any]) -> None:
    """What a block says of the surroundings of its program is taken as it stands."""
    assert check_config(Shell, {"command": "x", **block}) == {"command": "x", **block}


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        ({"umask": 22}, r"Expected `str \| null`, got `int` - at `\$.umask`"),
        ({"umask": "029"}, "`umask`: '029' is none; write octal digits such as '027'"),
        ({"umask": "7777"}, "`umask`"),
        ({"nice": 20}, "nice"),
        ({"user": ""}, "user"),
        ({"user": -1}, "user"),
        ({"groups": "adm"}, "groups"),
        ({"env": {"A=B": "c"}}, "env"),
        ({"env": {"A": 1}}, "env"),
        ({"stdin": "a", "stdin_file": "b"}, "only one of `stdin` and `stdin_file`"),
        ({"ulimits": {"nofiles": 1}}, "nofiles"),
        ({"ulimits": {"nofile": -1}}, "nofile"),
        ({"ulimits": {"nofile": "many"}}, "`nofile`: 'many' is no limit; write a number, a size"),
        ({"ulimits": {"nofile": "9:8"}}, "`nofile`: the soft limit is above the hard one"),
        ({"ulimits": {"core": "unlimited:0"}}, "`core`: the soft limit is above the hard one"),
    ],
)
def test_shell_options_that_are_wrong(block: dict[str, Any], wrong: str) -> None:
    """A wrong option is refused when it is applied, and the key is named."""
    with pytest.raises(msgspec.ValidationError, match=wrong):
        check_config(Shell, {"command": "x", **block})
