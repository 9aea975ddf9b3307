"""The figures as a Markdown table, from the lines of an earlier run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).with_name("results.json")


def markdown(lines: str) -> str:
    """The table of all goals, and a sentence about where the figures are from."""
    results: list[dict[str, Any]] = [json.loads(line) for line in lines.splitlines() if line]
    rows = ["| measured | here | goal | met |", "| --- | ---: | ---: | --- |"]
    for result in results:
        for goal in result["goals"]:
            sign = "≥" if goal["more_is_better"] else "≤"
            cells = goal["what"], _text(goal["value"]), f"{sign} {_text(goal['limit'])}"
            rows.append(f"| {' | '.join(cells)} | {'yes' if goal['met'] else 'no'} |")
    ratios = [
        f"{result['bench']} {_text(ratio)} ({name.replace('_', ' ')})"
        for result in results
        for name, ratio in result["ratio"].items()
    ]
    first = results[0]
    calib = [ms for result in results for ms in result["calib_ms"]]
    about = (
        f"CPython {first['python']} ({first['build']}), {first['cpus']} processors, "
        f"calibration {min(calib)} to {max(calib)} ms. Over the limit of the same run: "
        f"{', '.join(ratios)}."
    )
    return "\n".join([*rows, "", about])


def _text(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"
