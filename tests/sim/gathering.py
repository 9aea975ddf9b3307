"""What is judged when a world has come to rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .evidence import Evidence, Excuse
from .fleet import Fleet
from .oracle import SECOND_US

if TYPE_CHECKING:
    from .world import World


def gather(world: World) -> Evidence:
    """Everything there is to judge."""
    store, monitor = world.coordinator.store, world.monitor
    runs = store.list_runs("", [], "", 1_000_000)
    with_output = {key.rpartition(".")[0] for key, _ in world.paper}
    rows = store.list_jobs("", 1000)
    leftovers = [what for machine in world.heard_machines() for what in machine.leftovers]
    return Evidence(
        runs=runs,
        attempts=[a for run in runs if run.attempt > 1 for a in store.attempts(run.id)],
        starts=world.starts,
        ends=world.ends,
        terms=monitor.chronicle.finished(),
        output={r.id: store.read_output(r.id, 0, 0, 1 << 40)[0]
                for r in runs if r.output_bytes or r.id in with_output},
        cut=frozenset(monitor.cut),
        printed={key: bytes(data) for key, data in world.paper.items()},
        pauses=monitor.all_pauses,
        acts=monitor.acts.done,
        audit=store.audit_after(0, 1_000_000),
        losses=monitor.losses,
        excuses=[*world.excuses, *_revocations(monitor.fleet)],
        wishes=world.client.all_wishes(),
        jobs={row.job.name: (row.job, row.paused) for row in rows},
        removed_us=monitor.removed_us,
        ordered_us=monitor.ordered_us,
        epochs=world.coordinator.epochs,
        leftovers=leftovers,
        patience_us={"absent": round(world.plan.policy.lost_after_s * SECOND_US / 2)},
    )  # fmt: skip


def _revocations(fleet: Fleet) -> Iterator[Excuse]:
    """An agent that was revoked is not heard, whatever it does."""
    for agent_id, at_us in fleet.revoked_us.items():
        yield Excuse("absent", agent_id, at_us)
        yield Excuse("revoked", agent_id, at_us)
