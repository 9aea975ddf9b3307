"""What systemd is asked for, and what is kept out of it; what it does of it, the lab tells."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tocsin.environment_file import environment_file
from tocsin.execution import AttemptKey, Limits, Order
from tocsin.executors.refusal import CannotStart
from tocsin.executors.shell.config import ShellConfig
from tocsin.executors.shell.identity import own_identity
from tocsin.executors.shell.surroundings import Surroundings
from tocsin.executors.shell.ulimits import Ulimits
from tocsin.executors.shell.units import properties
from tocsin.executors.shell.units.failures import check_image, not_executed
from tocsin.executors.shell.units.handle import handle_of, unit_of
from tocsin.executors.shell.units.programs import LAUNCHER, Program, program_of

ENV = {"PATH": "/usr/bin:/bin", "HOME": "/"}


def order(**changes: Any) -> Order:
    """An order of a run."""
    fields: dict[str, Any] = {
        "key": AttemptKey("01R.2"), "job": "job", "executor": "shell", "config": {}, "env": {},
        "due_us": None, "timeout_s": 60.0, "kill_after_s": 5.0, "keep_bytes": 0,
    }  # fmt: skip
    return Order(**{**fields, **changes})


def program(config: ShellConfig, env: dict[str, str] | None = None, **changes: Any) -> Program:
    """What is executed for a block."""
    around = Surroundings(own_identity(), "/", ENV | (env or {}))
    before = os.open(".", os.O_PATH)
    os.chdir("/")
    try:
        return program_of(order(**changes), config, around)
    finally:
        os.fchdir(before)
        os.close(before)


def test_a_unit_is_named_for_its_attempt() -> None:
    """A key that cannot be part of a name makes none."""
    assert properties.unit_name(order()) == "tocsin-run-01R-2.service"
    for key in ("a b.1", "é.1", "x" * 250 + ".1"):
        assert properties.unit_name(order(key=AttemptKey(key))) is None


def test_plain_words_stand_in_the_unit() -> None:
    """A reload cannot change them."""
    found = program(ShellConfig(argv=["true", "--a=b,c", "/x:y"]))
    assert found.path.endswith("/true")
    assert found.argv == ["true", "--a=b,c", "/x:y"]
    assert (found.env, found.in_front) == (ENV, [])


@pytest.mark.parametrize("word", ["a b", "a;b", "$HOME", "%n", "a\nb", '"', "é", ""])
def test_other_words_go_by_variables(word: str) -> None:
    """Whatever they are."""
    found = program(ShellConfig(argv=["true", word]))
    assert (found.path, found.argv) == ("/bin/sh", ["sh", LAUNCHER])
    assert found.env["TOCSIN_WORD_1"] == word
    assert found.env["TOCSIN_LAUNCH"] == (
        'set -- "$TOCSIN_WORD_0" "$TOCSIN_WORD_1"; '
        'unset TOCSIN_WORD_0 TOCSIN_WORD_1 TOCSIN_LAUNCH; exec "$@"'
    )


def test_a_secret_makes_no_word_of_a_unit() -> None:
    """However plain it is."""
    secrets = {"TOKEN": "token"}
    found = program(ShellConfig(argv=["true", "--key=abc"]), {"TOKEN": "abc"}, secrets=secrets)
    assert found.argv == ["sh", LAUNCHER]


def test_variables_with_odd_names_go_by_env() -> None:
    """It alone can set them."""
    found = program(ShellConfig(argv=["true"]), {"odd-name": "x y"})
    assert found.env["TOCSIN_WORD_0"].endswith("/env")
    assert [found.env[f"TOCSIN_WORD_{n}"] for n in (1, 2)] == ["--", "odd-name=x y"]


@pytest.mark.parametrize("env", [{"A=B": ""}, {"": "x"}, {"A": "\0"}])
def test_what_no_variable_can_be(env: dict[str, str]) -> None:
    """It is refused by its name."""
    with pytest.raises(CannotStart, match=r"the variable .* cannot be set"):
        program(ShellConfig(argv=["true"]), env)


def test_what_no_process_can_be_given() -> None:
    """In the words of a process that is spawned."""
    with pytest.raises(CannotStart, match="/true: Argument list too long"):
        program(ShellConfig(argv=["true", "x" * 200_000]))
    with pytest.raises(CannotStart, match="the command and its environment are too long"):
        program(ShellConfig(command=": " + "x" * 200_000))


def test_a_file_of_variables() -> None:
    """As systemd reads it back: in double quotes, where four characters need a backslash."""
    text = environment_file({"A": 'q" b\\ d$ t` \n;', "B": ""})
    assert text == 'A="q\\" b\\\\ d\\$ t\\` \n;"\nB=""\n'


def test_limits() -> None:
    """What is not given is not asked for."""
    limits = Limits(memory_bytes=1 << 20, cpu_percent=12.5, tasks=3)
    assert dict(properties.limits(order(limits=limits))) == {
        "MemoryMax": ("t", 1 << 20),
        "MemorySwapMax": ("t", 0),
        "CPUQuotaPerSecUSec": ("t", 125_000),
        "TasksMax": ("t", 3),
    }
    assert list(properties.limits(order())) == []


def test_the_process_itself() -> None:
    """Soft and hard limits, umask and niceness; unlimited is the largest number."""
    config = ShellConfig(
        command="x", umask="027", nice=3, ulimits=Ulimits(nofile="5:unlimited", core=0)
    )
    made = Program("/x", ["x"], {}, "/", [])
    found = dict(properties.execution(made, config, own_identity(), "/proc/1/fd/2"))
    assert found["UMask"] == ("u", 0o27)
    assert found["Nice"] == ("i", 3)
    assert found["LimitNOFILESoft"] == ("t", 5)
    assert found["LimitNOFILE"] == ("t", (1 << 64) - 1)
    assert found["LimitCORE"] == found["LimitCORESoft"] == ("t", 0)
    assert "User" not in found
    stranger = own_identity()._replace(uid=4242, gid=4243, name="x y")
    found = dict(properties.execution(made, config, stranger, "/proc/1/fd/2"))
    assert (found["User"], found["Group"]) == (("s", "4242"), ("s", "4243"))


def test_how_long_it_may_last() -> None:
    """Longer than the host lets it, by a belt; for ever where there is no timeout."""
    found = dict(properties.service(order()))
    assert found["RuntimeMaxUSec"] == ("t", (60 + 5 + 120) * 1_000_000)
    assert "RuntimeMaxUSec" not in dict(properties.service(order(timeout_s=0.0)))
    assert "RuntimeMaxUSec" not in dict(properties.service(order(timeout_s=float("inf"))))


def test_a_job_with_an_odd_name_does_not_write_into_a_unit() -> None:
    """A line of a unit file is not for a job to begin."""
    shown = dict(properties.service(order(job="a\nExecStartPost=+/bin/evil")))
    assert "evil" not in str(shown)


def test_images(tmp_path: Any) -> None:
    """What no kernel executes is seen before, and said as for a process that is spawned."""
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter -x\n")
    with pytest.raises(CannotStart, match="its interpreter is missing"):
        check_image(str(script))
    script.write_text("#!/bin/sh\n")
    check_image(str(script))
    check_image("/bin/sh")


def test_codes_of_systemd_and_of_a_program() -> None:
    """A program may end with any code; systemd's own count where their cause was asked for."""
    plain, limited = ShellConfig(command="x"), ShellConfig(command="x", ulimits=Ulimits(nofile=5))
    for code in (0, 1, 200, 203, 205, 217):
        assert not_executed(plain, code, "exit-code") is None
    refusal = not_executed(limited, 205, "exit-code")
    assert refusal is not None
    assert refusal.message == "cannot start a process: its ulimits cannot be set"
    refusal = not_executed(plain, None, "resources")
    assert refusal is not None
    assert refusal.message == "cannot start a process: systemd says resources"


def test_handles_have_a_version() -> None:
    """One of another version is refused, and said to be."""
    from tocsin.errors import ExecutorError

    assert unit_of(handle_of("x.service")) == "x.service"
    for handle in (b"", b"\x92\x02\xa1x", b"nonsense"):
        with pytest.raises(ExecutorError, match="its handle"):
            unit_of(handle)
