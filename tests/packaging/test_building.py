"""How packages are put together: libraries of several Pythons, the lock, the manual."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import click
import pytest

from tocsin.cli.root import root
from tocsin_packages.archives import ConflictError, merge
from tocsin_packages.completions import PLACES, completion
from tocsin_packages.lock import (
    PYTHONS,
    Pin,
    read_pins,
    required_name,
    requirements,
    write_pins,
)
from tocsin_packages.manual import manual
from tocsin_packages.sbom import bill
from tocsin_packages.staging import bytecode_program

CHECKOUT = Path(__file__).parents[2]
LOCK = CHECKOUT / "packaging/lock.txt"


def wheel(folder: Path, tag: str, files: dict[str, str]) -> Path:
    """A wheel of `lib` 1.0."""
    path = folder / f"lib-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, "lib-1.0.dist-info/WHEEL": tag}.items():
            archive.writestr(name, text)
    return path


def test_wheels_of_several_pythons_become_one_folder(tmp_path: Path) -> None:
    """Binary modules lie side by side; what pip would note, and tests, stay out."""
    same = {"lib/__init__.py": "x", "lib/tests/t.py": "t", "lib-1.0.dist-info/RECORD": "r",
            "lib-1.0.data/purelib/more.py": "m", "lib-1.0.data/scripts/s": "s"}  # fmt: skip
    wheels = [wheel(tmp_path, tag, {**same, f"lib/_c.{tag}.so": tag}) for tag in ("cp311", "cp312")]
    merge(wheels, tmp_path / "site")
    found = {str(it.relative_to(tmp_path / "site")) for it in (tmp_path / "site").rglob("*.*")}
    assert found - {"lib-1.0.dist-info"} == {
        "lib/__init__.py", "lib/_c.cp311.so", "lib/_c.cp312.so", "more.py",
    }  # fmt: skip


def test_wheels_that_differ_are_not_merged(tmp_path: Path) -> None:
    """The file and both wheels are named."""
    wheels = [wheel(tmp_path, tag, {"lib/__init__.py": tag}) for tag in ("cp311", "cp312")]
    with pytest.raises(ConflictError, match=r"lib/__init__.py .* lib-1.0-cp311.whl, .*cp312"):
        merge(wheels, tmp_path / "site")


def test_a_lock_is_read_as_it_is_written() -> None:
    """In pip's form."""
    pins = [Pin("a-b", "1.0", ("0" * 64, "1" * 64)), Pin("c", "2", ("2" * 64,))]
    assert read_pins(write_pins(reversed(pins))) == pins


def test_all_that_tocsin_asks_for_is_locked() -> None:
    """Extras that are shipped, too. If it fails: make lock."""
    pins = read_pins(LOCK.read_text(encoding="utf-8"))
    locked = {pin.name for pin in pins}
    asked = {required_name(each) for each in requirements(CHECKOUT / "pyproject.toml")}
    assert asked - locked == set()
    assert all(pin.sha256 and all(len(one) == 64 for one in pin.sha256) for pin in pins)


def test_what_is_binary_is_locked_for_every_python_and_cpu() -> None:
    """One file for each."""
    pins = {pin.name: pin for pin in read_pins(LOCK.read_text(encoding="utf-8"))}
    assert len(pins["msgspec"].sha256) == 2 * len(PYTHONS)


def test_the_bill_has_a_line_for_each_file(tmp_path: Path) -> None:
    """With its hash."""
    path = wheel(tmp_path, "py3-none-any", {})
    (component,) = json.loads(bill("1.2", [path]))["components"]
    assert (component["name"], component["version"]) == ("lib", "1.0")
    assert component["purl"].endswith(path.name)


def all_commands(command: click.Command, path: str) -> list[str]:
    """The words of a command and of all below it."""
    found = [path]
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            assert inner is not None
            found += all_commands(inner, f"{path} {name}")
    return found


def test_every_command_is_in_the_manual() -> None:
    """And roff understands all of it."""
    page = manual("1.2", "2026-01-01")
    for command in all_commands(root, "tocsin")[1:]:
        assert f".SS {command}\n".replace("-", "\\-") in page
    assert not [line for line in page.splitlines() if line.startswith(("'", "\\&\\&"))]


@pytest.mark.parametrize("shell", PLACES.values(), ids=PLACES)
def test_shells_are_told_how_to_ask(shell: type[click.shell_completion.ShellComplete]) -> None:
    """By the variable that the program looks for."""
    assert "_TOCSIN_COMPLETE" in completion(shell)


def test_bytecode_is_made_for_what_is_not_shipped(tmp_path: Path) -> None:
    """The program names the Pythons that the build had not, and what is never compiled."""
    text = bytecode_program({"3.11", "3.13"})
    assert 'without="12 14"' in text
    assert "@" not in text
    program = tmp_path / "bytecode"
    program.write_text(text)
    subprocess.run(["sh", "-n", str(program)], check=True)
    assert 'without=""' in bytecode_program(PYTHONS)


@pytest.mark.parametrize(
    "script",
    [CHECKOUT / "packaging/files/tocsin.sh", *sorted((CHECKOUT / "packaging/scripts").iterdir())],
    ids=lambda path: path.name,
)
def test_scripts_are_shell(script: Path) -> None:
    """As far as a shell can tell without running them."""
    subprocess.run(["sh", "-n", str(script)], check=True)
