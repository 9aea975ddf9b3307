"""The checks of what is kept: attempts apart, outcomes for the next agent, runs over a crash."""

from __future__ import annotations

import signal
from typing import Final

from tocsin.execution import AttemptKey, Status, attempt_key, split_key
from tocsin.hosting import HANDLES_SUFFIX

from .bench import Bench, require
from .check import Check
from .verdict import find


def no_second_start(bench: Bench) -> None:
    """An attempt ordered again, in the same breath or when it is over, is not run again."""
    run = bench.order(bench.block("greet"))
    bench.agent.start(run, run)
    bench.agent.end_of(run)
    bench.agent.start(run)
    bench.agent.run(bench.order(bench.block("succeed")))
    _require_greeting(bench, run.key)
    if len(bench.agent.ended[run.key]) != 1:
        find("one end", f"{len(bench.agent.ended[run.key])} of them")


def attempts_apart(bench: Bench) -> None:
    """A second attempt of a run is another run to the host, with output of its own."""
    first = bench.order(bench.block("greet"))
    second = bench.order(bench.block("greet"), key=attempt_key(split_key(first.key)[0], 2))
    for run in (first, second):
        require(bench.agent.run(run), Status.SUCCEEDED)
    for run in (first, second):
        _require_greeting(bench, run.key)


def _require_greeting(bench: Bench, key: AttemptKey) -> None:
    wanted = bench.specimen.greet_stdout.encode()
    found = (bench.host.out / f"{key}.out").read_bytes()
    if found != wanted:
        find(f"{wanted!r} as the output of {key}", f"it is {found!r}")


def many_at_once(bench: Bench) -> None:
    """Many runs are under way together, and each ends by itself."""
    agent = bench.agent
    runs = bench.orders(bench.block("linger"), bench.specimen.at_once)
    half = {run.key for run in runs[::2]}
    agent.start(*runs)
    agent.hear_until(
        lambda: len(agent.began) + len(agent.ended) >= len(runs), f"{len(runs)} runs to begin"
    )
    if agent.ended:
        end = next(iter(agent.ended.values()))[0]
        find(f"{len(runs)} runs under way", f"one ended: {end.outcome.message}")
    agent.cancel(*runs[::2])
    agent.hear_until(lambda: len(agent.ended) >= len(half), f"{len(half)} runs to end")
    if set(agent.ended) != half:
        find("the end of those runs that were cancelled", "others ended")
    agent.cancel(*runs[1::2])
    for run in runs:
        require(agent.end_of(run), Status.CANCELLED)


def agent_restart(bench: Bench) -> None:
    """After an agent is gone its successor is told what runs, and can end it."""
    run = bench.order(bench.block("linger"))
    bench.agent.start(run)
    bench.agent.await_began(run)
    bench.agent.vanish()
    successor = bench.host.connect()
    if [began.key for began in successor.hello.running] != [run.key]:
        find("the run in the hello", f"it holds {successor.hello.running}")
    successor.cancel(run)
    require(successor.end_of(run), Status.CANCELLED)


def kept_until_confirmed(bench: Bench) -> None:
    """Each new agent is told an outcome, until one confirms it."""
    run = bench.order(bench.block("succeed"))
    end = bench.agent.run(run)
    bench.agent.vanish()
    for _ in range(2):
        successor = bench.host.connect()
        if successor.hello.ended != [end]:
            find("the outcome in each hello", f"it holds {successor.hello.ended}")
        successor.vanish()
    last = bench.host.connect()
    last.confirm(run)
    other = bench.order(bench.block("succeed"))
    last.run(other)
    last.vanish()
    held = [ended.key for ended in bench.host.connect().hello.ended]
    if held != [other.key]:
        find("what was not confirmed in the hello", f"it holds {held}")


def host_crash(bench: Bench) -> None:
    """When its host is killed a run is lost or, where it left a handle, found by the next host."""
    run = bench.order(bench.block("linger"))
    bench.agent.start(run)
    bench.agent.await_began(run)
    has_handle = (bench.folder / f"{bench.subject.name}{HANDLES_SUFFIX}" / run.key).exists()
    bench.host.signal(signal.SIGKILL)
    bench.host.await_exit()
    successor = bench.boot().connect()
    running = [began.key for began in successor.hello.running]
    wanted = [run.key] if has_handle else []
    if running != wanted:
        find(f"{wanted or 'nothing'} in the next host's hello", f"it holds {running}")
    if running:
        successor.cancel(run)
        require(successor.end_of(run), Status.CANCELLED)
    require(successor.run(bench.order(bench.block("succeed"))), Status.SUCCEEDED)


_FUNCTIONS: Final = (
    no_second_start, attempts_apart, many_at_once, agent_restart, kept_until_confirmed, host_crash,
)  # fmt: skip
CHECKS: Final = tuple(Check(function) for function in _FUNCTIONS)
