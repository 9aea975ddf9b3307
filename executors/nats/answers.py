"""What a reply says: whether a stream has stored the message, or a service has failed."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .protocol import Message

_NO_RESPONDERS: Final = "503"
_FIRST_BAD_STATUS: Final = 300
_SERVICE_ERROR: Final = "nats-service-error"
_SERVICE_ERROR_CODE: Final = "nats-service-error-code"
_SHOWN_BYTES: Final = 80


class _ApiError(msgspec.Struct):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _PubAck(msgspec.Struct):
    """See the JetStream wire API reference: `io.nats.jetstream.api.v1.pub_ack_response`."""

    stream: str = ""
    seq: int = 0
    duplicate: bool = False
    domain: str = ""
    error: _ApiError | None = None


def read_ack(reply: Message) -> tuple[dict[str, Any], str]:
    """The facts of an acknowledgement, or what is wrong."""
    if reply.status.startswith(_NO_RESPONDERS):
        return {}, "no stream takes this subject"
    try:
        ack = msgspec.json.decode(reply.payload, type=_PubAck)
    except msgspec.MsgspecError:
        ack = _PubAck()
    if ack.error is not None:
        return {}, f"the stream refuses: {ack.error.description} ({ack.error.err_code})"
    if not ack.stream or not ack.seq:
        shown = reply.payload[:_SHOWN_BYTES].decode(errors="replace")
        return {}, f"what answered is no stream: {shown or reply.status or 'an empty message'}"
    facts = {"stream": ack.stream, "seq": ack.seq, "duplicate": ack.duplicate}
    if ack.domain:
        facts["domain"] = ack.domain
    return facts, ""


def fault_of(reply: Message) -> str:
    """What a reply complains of; empty when it does not."""
    if reply.status.startswith(_NO_RESPONDERS):
        return "no responders: nobody listens to this subject"
    code = reply.status[:3]
    if code.isdecimal() and int(code) >= _FIRST_BAD_STATUS:
        return f"the reply has status {reply.status}"
    fields = {name.lower(): values[0] for name, values in reply.headers.items()}
    if _SERVICE_ERROR in fields or _SERVICE_ERROR_CODE in fields:
        code = fields.get(_SERVICE_ERROR_CODE, "")
        text = fields.get(_SERVICE_ERROR, "")
        return f"the service fails: {' '.join(part for part in (code, text) if part)}"
    return ""
