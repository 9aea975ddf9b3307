"""The specimen of the nats executor: a nats-server on this machine, and a service behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from tocsin.executors.checking import Specimen


@contextlib.contextmanager
def _specimen() -> Iterator[Specimen]:
    from tocsin.executors.checking.local_nats import local_nats

    with local_nats() as server:
        common = {"servers": server, "request": True}
        yield Specimen(
            succeed={"servers": server, "subject": "notes", "payload": "done"},
            greet={**common, "subject": "echo", "payload": "hello\n"},
            fail={**common, "subject": "nobody", "payload": "?"},
            fail_message="nobody listens",
            linger={**common, "subject": "silence"},
            refuse={"servers": server, "subject": "notes", "payload_file": "/no/such/file"},
            secret={**common, "subject": "echo", "payload": "{{ secret.TOKEN }}"},
        )


SPECIMEN: Final = _specimen
