"""`python -m tests.sim --seeds N [--from S]`, or `--seed K` to live through one again."""

from __future__ import annotations

import argparse
import sys

from tocsin import clock

from .plan import Fault, make_plan
from .report import tell
from .shrink import shrink
from .world import Failure, run_world


def main(arguments: list[str]) -> int:
    """Run seeds until one fails; the exit code says whether one did."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first of them")
    parser.add_argument("--seed", type=int, help="this one alone, with its story")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at a failure")
    parser.add_argument("--without", default="", help="classes of faults to leave out, by comma")
    parser.add_argument("--drop", default="", help="numbers of happenings to leave out, by comma")
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    if options.seed is not None:
        seeds = range(options.seed, options.seed + 1)
    without = [Fault(name) for name in options.without.split(",") if name]
    dropped = [int(number) for number in options.drop.split(",") if number]
    began_s, failed, steps = clock.monotonic_s(), 0, 0
    for seed in seeds:
        try:
            steps += run_world(make_plan(seed, without, dropped)).steps
        except Failure as failure:
            failed += 1
            if options.keep_going:
                _say(f"seed {seed}: {failure}")
                continue
            _say(tell(failure if options.seed is not None else shrink(failure)))
            return 1
    spent_s = clock.monotonic_s() - began_s
    pace = f"{len(seeds) / spent_s:.1f} seeds/s"
    _say(f"{len(seeds)} seeds, {failed} failed, {steps} steps, {pace}")
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
