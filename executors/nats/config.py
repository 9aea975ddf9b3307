"""The schema of a job's `nats` block; light, because the coordinator checks it at apply."""

from __future__ import annotations

import binascii
import re
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tocsin.units import parse_duration

from .addresses import parse_addresses

SUBJECT_BYTES_MAX: Final = 1024
"""A server reads lines of 4,096 bytes, and more than the subject is in one."""
MSG_ID_FIELD: Final = "Nats-Msg-Id"
_SUBJECT: Final = re.compile(r"[^\x00-\x20\x7f*>.]+(?:\.[^\x00-\x20\x7f*>.]+)*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HEADER_NAME: Final = re.compile(r"[!-9;-~]+", re.ASCII)
"""Printable ASCII without the colon, see ADR-4 of nats-architecture-and-design."""
_SEED: Final = re.compile(r"S[UANCOX][A-Z2-7]{40,}", re.ASCII)
_PLACEHOLDER: Final = "{{"
"""What holds one is checked when it is filled in."""

_Text = Annotated[str, Meta(min_length=1)]
_Secret = Annotated[str, Meta(min_length=1, extra={"secret": True})]
_Path = Annotated[str, Meta(min_length=1, pattern=r"^[^\x00]*$")]
_Duration = float | str


class Tls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a server is believed, and what it is shown."""

    ca: Annotated[
        _Path | None,
        Meta(description="path of the authorities to trust, PEM; by default the system's"),
    ] = None
    cert: Annotated[_Path | None, Meta(description="path of a client certificate, PEM")] = None
    key: Annotated[_Path | None, Meta(description="path of its key, if not in the same file")] = (
        None
    )
    verify: Annotated[bool, Meta(description="`false`: take any certificate")] = True
    server_name: Annotated[
        str | None, Meta(description="the name in the certificate; by default the address's host")
    ] = None
    first: Annotated[
        bool, Meta(description="TLS before the server's greeting (its `handshake_first`)")
    ] = False

    def __post_init__(self) -> None:
        for name in ("ca", "cert", "key"):
            _check_path(name, getattr(self, name))
        if self.key is not None and self.cert is None:
            raise ValueError("`key` stands without `cert`")


class NatsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `nats` block of a job."""

    subject: Annotated[str, Meta(description="where the message goes; no wildcards")]
    servers: Annotated[
        str | list[str],
        Meta(
            description="addresses, tried in this order: `nats://HOST:PORT`, `tls://HOST:PORT`",
            examples=[["tls://nats-1:4222", "tls://nats-2:4222"], "nats://a,nats://b"],
        ),
    ] = "nats://127.0.0.1:4222"
    payload: Annotated[str | None, Meta(description="text to be sent; by default nothing")] = None
    payload_base64: Annotated[str | None, Meta(description="bytes to be sent, as base64")] = None
    payload_file: Annotated[
        _Path | None, Meta(description="path of a file to be sent, as it is")
    ] = None
    headers: Annotated[
        dict[str, str | list[str]], Meta(description="header fields, each a text or several")
    ] = {}
    jetstream: Annotated[
        bool, Meta(description="success is the acknowledgement of the stream that stored it")
    ] = False
    msg_id: Annotated[
        str | bool | None,
        Meta(
            description="by which a stream knows a message again; by default the run's idempotency "
            "key, the same for every attempt; `false`: none"
        ),
    ] = None
    request: Annotated[
        bool | _Duration,
        Meta(
            description="success is a reply, which is the output: `true` waits for it as long as "
            "the job's `timeout`; seconds, or a text such as 2m, no longer than that"
        ),
    ] = False
    wait: Annotated[
        _Duration,
        Meta(
            description="how long a server or stream may take to confirm, without `request`: "
            "seconds, or a text such as 1m"
        ),
    ] = 10.0
    user: Annotated[_Text | None, Meta(description="who we are, with `password`")] = None
    password: Annotated[_Secret | None, Meta(description="of the `user`")] = None
    token: Annotated[_Secret | None, Meta(description="in place of `user` and `password`")] = None
    nkey: Annotated[_Path | None, Meta(description="path of a file that holds a seed")] = None
    creds: Annotated[_Path | None, Meta(description="path of a credentials file: JWT and seed")] = (
        None
    )
    tls: Annotated[
        bool | Tls,
        Meta(
            description="`true`, or `{ca, cert, key, verify, server_name, first}`: only with TLS; "
            "by default where the address or the server asks for it"
        ),
    ] = False
    inbox_prefix: Annotated[
        str, Meta(description="where replies and acknowledgements are sent: below this subject")
    ] = "_INBOX"

    def __post_init__(self) -> None:
        self._check_places(of_templates=False)
        self._check_message()
        self._check_kind()
        self._check_credentials()

    def check_filled(self) -> None:
        """Check what looked like a template before: it may have been filled with anything.

        Raises:
            ValueError: names the key and says why.
        """
        self._check_places(of_templates=True)

    def _check_places(self, *, of_templates: bool) -> None:
        for name in ("subject", "inbox_prefix"):
            if (_PLACEHOLDER in getattr(self, name)) is of_templates:
                _check_subject(name, getattr(self, name))
        servers = self.servers if isinstance(self.servers, str) else "".join(self.servers)
        if (_PLACEHOLDER in servers) is of_templates:
            _check_servers(self.servers)

    def _check_message(self) -> None:
        _check_alone(self, ("payload", "payload_base64", "payload_file"), "can be sent")
        _check_path("payload_file", self.payload_file)
        if self.payload_base64 is not None and _PLACEHOLDER not in self.payload_base64:
            decode_base64(self.payload_base64)
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValueError(f"`headers`: {name!r} cannot name a header field")
            for text in value if isinstance(value, list) else [value]:
                if any(mark in text for mark in "\r\n\0"):
                    raise ValueError(f"`headers`: {name} holds a line break or a NUL")
            if self.jetstream and name.lower() == MSG_ID_FIELD.lower():
                raise ValueError(f"`headers`: give `msg_id` in place of {name}")

    def _check_kind(self) -> None:
        if self.jetstream and self.request is not False:
            raise ValueError("`jetstream` and `request`: only one of them can confirm")
        if self.msg_id is not None:
            if not self.jetstream:
                raise ValueError("`msg_id` stands without `jetstream`")
            if isinstance(self.msg_id, str) and (not self.msg_id or _CONTROL.search(self.msg_id)):
                raise ValueError("`msg_id`: is empty, or holds a line break; write false for none")
        for name in ("request", "wait"):
            value = getattr(self, name)
            if not isinstance(value, bool) and duration_s(name, value) <= 0:
                raise ValueError(f"`{name}`: must be more than 0")

    def _check_credentials(self) -> None:
        _check_alone(self, ("user", "token", "nkey", "creds"), "can say who we are")
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` must be given together")
        for name in ("nkey", "creds"):
            path = getattr(self, name)
            if path is not None and (_SEED.fullmatch(path) or "-----BEGIN" in path):
                raise ValueError(f"`{name}`: is the path of a file on the agent, not what is in it")
            _check_path(name, path)


def _check_subject(key: str, subject: str) -> None:
    if len(subject.encode()) > SUBJECT_BYTES_MAX:
        raise ValueError(f"`{key}`: has more than {SUBJECT_BYTES_MAX} bytes")
    if _SUBJECT.fullmatch(subject):
        return
    if any(mark in subject for mark in "*>"):
        raise ValueError(f"`{key}`: {subject!r} has a wildcard, and a message goes to one subject")
    if not all(subject.split(".")):
        raise ValueError(f"`{key}`: {subject!r} has nothing before, between or after its dots")
    raise ValueError(f"`{key}`: {subject!r} holds white space or a control character")


def _check_servers(servers: str | list[str]) -> None:
    try:
        parse_addresses(servers)
    except ValueError as error:
        raise ValueError(f"`servers`: {error}") from None


def decode_base64(text: str) -> bytes:
    """The bytes of `payload_base64`; line breaks in it mean nothing.

    Raises:
        ValueError: names the key and says why.
    """
    try:
        return binascii.a2b_base64("".join(text.split()).encode(), strict_mode=True)
    except ValueError as error:
        raise ValueError(f"`payload_base64`: is no base64: {error}") from None


def duration_s(key: str, value: _Duration) -> float:
    """The seconds of a duration.

    Raises:
        ValueError: names the key and says why.
    """
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ValueError(f"`{key}`: {error}") from None


def _check_alone(config: NatsConfig, names: tuple[str, ...], what: str) -> None:
    given = [name for name in names if getattr(config, name) is not None]
    if len(given) > 1:
        raise ValueError(f"`{'` and `'.join(given)}`: only one of them {what}")


def _check_path(key: str, path: str | None) -> None:
    if path is not None and not path.startswith(("/", _PLACEHOLDER)):
        raise ValueError(f"`{key}`: {path!r} is no path from the root; the file is on the agent")
