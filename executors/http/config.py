"""The schema of a job's `http` block; light, because the coordinator checks it at apply."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tocsin.execution import Expect
from tocsin.expectation import faults

_STATUS: Final = re.compile(r"[1-5]xx|[1-5]\d\d(-[1-5]\d\d)?", re.ASCII)
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_USER_IN_URL: Final = re.compile(r"[a-z]+://[^/?#]*@", re.IGNORECASE)
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})

Status = int | str


class Auth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who asks: `user` and `password`, or `bearer`."""

    user: Annotated[str, Meta(description="name, for basic authentication")] = ""
    password: Annotated[str, Meta(description="of `user`", extra={"secret": True})] = ""
    bearer: Annotated[str, Meta(description="token, in their place", extra={"secret": True})] = ""

    def __post_init__(self) -> None:
        if bool(self.user) == bool(self.bearer):
            raise ValueError("either `user` (and `password`) or `bearer` must be given")
        _check_user(self.user)
        if _CONTROL.search(self.bearer):
            raise ValueError("`bearer` holds a line break or another control character")


class Proxy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A proxy that asks who comes."""

    url: Annotated[str, Meta(min_length=1, description="`http://HOST:PORT`, or `https://`")]
    user: Annotated[str, Meta(description="name, where the proxy asks for one")] = ""
    password: Annotated[str, Meta(description="of `user`", extra={"secret": True})] = ""

    def __post_init__(self) -> None:
        check_url(self.url, "`url`", "`user` and `password`")
        _check_user(self.user)
        if self.password and not self.user:
            raise ValueError("`password` stands without `user`")

    @property
    def is_secured(self) -> bool:
        """Whether the proxy itself is spoken to over TLS."""
        return self.url.lower().startswith("https:")


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which answers mean success."""

    status: Annotated[
        Status | list[Status],
        Meta(description="expected status", examples=["2xx", 204, ["2xx", "300-304"]]),
    ] = "2xx"
    body: Annotated[str, Meta(description="a regular expression that the body must match")] = ""
    json: Annotated[
        dict[str, Any], Meta(description="the body is JSON, with these values at these paths")
    ] = {}

    def __post_init__(self) -> None:
        for one in self.statuses:
            least, _, most = str(one).partition("-")
            if not _STATUS.fullmatch(str(one)) or (most and most < least):
                raise ValueError(f"`status`: {one} is none; write 200, 2xx or 200-204")
        for _, wrong in faults(self.of_body):
            raise ValueError(f"`{'json' if self.json else 'body'}`: {wrong}")

    @property
    def statuses(self) -> list[Status]:
        """Every status, class and range that is expected."""
        return self.status if isinstance(self.status, list) else [self.status]

    @property
    def of_body(self) -> Expect:
        """What is expected of the body."""
        return Expect(match=self.body, json=self.json)

    def takes(self, code: int) -> bool:
        """Whether a status is expected."""
        return any(_takes(str(one), code) for one in self.statuses)


def _takes(expected: str, code: int) -> bool:
    if expected.endswith("xx"):
        return code // 100 == int(expected[0])
    least, _, most = expected.partition("-")
    return int(least) <= code <= int(most or least)


class HttpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `http` block of a job."""

    url: Annotated[str, Meta(min_length=1, description="`http://` or `https://`")]
    method: Annotated[
        Annotated[str, Meta(pattern="^[A-Za-z-]{1,20}$")] | None,
        Meta(description="by default GET, or POST where there is a body"),
    ] = None
    query: Annotated[
        dict[str, str | list[str]], Meta(description="parameters, added to those of the url")
    ] = {}
    headers: Annotated[dict[str, str], Meta(description="header fields, `Host` too")] = {}
    body: Annotated[str | None, Meta(description="text to be sent")] = None
    json: Annotated[Any, Meta(description="anything, to be sent as JSON")] = None
    form: Annotated[
        dict[str, str | list[str]] | None, Meta(description="fields of a form to be sent")
    ] = None
    file: Annotated[
        str | None, Meta(description="path of a file to be sent, as it is, of any size")
    ] = None
    auth: Annotated[Auth | None, Meta(description="`{user, password}` or `{bearer}`")] = None
    cert: Annotated[str | None, Meta(description="path of a client certificate, PEM")] = None
    key: Annotated[str | None, Meta(description="path of its key, if not in the same file")] = None
    ca: Annotated[
        str | None,
        Meta(description="path of the authorities to trust, PEM; by default the system's"),
    ] = None
    verify: Annotated[bool, Meta(description="`false`: take any certificate")] = True
    proxy: Annotated[
        str | Proxy | None,
        Meta(
            description="`http://HOST:PORT`, `{url, user, password}`, or `env`: as the agent's "
            "environment says"
        ),
    ] = None
    redirects: Annotated[
        bool | Annotated[int, Meta(ge=0, le=50)],
        Meta(description="follow redirects: `true` (up to 10), `false`, or how many"),
    ] = True
    http2: Annotated[
        bool, Meta(description="speak HTTP/2 where the server does; with a body up to 64 KiB")
    ] = False
    expect: Annotated[
        Answer | Status | list[Status],
        Meta(description="`{status, body, json}`, or the status alone"),
    ] = Answer()

    def __post_init__(self) -> None:
        check_url(self.url, "`url`", "`auth`")
        if isinstance(self.proxy, str) and self.proxy != "env":
            check_url(self.proxy, "`proxy`", "`proxy: {url, user, password}`")
        if self.method is not None and self.method.upper() == "CONNECT":
            raise ValueError("`method`: CONNECT opens a tunnel, and asks for nothing")
        bodies = [it for it in ("body", "json", "form", "file") if getattr(self, it) is not None]
        if len(bodies) > 1:
            raise ValueError(f"`{'` and `'.join(bodies)}`: only one of them can be sent")
        if self.key is not None and self.cert is None:
            raise ValueError("`key` stands without `cert`")
        for name, value in self.headers.items():
            _check_field(name, value)
        _ = self.answer

    @property
    def answer(self) -> Answer:
        """What is expected."""
        return self.expect if isinstance(self.expect, Answer) else Answer(status=self.expect)


def _check_field(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"`headers`: {name!r} cannot name a header field")
    if name.lower() in _FRAMING:
        raise ValueError(f"`headers`: {name} follows from what is sent, and cannot be given")
    if _CONTROL.search(value):
        raise ValueError(f"`headers`: {name} holds a line break or another control character")


def _check_user(user: str) -> None:
    if ":" in user:
        raise ValueError("`user` holds a colon, where its password would begin")
    if _CONTROL.search(user):
        raise ValueError("`user` holds a line break or another control character")


def check_url(url: str, key: str, instead: str) -> None:
    """Refuse a url that cannot be asked; one with placeholders is checked when they are filled in.

    `key` holds it, and `instead` is where a user belongs.

    Raises:
        ValueError: says why.
    """
    if "{{" in url:
        return
    if not url.lower().startswith(("http://", "https://")):
        raise ValueError(f"{key} must begin with http:// or https://")
    if _USER_IN_URL.match(url):
        raise ValueError(f"{key} holds a user; give {instead} instead, the password as a secret")
