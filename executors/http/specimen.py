"""The specimen of the http executor: requests to a small server on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from tocsin.executors.checking import Specimen


@contextlib.contextmanager
def _specimen() -> Iterator[Specimen]:
    from tocsin.executors.checking.local_web import local_web

    with local_web() as url:
        yield Specimen(
            succeed={"url": f"{url}/hello"},
            greet={"url": f"{url}/hello"},
            fail={"url": f"{url}/fail"},
            fail_message="500",
            linger={"url": f"{url}/linger"},
            refuse={"url": url, "cert": "/no/such/certificate"},
            flood={"url": f"{url}/flood"},
            secret={
                "url": f"{url}/token",
                "headers": {"authorization": "Bearer {{ secret.TOKEN }}"},
            },
        )


SPECIMEN: Final = _specimen
