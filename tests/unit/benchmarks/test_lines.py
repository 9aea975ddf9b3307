"""What the benchmarks print, whatever they measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.__main__ import NAMES
from benchmarks.report import Goal, Result, Surroundings, percentile, spread
from benchmarks.table import RESULTS, markdown

ROOT = Path(__file__).parents[3]


def test_a_benchmark_prints_one_json_line() -> None:
    """Real processes are started, and all that comes out is one line with figures and goals."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--size", "tiny", "throughput"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert result["bench"] == "throughput"
    assert result["ours"]["runs_s"] > 0
    assert result["limit"]["runs_s"] > 0
    assert {"python", "build", "cpus", "load1", "calib_ms", "ratio", "goals"} <= result.keys()


def test_a_goal_knows_whether_it_is_met() -> None:
    """More may be better, or less."""
    assert Goal("s", 1.0, 2.0).met
    assert not Goal("s", 3.0, 2.0).met
    assert Goal("runs/s", 3.0, 2.0, more_is_better=True).met


def test_the_spread_is_of_values_that_were_seen() -> None:
    """Half, nearly all and the worst, by nearest rank."""
    assert spread([float(n) for n in range(1, 101)]) == {"p50": 50, "p99": 99, "max": 100}
    assert percentile([7.0], 99) == 7.0


def test_the_table_has_a_row_for_each_goal() -> None:
    """README and figures cannot differ: the one is printed from the other."""
    line = Surroundings().line("x", "tiny", Result({}, {}, {"r": 0.5}, [Goal("it", 1, 2)], "ms"))
    assert "| it | 1 | ≤ 2 | yes |" in markdown(line)


def test_the_saved_figures_make_a_table() -> None:
    """Every saved line is of this shape."""
    lines = RESULTS.read_text().splitlines()
    assert [json.loads(line)["bench"] for line in lines] == list(NAMES)
    assert markdown(RESULTS.read_text()).count("\n|") > len(lines)


def test_the_readme_holds_the_table_of_the_saved_figures() -> None:
    """What the README claims is what was measured."""
    readme = (RESULTS.parents[1] / "README.md").read_text()

    assert markdown(RESULTS.read_text()).strip() in readme
