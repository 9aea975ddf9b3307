"""The chain of the audit: each entry's digest covers the entry and the digest before it.

Whoever changes, drops or puts in an entry has to redo all later digests, so a number and a digest
that were noted elsewhere show it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from tocsin.model import AuditEntry


def digest_of(entry: AuditEntry, before: str) -> str:
    """SHA-256 in hexadecimal over the digest before it and the entry as JSON with sorted keys."""
    said = (before, entry.number, entry.at_us, entry.by, entry.act, entry.subject, entry.detail)
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def seal(entry: AuditEntry, number: int, before: str) -> AuditEntry:
    """The entry as it stands in the chain."""
    numbered = replace(entry, number=number)
    return replace(numbered, digest=digest_of(numbered, before))


def first_break(
    entries: Iterable[AuditEntry], number: int = 0, before: str = ""
) -> tuple[int, str] | None:
    """The number of the first entry that does not follow, and why; None when all do.

    `entries` follow an entry with this number and this digest, in order.
    """
    for entry in entries:
        number += 1
        if entry.number != number:
            return number, f"entry {number} is missing: {entry.number} stands in its place"
        if entry.digest != digest_of(entry, before):
            return number, f"entry {number} does not follow from the one before it"
        before = entry.digest
    return None
