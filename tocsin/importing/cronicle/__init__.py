"""Cronicle's events: `control.sh export`, and the JSON of `get_schedule` and `get_event`.

Sources: Cronicle 0.9, `docs/APIReference.md`, `docs/WebUI.md`, `bin/storage-cli.js`,
`lib/scheduler.js`, `lib/job.js` and the plugins in `bin/`.
"""

from __future__ import annotations

from tocsin.importing.cronicle.reading import import_cronicle

__all__ = ["import_cronicle"]
