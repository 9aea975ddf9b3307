"""Both packages as files: what the tools of distributions say of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from .machine import IS_SHORT
from .packages import Packages, build_packages
from .root import CHECKOUT


def checked(*command: str) -> str:
    """What a tool prints; it must be there, and content."""
    assert shutil.which(command[0]), f"{command[0]} is not installed: make lab-tools"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_lintian_finds_no_error(packages: Packages) -> None:
    """Warnings count, too; what is overridden says why in packaging/lintian-overrides."""
    checked("lintian", "--allow-root", "--fail-on", "error,warning",
         "--suppress-tags", "initial-upload-closes-no-bugs", str(packages.deb))  # fmt: skip


def test_rpmlint_finds_no_error(packages: Packages) -> None:
    """What is filtered says why in packaging/rpmlint.toml."""
    checked("rpmlint", "--config", str(CHECKOUT / "packaging/rpmlint.toml"), str(packages.rpm))


def test_rpm_installs_it_whole(packages: Packages, tmp_path: Path) -> None:
    """Every file is as the package says, settings are marked, and its folders are its own."""
    rpm = ["rpm", "--root", str(tmp_path)]
    checked(*rpm, "--initdb")
    checked(*rpm, "-i", "--nodeps", "--noscripts", str(packages.rpm))
    checked(*rpm, "-V", "--nodeps", "tocsin")
    marked = checked(*rpm, "-qc", "tocsin").split()
    assert marked == ["/etc/tocsin/agent.toml", "/etc/tocsin/coordinator.toml"]
    owned = set(checked(*rpm, "-ql", "tocsin").splitlines())
    assert {"/usr/lib/tocsin", "/usr/lib/tocsin/plugins", "/usr/share/licenses/tocsin"} <= owned
    assert not {"/usr", "/usr/bin", "/etc", "/usr/lib/systemd/system"} & owned
    assert "tocsin-agent.service" in checked("rpm", "-qp", "--scripts", str(packages.rpm))
    assert "python3.12" in checked("rpm", "-qp", "--requires", str(packages.rpm))


def test_the_bill_of_materials_names_what_is_inside(packages: Packages, tmp_path: Path) -> None:
    """Each library that is there is in it, with a hash, and no other."""
    checked("dpkg-deb", "-x", str(packages.deb), str(tmp_path))
    bill = json.loads((tmp_path / "usr/share/doc/tocsin/sbom.cdx.json").read_text())
    named = {(it["name"], it["version"]) for it in bill["components"]}
    found = {tuple(path.name.removesuffix(".dist-info").rsplit("-", 1))
             for path in (tmp_path / "usr/lib/tocsin/site").glob("*.dist-info")}  # fmt: skip
    assert named == {(name.lower().replace("_", "-"), version) for name, version in found}
    assert all(len(it["hashes"][0]["content"]) == 64 for it in bill["components"])


@pytest.mark.skipif(IS_SHORT, reason="builds it once more")
def test_the_same_source_makes_the_same_bytes(packages: Packages, tmp_path: Path) -> None:
    """Bytecode and archives included."""
    again = build_packages(tmp_path)
    assert again.deb.read_bytes() == packages.deb.read_bytes()
    assert again.rpm.read_bytes() == packages.rpm.read_bytes()
