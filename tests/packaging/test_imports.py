"""A daemon has all of its own modules from the start: an upgrade replaces the files under it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LATER = {
    "agent/output.py": {"tocsin.hole"},  # ctypes, for output that outgrows what is kept
    "agent/process.py": {".config", ".service", "tocsin.errors"},  # before anything else is done
    "tocsin/config.py": {"tocsin.blocks"},  # the coordinator has it; an agent needs it for faults
}
"""Imports inside functions, and why they may be late."""
FOLDERS = ["agent", "coordinator", "tocsin/link", "tocsin/messages", "tocsin/model"]
FILES = [
    *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))),
    *(
        ROOT / f"tocsin/{name}.py"
        for name in ("config", "keys", "log", "journal", "service_manager")
    ),
]


def late_imports(path: Path) -> set[str]:
    """The modules of ours that functions import."""
    found = set()
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    found.add("." * node.level + (node.module or ""))
                elif isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith((".", "tocsin"))}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_daemons_import_nothing_of_ours_later(path: Path) -> None:
    """Except what is listed, with its reason."""
    assert late_imports(path) == LATER.get(str(path.relative_to(ROOT)), set())
