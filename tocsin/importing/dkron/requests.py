"""An `http` job of Dkron, as the block of the http executor."""

from __future__ import annotations

import re
from typing import Any, Final

from tocsin.errors import ConfigError
from tocsin.importing.doubt import Doubts, Place, Weight
from tocsin.importing.json_text import Keys, read_json, shortened
from tocsin.importing.requesting import add_url, fields, literal, pattern

DEFAULT_TIMEOUT_S: Final = 30
_TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_CODE: Final = re.compile(r"[1-5]\d\d", re.ASCII)
_OURS: Final = re.compile(r"[1-5]xx", re.ASCII)
_ANY_STATUS: Final = "100-599"
_FILES: Final = {
    "tlsCertificateFile": "cert",
    "tlsCertificateKeyFile": "key",
    "tlsRootCAsFile": "ca",
}


def add_http(job: dict[str, Any], keys: Keys, place: Place, doubts: Doubts) -> None:
    """Put the block, and what belongs to the job, into a job."""
    block: dict[str, Any] = {}
    add_url(block, keys.text("url"), place, doubts)
    block["method"] = keys.text("method").upper() or "GET"
    if headers := _headers(keys.text("headers"), place, doubts):
        block["headers"] = headers
    if body := keys.text("body"):
        block["body"] = literal(body)
    expect = {"status": _status(keys.text("expectCode"), place, doubts)}
    if text := keys.text("expectBody"):
        expect["body"] = literal(pattern(text, place, doubts))
    block["expect"] = expect if len(expect) > 1 else expect["status"]
    _add_timeout(job, keys.text("timeout"), place, doubts)
    _add_tls(block, keys, place, doubts)
    if keys.text("debug"):
        doubts.lost(place, "debug", "left out: Dkron prints headers and secrets into the output")
    for key, value in keys.left():
        doubts.lost(place, f"executor_config {key}", f"{shortened(value)!r} is left out: unknown")
    doubts.once(
        Weight.NOTE,
        "http redirects",
        "to another host no header fields of the job go along; Dkron sends all but Authorization "
        "and Cookie",
    )
    job["http"] = block


def _headers(text: str, place: Place, doubts: Doubts) -> dict[str, str]:
    if not text:
        return {}
    try:
        items = read_json(text, "headers")
    except ConfigError:
        items = None
    if not isinstance(items, list):
        doubts.lost(place, f"headers {shortened(text)}", "left out: no JSON list, Dkron sends none")
        return {}
    pairs = []
    for item in items:
        name, colon, value = str(item).partition(":")
        name = name.strip()
        if not colon:
            doubts.lost(place, f"header {item!r}", "left out: it has no colon")
        elif name.lower() == "host":
            doubts.check(
                place, f"header {item!r}", "left out: Dkron does not send it", "whether it is meant"
            )
        else:
            pairs.append((name, value.strip()))
            if ":" in value:
                doubts.check(
                    place, f"header {name}", "kept whole; Dkron cuts its value at the second colon"
                )
    return fields(pairs, place, doubts)


def _status(text: str, place: Place, doubts: Doubts) -> str | list[str]:
    """What is expected; Dkron looks whether `CODE,` stands anywhere in the list."""
    if not text:
        doubts.check(
            place,
            "http without expectCode",
            "in Dkron every status is a success, 500 too, and so it is here",
            "which codes mean success; without `expect`, Tocsin takes 2xx",
        )
        return _ANY_STATUS
    found: list[str] = []
    for part in text.split(","):
        code = part[-3:]
        if _CODE.fullmatch(code):
            found.append(code)
            if part.strip() != code:
                doubts.check(place, f"expectCode {part.strip()}", f"Dkron takes {code} alone")
        elif _OURS.fullmatch(part.strip()):
            found.append(part.strip())
            doubts.check(place, f"expectCode {part.strip()}", "Dkron takes no status for it")
        elif part.strip():
            doubts.lost(place, f"expectCode {part.strip()}", "left out: Dkron takes none for it")
    if not found:
        doubts.lost(place, f"expectCode {text}", "Dkron takes no status for it; here 2xx succeed")
        return "2xx"
    return found[0] if len(found) == 1 else found


def _add_timeout(job: dict[str, Any], text: str, place: Place, doubts: Doubts) -> None:
    seconds = int(text) if text.isdecimal() and text.isascii() and len(text) < 7 else None  # noqa: PLR2004 - eleven days
    if seconds is None and text:
        doubts.check(place, f"timeout {text}", f"no number of seconds: {DEFAULT_TIMEOUT_S} s")
    if seconds == 0:
        doubts.check(place, "timeout 0", "Dkron waits for ever; here it is ended after 1d")
        return
    job["timeout"] = DEFAULT_TIMEOUT_S if seconds is None else seconds


def _add_tls(block: dict[str, Any], keys: Keys, place: Place, doubts: Doubts) -> None:
    if keys.text("tlsNoVerifyPeer") in _TRUE:
        block["verify"] = False
    found = {ours: path for theirs, ours in _FILES.items() if (path := keys.text(theirs))}
    if "key" in found and "cert" not in found:
        doubts.lost(place, f"tlsCertificateKeyFile {found.pop('key')}", "left out: no certificate")
    block.update({ours: literal(path) for ours, path in found.items()})
    if found:
        doubts.note(
            place,
            ", ".join(found.values()),
            "a run fails when it cannot be read; Dkron goes on without it",
        )
