"""Jobs of other schedulers as job files: text in, drafts and doubts out.

Pure: files are read and written by whoever calls this. Every line, key and setting of the input is
either in a draft or named by a doubt, which says what was done and what to check.
"""

from __future__ import annotations

from tocsin.importing.doubt import Doubt, Doubts, Place, Weight
from tocsin.importing.draft import Draft, Imported, Options, Source
from tocsin.importing.settling import settle
from tocsin.importing.writing import doubt_line, doubt_shape, import_shape, to_yaml

__all__ = [
    "Doubt",
    "Doubts",
    "Draft",
    "Imported",
    "Options",
    "Place",
    "Source",
    "Weight",
    "doubt_line",
    "doubt_shape",
    "import_shape",
    "settle",
    "to_yaml",
]
