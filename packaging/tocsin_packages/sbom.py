"""The bill of materials: what is inside a package, in the form of CycloneDX 1.5."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .lock import canonical


def name_and_version(archive: Path) -> tuple[str, str]:
    """What the name of a wheel or of an archive of sources says."""
    if archive.suffix == ".whl":
        name, version = archive.name.split("-")[:2]
    else:
        name, _, version = archive.name.removesuffix(".tar.gz").rpartition("-")
    return canonical(name), version


def bill(version: str, archives: Iterable[Path]) -> str:
    """One component for each file that was unpacked."""
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "tocsin", "version": version}},
        "components": [_component(archive) for archive in sorted(archives)],
    }
    return json.dumps(document, indent=1) + "\n"


def _component(archive: Path) -> dict[str, Any]:
    name, version = name_and_version(archive)
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}?file_name={archive.name}",
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(archive.read_bytes()).hexdigest()}],
    }
