"""What an agent and its executor hosts say to each other over a Unix stream socket.

A host is `python -m tocsin.executors.host NAME DIR OUT_DIR`: it leaves the agent's session,
listens on `DIR/NAME.sock` and outlives the agent, so a killed agent finds its runs again. It keeps
every outcome until the agent confirms it. Messages are msgpack values one after the other; the
connection that came last is the agent, and what an earlier one sent is read before it. An agent
says nothing before the hello: a host that is about to end takes no order it has not greeted.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tocsin.execution import AttemptKey, Health, Order, Outcome

HOST_MESSAGE_BYTES_MAX: Final = 16 << 20
HANDLES_SUFFIX: Final = ".handles"
"""`DIR/NAME.handles` holds a file for each run that the next host could find again."""
HOST_IDLE_S: Final = 60.0
"""A host with no runs and nothing unconfirmed ends after this time."""
SETTINGS_VARIABLE: Final = "TOCSIN_EXECUTOR"
"""In the environment of a host: its `Settings` as JSON, if they are not the usual ones."""
PROBE_VARIABLE: Final = "TOCSIN_PROBE"
"""In the environment of a probe: the list of `Settings`, each with its name, as JSON."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the agent's settings make of an executor."""

    use: str = ""
    """The executor behind the name: an entry point, or `module:Class`; empty: it is the name."""
    defaults: dict[str, Any] = {}
    """Keys laid under those of each job's block."""
    name: str = ""


class Probed(msgspec.Struct, frozen=True, array_like=True):
    """What a probe tells of one executor; one without a health only says whose turn it is."""

    name: str
    health: Health | None = None
    description: bytes = b""
    """msgpack of `tocsin.model.Description`; empty when it does not import."""
    digest: str = ""


class StartRuns(msgspec.Struct, frozen=True, array_like=True, tag="start"):
    """Agent to host: run these. An attempt that the host already knows is not started again."""

    orders: list[Order]


class CancelRuns(msgspec.Struct, frozen=True, array_like=True, tag="cancel"):
    """Agent to host: end these attempts, each with its order's `kill_after_s` as grace."""

    keys: list[AttemptKey]


class Confirm(msgspec.Struct, frozen=True, array_like=True, tag="confirm"):
    """Agent to host: these outcomes are in my spool; forget them."""

    keys: list[AttemptKey]


class Retire(msgspec.Struct, frozen=True, array_like=True, tag="retire"):
    """Agent to host: end as soon as nothing runs and nothing is unconfirmed."""


class RunBegan(msgspec.Struct, frozen=True, array_like=True):
    """One attempt was started at `at_us`."""

    key: AttemptKey
    at_us: int


class RunEnded(msgspec.Struct, frozen=True, array_like=True):
    """One attempt is over. `began_us` is None when it never started."""

    key: AttemptKey
    began_us: int | None
    at_us: int
    outcome: Outcome


class HostHello(msgspec.Struct, frozen=True, array_like=True, tag="hello"):
    """Host to agent, first on each connection: everything it holds.

    Where one message cannot hold it all, ends stand among `running` here and follow in reports.
    """

    pid: int
    running: list[RunBegan]
    ended: list[RunEnded]


class HostHealth(msgspec.Struct, frozen=True, array_like=True, tag="health"):
    """Host to agent: the executor says how it is."""

    health: Health


class HostReport(msgspec.Struct, frozen=True, array_like=True, tag="report"):
    """Host to agent: what began and what ended since the last report."""

    began: list[RunBegan]
    ended: list[RunEnded]


ToHost = StartRuns | CancelRuns | Confirm | Retire
FromHost = HostHello | HostReport | HostHealth
