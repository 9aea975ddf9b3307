"""One benchmark's result: figures, the limit beside them, the goals, and where it ran."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sysconfig
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

_CALIBRATION_STEPS: Final = 300_000


class Goal(NamedTuple):
    """A figure that should be `value <= limit`, or `>=` where more is better."""

    what: str
    value: float
    limit: float
    more_is_better: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is as good as was wanted."""
        return self.value >= self.limit if self.more_is_better else self.value <= self.limit


class Result(NamedTuple):
    """What a benchmark found; `limit` names what was measured beside it."""

    ours: dict[str, Any]
    limit: dict[str, Any]
    ratio: dict[str, float]
    goals: list[Goal]
    unit: str
    """Of the figures, in words."""


class Surroundings:
    """How fast and how busy the machine was, taken before and after."""

    def __init__(self) -> None:
        self._load1 = os.getloadavg()[0]
        self._calib_ms = calibrate_ms()

    def line(self, bench: str, size: str, result: Result) -> str:
        """The benchmark's one JSON line."""
        goals = [{**goal._asdict(), "value": rounded(goal.value), "met": goal.met}
                 for goal in result.goals]  # fmt: skip
        return json.dumps(
            {
                "bench": bench,
                "size": size,
                "python": platform.python_version(),
                "build": build_flags(),
                "cpus": len(os.sched_getaffinity(0)),
                "load1": [round(self._load1, 2), round(os.getloadavg()[0], 2)],
                "calib_ms": [self._calib_ms, calibrate_ms()],
                "unit": result.unit,
                "ours": rounded(result.ours),
                "limit": rounded(result.limit),
                "ratio": rounded(result.ratio),
                "goals": goals,
            }
        )


def calibrate_ms() -> float:
    """Best of three wall times of a fixed loop: what one processor gave us at this moment."""
    best_s = float("inf")
    for _ in range(3):
        began_s = time.perf_counter()
        total = 0
        for number in range(_CALIBRATION_STEPS):
            total += number * number % 7
        best_s = min(best_s, time.perf_counter() - began_s)
    return round(best_s * 1e3, 2)


def build_flags() -> str:
    """Whether the interpreter was built with profile-guided and link-time optimisation."""
    arguments = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    pgo = "PGO" if "--enable-optimizations" in arguments else "no PGO"
    lto = "LTO" if "--with-lto" in arguments else "no LTO"
    return f"{pgo}, {lto}"


def percentile(values: Iterable[float], percent: float) -> float:
    """By nearest rank, as the smallest value that so many per cent do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank) - 1, 0)]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Half, nearly all, and the worst of them."""
    return {"p50": percentile(values, 50), "p99": percentile(values, 99), "max": max(values)}


def median_of(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median over rounds, figure by figure."""
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


def rounded(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can say
    """Three digits behind the point, and none for what is large."""
    if isinstance(value, float):
        return round(value) if abs(value) >= 1000 else round(value, 3)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value
