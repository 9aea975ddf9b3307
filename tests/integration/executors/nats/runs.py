"""Runs of the executor, in its host or in this process."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec

from tests.contract.host_client import Agent, order
from tocsin.execution import Order, Outcome, check_config
from tocsin.executors.nats import Nats
from tocsin.executors.nats.config import NatsConfig
from tocsin.executors.nats.connections import Connections
from tocsin.executors.nats.delivery import Delivery
from tocsin.executors.output_files import OutputFiles

_runs = itertools.count()


def order_for(block: dict[str, Any], **changes: Any) -> Order:
    """An order for a new run of a block, as it is after the check at apply."""
    run = changes.pop("run", f"R{next(_runs)}")
    full = check_config(Nats, {"subject": "greetings", **block})
    return order("nats", run, full, **changes)


def send(agent: Agent, **block: Any) -> Outcome:
    """Run a block to its end."""
    return agent.run(order_for(block)).outcome


async def send_here(connections: Connections, folder: Path, **block: Any) -> Outcome:
    """Run a block to its end in this process, over connections of the caller."""
    one = order_for(block)
    sink = OutputFiles(str(folder / one.key), one.keep_bytes)
    try:
        config = msgspec.convert(one.config, NatsConfig)
        return await Delivery(connections, config, one, sink).wait()
    finally:
        sink.close()
