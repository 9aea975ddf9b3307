"""A request of Cronicle's `urlplug`, as the block of the http executor."""

from __future__ import annotations

import re
from typing import Any, Final

from tocsin.importing.doubt import Doubts, Place
from tocsin.importing.json_text import Keys, shortened
from tocsin.importing.requesting import add_url, fields, literal, pattern

REDIRECTS_MAX: Final = 32
"""So many Cronicle follows."""
_PLACEHOLDER: Final = re.compile(r"\[\w[\w/]*\]")


def add_request(job: dict[str, Any], keys: Keys, place: Place, doubts: Doubts) -> None:
    """Put the block, and what belongs to the job, into a job."""
    block: dict[str, Any] = {}
    add_url(block, keys.text("url"), place, doubts)
    method = block["method"] = keys.text("method").upper() or "GET"
    if headers := _headers(keys.text("headers"), place, doubts):
        block["headers"] = headers
    body = keys.text("data")
    if body and method == "POST":
        block["body"] = literal(body)
    elif body:
        doubts.lost(place, f"data {shortened(body)}", f"Cronicle sends none with {method}")
    _add_success(job, block, keys, place, doubts)
    if (timeout_s := keys.number("timeout")) > 0:
        job["timeout"] = min(timeout_s, job.get("timeout", timeout_s))
        doubts.note(place, f"timeout {timeout_s:g}", "of the request; it is that of the attempt")
    block["redirects"] = REDIRECTS_MAX if keys.truth("follow") else False
    if keys.truth("ssl_cert_bypass"):
        block["verify"] = False
    if _PLACEHOLDER.search(f"{block['url']} {body} {headers}"):
        doubts.check(place, "[…] in the request", "Cronicle replaces such placeholders by data of "
                     "the job; they stand as they are", "what belongs there")  # fmt: skip
    for key in ("idle_timeout", "connect_timeout"):
        if value := keys.text(key):
            doubts.lost(place, f"params {key}", f"{shortened(value)} is left out")
    job["http"] = block


def _add_success(
    job: dict[str, Any], block: dict[str, Any], keys: Keys, place: Place, doubts: Doubts
) -> None:
    """A status of 200 to 399, and patterns that the body must and must not match."""
    block["expect"] = "200-399"
    if match := keys.text("success_match"):
        body = literal(pattern(match, place, doubts))
        block["expect"] = {"status": "200-399", "body": body}
    if match := keys.text("error_match"):
        job["expect"] = {"not_match": pattern(match, place, doubts)}


def _headers(text: str, place: Place, doubts: Doubts) -> dict[str, str]:
    pairs = []
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and value.strip():
            pairs.append((name.strip(), value.strip()))
        elif line.strip():
            doubts.lost(place, f"header {line!r}", "left out: it has no value")
    return fields(pairs, place, doubts)
