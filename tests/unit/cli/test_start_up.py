"""What a command costs before it does anything."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

import pytest

_HEAVY: Final = ("asyncio", "click", "textual", "zmq", "tocsin.executors", "yaml", "sqlite3")


def _modules_after(code: str) -> set[str]:
    shown = f"import sys; {code}; print(*sys.modules, file=sys.__stderr__)"
    done = subprocess.run(
        [sys.executable, "-c", shown], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.split())


def _loaded(modules: set[str], names: tuple[str, ...]) -> list[str]:
    return [name for name in names if any(f"{m}.".startswith(f"{name}.") for m in modules)]


def test_the_entry_point_imports_nothing_heavy() -> None:
    """Completion, --version and the agent all begin here."""
    assert _loaded(_modules_after("import tocsin.cli"), (*_HEAVY, "msgspec", "re")) == []


def test_the_version_is_printed_by_hardly_more_than_python_itself() -> None:
    """`tocsin --version` loads the package and nothing else, not even re or typing."""
    plain = _modules_after("pass")
    asked = _modules_after("from tocsin.cli import main; main(['--version'])")
    assert asked - plain == {"__future__", "tocsin", "tocsin.cli"}


def test_a_preview_loads_neither_network_nor_executors_nor_yaml() -> None:
    """`tocsin next` needs the schedule and the words around it."""
    modules = _modules_after("from tocsin.cli import main; main(['next', '@daily', '-o', 'json'])")
    heavy = tuple(name for name in _HEAVY if name != "click")
    assert _loaded(modules, heavy) == []


def test_the_agent_starts_without_the_machinery_of_commands(tmp_path: object) -> None:
    """An agent stays on its host for years, so it does not carry click or the YAML reader."""
    code = (
        "import os; os.environ['TOCSIN_HOME'] = '" + str(tmp_path) + "'; "
        "from tocsin.cli import main; assert main(['agent']) == 2"
    )
    heavy = (*_HEAVY, "logging", "subprocess", "importlib.metadata", "platformdirs", "ssl")
    assert _loaded(_modules_after(code), heavy) == []


@pytest.mark.parametrize("arguments", [["--version"]])
def test_the_version_costs_at_most_five_times_an_empty_python(arguments: list[str]) -> None:
    """In processor time, the least of several runs each."""
    empty = min(_cpu_s(["-c", "pass"]) for _ in range(5))
    asked = min(_cpu_s(["-c", "from tocsin.cli import main; main()", *arguments]) for _ in range(5))
    assert asked <= 5 * empty


def _cpu_s(arguments: list[str]) -> float:
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_utime + used.ru_stime
