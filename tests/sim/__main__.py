"""`python -m tests.sim --seeds N [--from S]`, or `--seed K` to live through one again."""

from __future__ import annotations

import argparse
import sys

from tocsin import clock

from .plan import make_plan
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
    options = parser.parse_args(arguments)
    seeds = range(options.first, options.first + options.seeds)
    if options.seed is not None:
        seeds = range(options.seed, options.seed + 1)
    began_s, failed, steps = clock.monotonic_s(), 0, 0
    for seed in seeds:
        try:
            steps += run_world(make_plan(seed)).steps
        except Failure as failure:
            failed += 1
            if options.keep_going:
                print(f"seed {seed}: {failure}", flush=True)
                continue
            print(tell(failure if options.seed is not None else shrink(failure)))
            return 1
    spent_s = clock.monotonic_s() - began_s
    print(f"{len(seeds)} seeds, {failed} failed, {steps} steps, {len(seeds) / spent_s:.1f} seeds/s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
