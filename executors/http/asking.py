"""What is asked: the request that a block describes, and those to which answers redirect it."""

from __future__ import annotations

import base64
import functools
import json
from typing import Final, NamedTuple
from urllib.parse import urlencode

import httpx

from tocsin import __version__
from tocsin.errors import ExecutorError

from .body import Body, FileBody
from .config import Auth, HttpConfig
from .decoding import ACCEPTED

Field = tuple[bytes, bytes]
REDIRECTS_MAX: Final = 10
"""Followed where a block says no more than `true`."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_GUARDED: Final = frozenset({b"idempotency-key", b"x-idempotency-key"})
_HARMLESS: Final = frozenset(
    {b"accept", b"accept-encoding", b"accept-language", b"user-agent", b"content-type",
     b"content-length", b"content-language", b"content-encoding"}
)  # fmt: skip
"""The fields that go along to another host; any other may be a secret."""
_PORT_MAX: Final = 65_535
_OF_BODY: Final = b"content-"
_DEFAULTS: Final[tuple[Field, ...]] = (
    (b"accept", b"*/*"),
    (b"accept-encoding", ACCEPTED.encode()),
    (b"user-agent", f"tocsin/{__version__}".encode()),
)
_BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})


class Asked(NamedTuple):
    """One request: all that its server is told."""

    method: str
    url: httpx.URL
    fields: list[Field]
    body: Body | None

    @property
    def is_repeatable(self) -> bool:
        """Whether it may reach its server twice, see RFC 9110 9.2.2.

        A key for idempotency makes any request such a one.
        """
        return self.method in _REPEATABLE or any(
            name.lower() in _GUARDED for name, _ in self.fields
        )

    def as_httpx(self, extensions: dict[str, object]) -> httpx.Request:
        """The same, as httpx has it."""
        stream = httpx.ByteStream(b"") if self.body is None else self.body
        return httpx.Request(
            self.method, self.url, headers=self.fields, stream=stream, extensions=extensions
        )


def asked_by(config: HttpConfig, *, has_secrets: bool) -> Asked:
    """The request that a block describes; whoever takes it closes its body.

    `has_secrets`: some of its texts may have been filled in, and nothing of it may be kept.

    Raises:
        ExecutorError: it cannot be asked; says why.
    """
    try:
        parse = _parse if has_secrets else _known
        url = parse(config.url, urlencode(config.query, doseq=True))
        if not _has_place(url):
            raise ExecutorError("cannot be asked: `url` names no host, or a port that is none")
        body, kind = _body(config)
    except (ValueError, httpx.InvalidURL) as error:
        raise ExecutorError(f"cannot be asked: {error}") from error
    method = (config.method or ("GET" if body is None else "POST")).upper()
    fields = _fields(config, url, kind)
    if body is not None or method in _BODY_METHODS:
        fields.append((b"content-length", b"%d" % (0 if body is None else body.size)))
    return Asked(method, url, fields, body)


def _fields(config: HttpConfig, url: httpx.URL, kind: bytes) -> list[Field]:
    """Those of the block, and what it leaves open."""
    own = [(name.encode(), value.strip().encode()) for name, value in config.headers.items()]
    names = {name.lower() for name, _ in own}
    open_to_us = [(b"host", url.netloc), *_DEFAULTS]
    if kind:
        open_to_us.append((b"content-type", kind))
    if config.auth is not None:
        open_to_us.append((b"authorization", _authorization(config.auth)))
    return [field for field in open_to_us if field[0] not in names] + own


def redirected(asked: Asked, status: int, location: str | None) -> Asked | None:
    """The request to which an answer leads, see RFC 9110 15.4; None: it leads nowhere.

    Raises:
        httpx.RemoteProtocolError: it leads to what cannot be asked.
    """
    if status not in _REDIRECTS or location is None:
        return None
    method, url, fields, body = asked
    try:
        to = url.join(location).copy_with(userinfo=b"", fragment=None)
    except (httpx.InvalidURL, ValueError) as error:
        raise httpx.RemoteProtocolError("it redirects to no url") from error
    if to.scheme not in {"http", "https"} or not _has_place(to):
        raise httpx.RemoteProtocolError("it redirects to something else than http:// or https://")
    if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):  # noqa: PLR2004 - see there
        method, body = "GET", None
        fields = [field for field in fields if not field[0].lower().startswith(_OF_BODY)]
    if not _is_same_side(url, to):
        kept = [field for field in fields if field[0].lower() in _HARMLESS]
        fields = [(b"host", to.netloc), *kept]
    return Asked(method, to, fields, body)


def _has_place(url: httpx.URL) -> bool:
    return bool(url.host) and (url.port is None or 0 < url.port <= _PORT_MAX)


def _is_same_side(url: httpx.URL, to: httpx.URL) -> bool:
    """Whether a redirect stays with its server, or goes from http to https there."""
    if url.host != to.host:
        return False
    if url.scheme == to.scheme:
        return url.port == to.port
    return (url.scheme, url.port, to.scheme, to.port) == ("http", None, "https", None)


def _parse(text: str, query: str) -> httpx.URL:
    url = httpx.URL(text)
    if not query:
        return url
    return url.copy_with(query=b"&".join(filter(None, (url.query, query.encode()))))


_known: Final = functools.lru_cache(maxsize=256)(_parse)
"""The same few are asked again and again, and to parse one costs a tenth of a request."""


def _body(config: HttpConfig) -> tuple[Body | None, bytes]:
    """What is sent, and the media type that follows from its kind."""
    if config.body is not None:
        return Body(config.body.encode()), b""
    if config.json is not None:
        text = json.dumps(config.json, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return Body(text.encode()), b"application/json"
    if config.form is not None:
        text = urlencode(config.form, doseq=True)
        return Body(text.encode()), b"application/x-www-form-urlencoded"
    return (None if config.file is None else _file(config.file)), b""


def _file(path: str) -> Body:
    try:
        return FileBody(path)
    except OSError as error:
        raise ExecutorError(f"`file` {path}: {error.strerror}") from error
    except ValueError as error:
        raise ExecutorError(f"`file` {path} {error}") from error


def _authorization(auth: Auth) -> bytes:
    if auth.bearer:
        return b"Bearer " + auth.bearer.strip().encode()
    return b"Basic " + base64.b64encode(f"{auth.user}:{auth.password}".encode())
