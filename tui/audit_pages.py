"""The part of the audit that has been read: without a gap, newest first.

Entries are numbered without a gap, so whether a page joins what is known can be told from the
numbers alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tocsin.model import AuditEntry


class Pages(msgspec.Struct, frozen=True):
    """What has been read."""

    entries: tuple[AuditEntry, ...] = ()
    more: bool = True
    """There are older ones."""

    @property
    def newest(self) -> int:
        """The number of the newest entry; 0 when there is none."""
        return self.entries[0].number if self.entries else 0

    @property
    def oldest(self) -> int:
        """The number of the oldest entry; 0 when there is none."""
        return self.entries[-1].number if self.entries else 0


def joins(pages: Pages, rows: Sequence[AuditEntry]) -> bool:
    """Whether nothing is missing between the newest entries, which these are, and the known."""
    return not rows or not pages.entries or rows[-1].number <= pages.newest + 1


def add_newest(pages: Pages, rows: Sequence[AuditEntry], *, more: bool) -> Pages:
    """With the newest entries; where they do not join what is known, that is forgotten."""
    if not pages.entries or not joins(pages, rows):
        return Pages(tuple(rows), more)
    new = [row for row in rows if row.number > pages.newest]
    return Pages((*new, *pages.entries), pages.more) if new else pages


def add_older(pages: Pages, rows: Sequence[AuditEntry], *, more: bool) -> Pages:
    """With a page of those before the oldest that is known."""
    older = [row for row in rows if not pages.entries or row.number < pages.oldest]
    return Pages((*pages.entries, *older), more)
