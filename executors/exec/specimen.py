"""The specimen of the exec executor: small programs of /bin/sh."""

from __future__ import annotations

from typing import Any, Final

from tocsin.executors.checking import Specimen


def _sh(script: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - keys of a block
    return {"program": "/bin/sh", "args": ["-c", script], **more}


SPECIMEN: Final = Specimen(
    succeed={"program": "true"},
    greet=_sh("""printf '%s\\n' '{"output": "hello\\n"}'; echo oh >&2"""),
    greet_stderr="oh\n",
    fail=_sh("""echo '{"result": "failed", "message": "no luck"}'; exit 3"""),
    fail_message="no luck",
    fail_exit_code=3,
    linger=_sh("exec sleep 600"),
    resist=_sh("trap '' TERM; while :; do sleep 600; done"),
    refuse={"program": "/no/such/program"},
    flood=_sh("head -c 64M /dev/zero"),
    # Its request, which holds the secret, goes to both streams.
    secret=_sh('read -r it; echo "$it"; echo "$it $TOKEN" >&2', config="{{ secret.TOKEN }}"),
)
