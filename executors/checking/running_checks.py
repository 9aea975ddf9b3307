"""The checks of one run: that it begins, prints, succeeds, fails, and how that is told."""

from __future__ import annotations

import shutil
from typing import Final

from tocsin.execution import Order, Status
from tocsin.executors.output_files import FILE_MODE
from tocsin.hosting import RunEnded

from .bench import Bench, require
from .check import Check
from .verdict import find

_BEFORE: Final = b"before\n"
_NONSENSE: Final = "nonsense_key"


def success(bench: Bench) -> None:
    """A run that succeeds begins, ends, and says so once."""
    run = bench.order(bench.block("succeed"))
    end = bench.agent.run(run)
    require(end, Status.SUCCEEDED, "is what `succeed` needs there on this machine?")
    if end.began_us is None:
        find("word that it began", "it ended without")
    if len(bench.agent.ended[run.key]) != 1:
        find("one end", f"{len(bench.agent.ended[run.key])} of them")


def output(bench: Bench) -> None:
    """What a run prints is in its two files when its end is told, private to their owner."""
    run = bench.order(bench.block("greet"))
    require(bench.agent.run(run), Status.SUCCEEDED)
    _require_output(bench, run)
    for suffix in ("out", "err"):
        path = bench.host.out / f"{run.key}.{suffix}"
        if path.exists() and path.stat().st_mode & 0o777 != FILE_MODE:
            mode = path.stat().st_mode & 0o777
            find(f"files of mode {FILE_MODE:o}", f"{path.name} has {mode:o}", "use the sink")


def output_appended(bench: Bench) -> None:
    """What is in an output file already stays there."""
    run = bench.order(bench.block("greet"))
    (bench.host.out / f"{run.key}.out").write_bytes(_BEFORE)
    require(bench.agent.run(run), Status.SUCCEEDED)
    _require_output(bench, run, _BEFORE)


def _require_output(bench: Bench, run: Order, before: bytes = b"") -> None:
    specimen = bench.specimen
    for name, wanted, found in (
        ("output", before + specimen.greet_stdout.encode(), bench.host.stdout(run)),
        ("error output", specimen.greet_stderr.encode(), bench.host.stderr(run)),
    ):
        if found != wanted:
            hint = "write to the sink, or open its files to append; then return from `wait`"
            find(f"{wanted!r} as its {name}", f"it is {found!r}", hint)


def failure(bench: Bench) -> None:
    """A run that fails says why in one line, with its exit code where it has one."""
    end = bench.agent.run(bench.order(bench.block("fail")))
    require(end, Status.FAILED)
    if end.began_us is None:
        find("a run that began and then failed", f"it never began: {end.outcome.message}")
    _require_message(end, bench.specimen.fail_message)
    code = bench.specimen.fail_exit_code
    if end.outcome.exit_code != code:
        find(f"exit code {code}", f"it is {end.outcome.exit_code}")


def refusal(bench: Bench) -> None:
    """A run that cannot be started fails without having begun, and says why."""
    run = bench.order(bench.block("refuse"))
    end = bench.agent.run(run)
    require(end, Status.FAILED)
    _require_unbegun(bench, run, end)
    _require_message(end)


def unknown_key_late(bench: Bench) -> None:
    """A block that does not fit its schema on the host fails the run, and names the key."""
    run = bench.order({**bench.block("succeed"), _NONSENSE: 1})
    end = bench.agent.run(run)
    require(end, Status.FAILED)
    _require_unbegun(bench, run, end)
    _require_message(end, _NONSENSE)


def exception(bench: Bench) -> None:
    """An error that nobody expected, here that there is no place for output, ends its run alone."""
    host = bench.host
    shutil.rmtree(host.out)
    end = bench.agent.run(bench.order(bench.block("greet")))
    if end.outcome.status is Status.SUCCEEDED and not end.outcome.message:
        hint = "let the error of `sink.write` pass: it becomes the run's message"
        find("a failure, or at least a message", "its output is lost without a word", hint)
    host.out.mkdir()
    require(bench.agent.run(bench.order(bench.block("succeed"))), Status.SUCCEEDED)


def _require_unbegun(bench: Bench, run: Order, end: RunEnded) -> None:
    if end.began_us is not None or run.key in bench.agent.began:
        hint = "raise ExecutorError in `start`, before anything is begun"
        find("a run that never began", f"it began, and then: {end.outcome.message}", hint)


def _require_message(end: RunEnded, part: str = "") -> None:
    message = end.outcome.message
    if not message or part not in message:
        find(f"a message with {part!r} in it" if part else "a message", f"it is {message!r}")


_FUNCTIONS: Final = (
    success, output, output_appended, failure, refusal, unknown_key_late, exception,
)  # fmt: skip
CHECKS: Final = tuple(Check(function) for function in _FUNCTIONS)
