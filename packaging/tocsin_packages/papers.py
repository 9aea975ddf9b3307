"""The copyright file: whose work is in the package, and under which licence.

In the form of debian.org/doc/packaging-manuals/copyright-format/1.0.
"""

from __future__ import annotations

from email.parser import HeaderParser
from pathlib import Path
from typing import Final

_HEAD: Final = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Tocsin
Comment: The libraries in /usr/lib/tocsin/site are shipped as their authors published them on PyPI;
 sbom.cdx.json names the files. Their licences lie beside them, in NAME-VERSION.dist-info.

Files: *
Copyright: 2026, the authors of Tocsin
License: Apache-2.0
"""
_APACHE: Final = """
License: Apache-2.0
 On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0, elsewhere in
 /usr/share/licenses/tocsin/LICENSE.
"""


def copyright_text(site: Path) -> str:
    """One paragraph for Tocsin, and one for each library below `site`."""
    found = sorted(site.glob("*.dist-info/METADATA"))
    mine = [path for path in found if not path.parent.name.startswith("tocsin-")]
    return _HEAD + "".join(map(_paragraph, mine)) + _APACHE


def _paragraph(path: Path) -> str:
    metadata = HeaderParser().parsestr(path.read_text(encoding="utf-8"))
    licence = metadata.get("License-Expression") or metadata.get("License") or ""
    classifiers = [
        text for text in metadata.get_all("Classifier", []) if text.startswith("License")
    ]
    if not licence or "\n" in licence or licence == "UNKNOWN":
        licence = classifiers[-1].rpartition(" :: ")[2] if classifiers else "see its licence file"
    who = metadata.get("Author") or metadata.get("Author-email") or metadata.get("Maintainer-email")
    return (
        f"\nFiles: usr/lib/tocsin/site/{path.parent.name}/*\n"
        f"Copyright: {' '.join((who or 'its authors').split())}\n"
        f"License: {licence.replace(' ', '-')}\n See {path.parent.name} for its text.\n"
    )
