"""Tells what executors are, and whether they work here: `python -m tocsin.executors.describe`.

A process of its own, started by the agent and over in a moment: importing an executor may crash,
hang or print, and costs memory that an idle agent should not have. What is to be probed stands in
its environment; the answers are msgpack on its stdout, one when an executor's turn comes and one
when it is done, so whoever waits knows which one it hangs or died in.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import msgspec

from tocsin.config_schema import schema_of, secret_keys
from tocsin.errors import ExecutorError
from tocsin.execution import (
    DESCRIPTION_BYTES_MAX,
    PORT_VERSION,
    Executor,
    Health,
    capabilities_of,
    executor_entry_points,
    load_executor,
)
from tocsin.hosting import PROBE_VARIABLE, Probed, Settings
from tocsin.model import MASKED, Description
from tocsin.wire import encode

from .sound_outcome import one_line

HEALTH_S: Final = 5.0
"""How long an executor may take to say how it is."""
FACTS_BYTES_MAX: Final = 4 << 10


def probe(settings: Settings) -> Probed:
    """All about one executor, be it that it does not work."""
    use = settings.use or settings.name
    try:
        executor = load_executor(use)
        description = _described(settings, use, executor)
        health = _health(executor)
    # An executor from elsewhere may raise anything, and call sys.exit: the others go on.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return Probed(settings.name, Health(available=False, message=_said(error)))
    digest = hashlib.sha256(description).hexdigest()[:32]
    return Probed(settings.name, health, description, digest)


def _described(settings: Settings, use: str, executor: type[Executor]) -> bytes:
    point = executor_entry_points().get(use)
    package = point.dist if point is not None else None
    description = Description(
        name=settings.name,
        use=use,
        version=f"{package.name} {package.version}" if package is not None else "",
        port=PORT_VERSION,
        summary=executor.summary,
        main_key=executor.main_key,
        capabilities=sorted(capabilities_of(executor)),
        schema=schema_of(executor.config),
        defaults=_shown(settings.defaults, executor),
    )
    data = encode(description)
    if len(data) > DESCRIPTION_BYTES_MAX:
        raise ExecutorError(f"its schema comes to {len(data)} bytes")
    return data


def _shown(defaults: Mapping[str, Any], executor: type[Executor]) -> dict[str, Any]:
    secret = secret_keys(executor.config)
    return {key: MASKED if key in secret else value for key, value in defaults.items()}


def _health(executor: type[Executor]) -> Health:
    made = executor()
    if not hasattr(made, "health"):
        return Health(available=True)
    import asyncio

    async def first() -> Health:
        async with asyncio.timeout(HEALTH_S):
            async for health in made.health():
                return msgspec.convert(health, Health, from_attributes=True)
        return Health(available=True)

    try:
        health = asyncio.run(first())
    except TimeoutError:
        return Health(available=False, message=f"it did not say how it is in {HEALTH_S:g} s")
    facts = health.facts if len(msgspec.json.encode(health.facts)) <= FACTS_BYTES_MAX else {}
    return Health(health.available, one_line(health.message), facts)


def _said(error: BaseException) -> str:
    if isinstance(error, ExecutorError):
        return one_line(f"{error.message}; {error.hint}" if error.hint else error.message)
    return one_line(f"{type(error).__name__}: {error}")


def main() -> int:
    """Probe what the environment names, one after the other; the exit code."""
    wanted = msgspec.json.decode(os.environ[PROBE_VARIABLE], type=list[Settings])
    with _own_stdout() as out:
        for settings in wanted:
            for said in (Probed(settings.name), None):
                out.write(encode(said or probe(settings)))
                out.flush()
    return 0


def _own_stdout() -> BinaryIO:
    """The stdout that was given, out of reach of what an executor prints."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


if __name__ == "__main__":
    sys.exit(main())
