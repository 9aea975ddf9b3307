"""How a module of Tocsin's is started as a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tocsin.own_process import own_command

ROOT = Path(__file__).parents[2]


def test_an_installed_tocsin_is_found_by_python_itself() -> None:
    """Never in the folder that happens to be the current one."""
    assert own_command("tocsin.cli", "-X", "dev") == [
        sys.executable, "-P", "-X", "dev", "-m", "tocsin.cli",
    ]  # fmt: skip


def test_a_packaged_one_starts_as_it_was_started(tmp_path: Path) -> None:
    """Without site, by the boot file beside its libraries; PYTHONPATH counts where it is to."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "tocsin").symlink_to(ROOT / "tocsin")
    program = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "from tocsin.own_process import own_command\n"
        "print(*own_command('m')[1:]); print(*own_command('m', heed_environment=True)[1:])"
    )
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    boot = tmp_path / "boot.py"
    assert said.stdout.splitlines() == [f"-I -S -B {boot} m", f"-P -S -B {boot} m"]
