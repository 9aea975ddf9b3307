"""What an idle agent and an idle coordinator take, at one heartbeat a second."""

from __future__ import annotations

import time

from .harness import Fleet, Size, scratch
from .limits import IdlePeers
from .processes import cpu_s, memory_mib
from .report import Goal, Result

SETTLE_S = 2.0


def run(size: Size) -> Result:
    """All of them at the same time."""
    seconds = size.pick(1, 8, 30)
    peers = IdlePeers()
    try:
        with scratch() as folder, Fleet(folder) as fleet:
            fleet.start_agents(1, slots=8)
            assert fleet.coordinator is not None
            fleet.hang_up()
            pids = {
                "agent": fleet.agents[0].pid,
                "coordinator": fleet.coordinator.pid,
                "limit": peers.process.pid,
            }
            peers.serve(SETTLE_S)
            before = {who: cpu_s(pid) for who, pid in pids.items()}
            began_s = time.perf_counter()
            peers.serve(seconds)
            hours = (time.perf_counter() - began_s) / 3600
            found = {
                who: {**memory_mib(pid), "cpu_s_per_hour": (cpu_s(pid) - before[who]) / hours}
                for who, pid in pids.items()
            }
    finally:
        peers.close()
    limit = found.pop("limit")
    agent, coordinator = found["agent"], found["coordinator"]
    return Result(
        dict(found),
        {**limit, "what": "a poll loop with zmq, CURVE, msgpack and the same heartbeat"},
        {"agent_" + key: agent[key] / limit[key] for key in limit},
        [
            Goal("idle agent, RSS MiB", agent["rss_mib"], 21),
            Goal("idle agent, CPU s/h", agent["cpu_s_per_hour"], 2.5),
            Goal("idle coordinator, RSS MiB", coordinator["rss_mib"], 40),
        ],
        "MiB, and seconds of processor time an hour",
    )
