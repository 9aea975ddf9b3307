"""Job files are read where PyYAML comes without its part in C."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
sys.modules["yaml._yaml"] = None
from tocsin.jobfile.yaml_text import read_yaml
print(read_yaml("a: [1, on]").value)
"""


def test_yaml_is_read_by_python_alone() -> None:
    """With the same rules."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("{'a': [1, 'on']}\n", "")
