"""Whom a request trusts, and as whom it comes."""

from __future__ import annotations

import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from tests.contract.host_client import Agent
from tocsin.execution import Status

from .asking import ask, unchecked
from .web import Web


def test_mutual_tls(agent: Agent, secure: Web, files: dict[str, str]) -> None:
    """Both sides show a certificate; the server's end is a fact."""
    outcome = ask(agent, url=f"{secure.url}/status/200", **files)
    assert outcome.message == ""
    assert outcome.facts["tls_expires"].endswith("Z")
    assert outcome.facts["tls_ms"] >= 0


def test_an_unknown_authority(agent: Agent, secure: Web, files: dict[str, str]) -> None:
    """A certificate that is not trusted ends the request, unless nobody is to look at it."""
    url = f"{secure.url}/status/200"
    distrusted = ask(agent, url=url, cert=files["cert"])
    assert "its certificate is not trusted" in distrusted.message
    taken = ask(agent, url=url, cert=files["cert"], verify=False)
    assert taken.status is Status.SUCCEEDED


def test_no_client_certificate(agent: Agent, secure: Web, files: dict[str, str]) -> None:
    """A server that wants one refuses, and the failure names it."""
    outcome = ask(agent, url=f"{secure.url}/status/200", ca=files["ca"])
    assert outcome.status is Status.FAILED
    assert outcome.message.startswith(secure.url.removeprefix("https://"))


@pytest.mark.parametrize("key", ["ca", "cert"])
def test_a_certificate_that_is_none(agent: Agent, web: Web, tmp_path: Path, key: str) -> None:
    """It fails the run before anything is sent."""
    (tmp_path / "bad.pem").write_text("no PEM")
    for path in (tmp_path / "bad.pem", tmp_path / "missing.pem"):
        end = agent.run(unchecked({"url": web.url, key: str(path)}))
        assert end.began_us is None
        assert end.outcome.message.startswith(f"`{key}` {path}: ")


def test_a_key_of_its_own(
    agent: Agent, secure: Web, files: dict[str, str], authority: trustme.CA, tmp_path: Path
) -> None:
    """Certificate and key may be two files, which have to belong together."""
    client = authority.issue_cert("client@example.org")
    client.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    client.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    block = {"url": f"{secure.url}/status/200", "ca": files["ca"]}
    pair = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    assert ask(agent, **block, **pair).status is Status.SUCCEEDED
    wrong = ask(agent, **block, cert=files["cert"], key=pair["key"])
    assert wrong.message.endswith(f"`key` {pair['key']}: the key is not that of the certificate")


def test_a_key_with_a_passphrase(
    agent: Agent, web: Web, files: dict[str, str], tmp_path: Path
) -> None:
    """Nobody is there to be asked for it; the message says what to do."""
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "pkey", "-in", files["cert"], "-aes256", "-passout", "pass:x", "-out", locked],
        check=True,
    )
    end = agent.run(unchecked({"url": web.url, "cert": files["cert"], "key": str(locked)}))
    assert end.began_us is None
    assert end.outcome.message == (
        f"`cert` {files['cert']}, `key` {locked}: the key has a passphrase; "
        f"take it off: openssl pkey -in {locked} -out NEW"
    )


def test_renewed_files_are_read_again(
    agent: Agent, secure: Web, files: dict[str, str], tmp_path: Path
) -> None:
    """A certificate that was replaced is used from the next run on."""
    block = {"url": f"{secure.url}/status/200", **files}
    assert ask(agent, **block).status is Status.SUCCEEDED
    kept = Path(files["ca"]).read_bytes()
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "new.pem"))
    (tmp_path / "new.pem").rename(files["ca"])
    assert "not trusted" in ask(agent, **block).message
    Path(files["ca"]).write_bytes(kept)
    assert ask(agent, **block).status is Status.SUCCEEDED


def test_a_server_that_speaks_no_tls(agent: Agent, web: Web) -> None:
    """The message names it."""
    outcome = ask(agent, url=web.url.replace("http:", "https:"))
    assert outcome.message.startswith(f"{web.place}: TLS: ")


def test_an_expired_certificate(agent: Agent, authority: trustme.CA, files: dict[str, str]) -> None:
    """It is told as such."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    then = datetime(2021, 1, 1, tzinfo=UTC)
    expired = authority.issue_cert("localhost", not_before=then, not_after=then)
    expired.configure_cert(context)
    web = Web(context)
    try:
        outcome = ask(agent, url=f"{web.url}/status/200", ca=files["ca"])
    finally:
        web.close()
    assert outcome.message == (
        f"{web.place}: its certificate is not trusted: certificate has expired"
    )
