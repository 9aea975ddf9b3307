"""Who we say that we are."""

from __future__ import annotations

import asyncio
import base64
import sys
from pathlib import Path
from typing import Any

import nkeys
import pytest

from tocsin.errors import ExecutorError
from tocsin.execution import Health
from tocsin.executors.nats import Nats
from tocsin.executors.nats.config import NatsConfig
from tocsin.executors.nats.credentials import proof
from tocsin.executors.nats.settings import settings_of

SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"


def proof_of(nonce: str, **block: Any) -> dict[str, object]:
    """The fields for a block."""
    return proof(settings_of(NatsConfig(subject="a", **block)), nonce)


def test_words() -> None:
    """They go as they are."""
    assert proof_of("n", user="u", password="p") == {"user": "u", "pass": "p"}
    assert proof_of("n", token="t") == {"auth_token": "t"}
    assert proof_of("n") == {}


def test_a_seed_signs_the_nonce(tmp_path: Path) -> None:
    """White space around it does not matter, and a server that asks for nothing gets nothing."""
    path = tmp_path / "seed"
    path.write_text(f"  {SEED}\r\n\n")
    fields = proof_of("nonce", nkey=str(path))
    pair = nkeys.from_seed(bytearray(SEED.encode()))
    assert fields["nkey"] == pair.public_key.decode()
    assert pair.verify(b"nonce", base64.urlsafe_b64decode(f"{fields['sig']}=="))
    assert proof_of("", nkey=str(path)) == {}


def test_the_library_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure says which one, and how to get it."""
    monkeypatch.setitem(sys.modules, "nkeys", None)
    path = tmp_path / "seed"
    path.write_text(SEED)
    with pytest.raises(ExecutorError, match="`nkey` needs nkeys") as missing:
        proof_of("nonce", nkey=str(path))
    assert missing.value.hint == "install what it needs: pip install 'tocsin[nats]'"


def test_its_health_names_the_version_of_the_library() -> None:
    """It is looked up without loading anything."""

    async def first() -> Health:
        return await anext(Nats().health())

    health = asyncio.run(first())
    assert health.available
    assert set(health.facts) == {"nkeys"}
