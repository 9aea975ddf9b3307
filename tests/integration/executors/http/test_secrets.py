"""What is kept of a secret that a request has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from tocsin import clock
from tocsin.execution import Outcome, Status
from tocsin.executors.http import Http, asking
from tocsin.executors.http.config import HttpConfig
from tocsin.executors.output_files import OutputFiles

from .asking import asked
from .web import Web


@pytest.mark.parametrize("secrets", [{}, {"TOKEN": "hook/token"}])
def test_an_address_with_a_secret_is_not_kept(
    web: Web, tmp_path: Path, secrets: dict[str, str]
) -> None:
    """It is parsed once for all runs, unless a secret may be in it."""
    url = f"{web.url}/status/200?{clock.new_ulid()}"
    config = HttpConfig(url=url, headers={"connection": "close"})
    order = msgspec.structs.replace(asked(url=config.url), secrets=secrets)

    async def run() -> Outcome:
        running = await Http().start(order, config, OutputFiles(str(tmp_path / "R.1"), 1000))
        return await running.wait()

    assert asyncio.run(run()).status is Status.SUCCEEDED
    hits = asking._known.cache_info().hits
    asking.asked_by(config, has_secrets=False)
    assert asking._known.cache_info().hits - hits == (not secrets)
