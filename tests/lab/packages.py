"""The packages that are tested: of this checkout, a .deb from before it, an .rpm from after it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from .root import CHECKOUT

OLD_VERSION: Final = "0.0.9"
NEXT_VERSION: Final = "9.9.9"
BUILDER: Final = "Lab <lab@builds.example>"
_PASSPHRASE: Final = "sesame"
_BUILD_NEXT: Final = """\
import sys
from pathlib import Path
from tocsin_packages import __main__ as program, nfpm, staging
settings = staging.agent_settings() + "# of next\\n"
staging.agent_settings = lambda: settings
issue = nfpm.Issue("gzip", sys.argv[4], Path(sys.argv[3]))
program.build_packages(sys.argv[1], Path(sys.argv[2]), issue)
"""


class Packages(NamedTuple):
    """Paths of package files."""

    deb: Path
    rpm: Path


def build_packages(out: Path) -> Packages:
    """Make both packages, in a quick compression."""
    _run(
        sys.executable, "-m", "tocsin_packages", "build", f"--out={out}", "--compression=gzip",
        PYTHONPATH=str(CHECKOUT / "packaging"),
    )  # fmt: skip
    return packages_in(out)


def next_rpm(out: Path) -> tuple[Path, Path]:
    """The package as a later release would be: of another version, with another setting, signed.

    The other file is the public key.
    """
    secret, public = _new_key(out / "keys")
    _run(
        sys.executable, "-c", _BUILD_NEXT, NEXT_VERSION, str(out), str(secret), BUILDER,
        PYTHONPATH=f"{CHECKOUT / 'packaging'}:{CHECKOUT}", NFPM_PASSPHRASE=_PASSPHRASE,
    )  # fmt: skip
    return packages_in(out).rpm, public


def _new_key(home: Path) -> tuple[Path, Path]:
    """A key of somebody who builds packages: the secret and the public half."""
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--armor"]
    gpg += ["--pinentry-mode", "loopback", "--passphrase", _PASSPHRASE]
    secret, public = home / "secret.asc", home / "public.asc"
    _run(*gpg, "--quick-gen-key", BUILDER, "rsa3072", "sign", "never")
    _run(*gpg, "--output", str(secret), "--export-secret-keys")
    _run(*gpg, "--output", str(public), "--export")
    _run("gpgconf", "--homedir", str(home), "--kill", "all")
    return secret, public


def packages_in(folder: Path) -> Packages:
    """The packages that somebody made."""
    (deb,), (rpm,) = folder.glob("*.deb"), folder.glob("*.rpm")
    return Packages(deb, rpm)


def older(deb: Path, folder: Path, python: str) -> Path:
    """The package as an earlier release would be: of another version, with fewer settings.

    Nor did anybody think of this Python then: it has no bytecode for it.
    """
    tree = folder / "old"
    _run("dpkg-deb", "-R", str(deb), str(tree))
    control = tree / "DEBIAN/control"
    lines = control.read_text(encoding="utf-8").splitlines()
    changed = [f"Version: {OLD_VERSION}-1" if it.startswith("Version: ") else it for it in lines]
    control.write_text("\n".join(changed) + "\n", encoding="utf-8")
    own = tree / "usr/lib/tocsin/site/tocsin"
    (own / "__init__.py").write_text(f'__version__ = "{OLD_VERSION}"\n', encoding="ascii")
    tag = python.replace(".", "")
    stale = [*own.glob("__pycache__/__init__.*"), *own.parent.rglob(f"*.cpython-{tag}.pyc")]
    for path in set(stale):
        path.unlink()
    program = tree / "usr/lib/tocsin/bytecode"
    text = program.read_text(encoding="utf-8")
    without = f'without="{python.partition(".")[2]} '
    program.write_text(text.replace('without="', without, 1), encoding="utf-8")
    (tree / "usr/share/tocsin/coordinator.toml").write_text("# of old\n", encoding="ascii")
    (tree / "DEBIAN/md5sums").unlink()  # dpkg makes its own then
    built = folder / f"tocsin_{OLD_VERSION}-1.deb"
    _run("dpkg-deb", "--root-owner-group", "-Zgzip", "-b", str(tree), str(built))
    shutil.rmtree(tree)
    return built


def _run(*command: str, **environ: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environ}
    )
    assert done.returncode == 0, f"{command[:3]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
