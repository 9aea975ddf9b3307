"""What was done by whom, what befell the coordinator, and what it remembers of itself."""

from __future__ import annotations

from tocsin.coordinator.store.rows import audit_of, incident_of
from tocsin.model import AuditEntry, Incident

from .tables import Tables


class RecordTables(Tables):
    """See `tocsin.coordinator.store.port.Records`."""

    def setting(self, name: str) -> str | int | None:
        for row in self._read("setting", name):
            value: str | int = row["value"]
            return value
        return None

    def incidents(self, from_us: int, until_us: int) -> list[Incident]:
        return [incident_of(row) for row in self._read("incidents", from_us, until_us)]

    def audit(self, subject: str, since_us: int, before: int, limit: int) -> list[AuditEntry]:
        if subject:
            rows = self._read("audit_of_subject", subject, before, since_us, limit)
        else:
            rows = self._read("audit", before, since_us, limit)
        return [audit_of(row) for row in rows]

    def audit_after(self, number: int, limit: int) -> list[AuditEntry]:
        return [audit_of(row) for row in self._read("audit_after", number, limit)]
