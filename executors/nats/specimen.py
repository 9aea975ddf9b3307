"""The specimen of the nats executor: requests to a small server on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from tocsin.executors.checking import Specimen


@contextlib.contextmanager
def _specimen() -> Iterator[Specimen]:
    from tocsin.executors.checking.local_nats import local_nats

    with local_nats() as url:

        def request(subject: str, **keys: Any) -> dict[str, Any]:  # noqa: ANN401 - of its own schema
            return {"servers": [url], "subject": subject, "request": True, "wait": 600, **keys}

        yield Specimen(
            succeed=request("hello"),
            greet=request("hello"),
            fail=request("nobody"),
            fail_message="nobody",
            linger=request("linger"),
            refuse=request("hello", payload_file="/no/such/file"),
            secret=request("echo", payload="{{ secret.TOKEN }}"),
        )


SPECIMEN: Final = _specimen
