"""When runs begin, where, and what does not count against them: pools, jitter, launch failures."""

from __future__ import annotations

from tocsin.coordinator.machine.events import JobsPut
from tocsin.coordinator.machine.state import Policy
from tocsin.execution import Status
from tocsin.messages.agent_link import Dispatch
from tocsin.model import Choose, Pool, Retry, Run, Target
from tocsin.schedule.spread import spread_us

from .bench import ASKER, Bench, job

POLICY = Policy(rejoin_s=30, agent_silence_s=1e6, unplaced_s=60)


def pooled(slots: int = 2) -> Bench:
    """A bench with an agent that has room for all, and a pool."""
    bench = Bench(POLICY)
    bench.hello(slots=50)
    resize(bench, slots)
    return bench


def resize(bench: Bench, slots: int) -> None:
    """Give the pool so many slots."""
    bench.feed(JobsPut(ASKER, "ann", [], pools=[(Pool(name="db", slots=slots), None)]))


def states(bench: Bench, name: str = "backup") -> list[str]:
    """The states of a job's runs."""
    return [str(run.state) for run in bench.records(name)]


def test_a_pool_bounds_the_runs_of_all_its_jobs() -> None:
    """Only those that need it wait; the oldest of any job goes next, a higher priority first."""
    bench = pooled()
    for name, priority in [("a", 0), ("b", 0), ("urgent", 5)]:
        bench.put(job(name, schedule=[], overlap="allow", pool="db", priority=priority))
    bench.put(job("free", schedule=[]))
    bench.request("a", "b", "a", "b", "free")
    bench.request("urgent")
    assert [order.job for order in bench.orders()] == ["a", "b", "free"]

    session = bench.machine.sessions()[0].id
    for number in range(4):
        bench.report(
            session, bench.ended([o for o in bench.orders() if o.job != "free"][number].key)
        )

    assert [order.job for order in bench.orders()][3:] == ["urgent", "a", "b"]


def test_a_smaller_pool_ends_nothing_and_lets_nothing_begin() -> None:
    """Until fewer runs than it has slots are under way."""
    bench = pooled(3)
    bench.put(job(schedule=[], overlap="allow", pool="db"))
    runs = bench.request(*["backup"] * 5)
    resize(bench, 1)
    session = bench.machine.sessions()[0].id

    bench.report(session, bench.ended(f"{runs[0].id}.1"))
    bench.report(session, bench.ended(f"{runs[1].id}.1"))
    assert states(bench).count("dispatched") == 1
    resize(bench, 2)

    assert states(bench).count("dispatched") == 2


def test_a_restart_counts_the_slots_that_are_taken() -> None:
    """Those of every run that an agent was given."""
    bench = pooled(1)
    bench.put(job(schedule=[], overlap="allow", pool="db"))
    first, _ = bench.request("backup", "backup")
    bench.pools = [Pool(name="db", slots=1)]

    bench.restart()
    session = bench.hello(slots=50, attempts=[bench.running(f"{first.id}.1")])
    assert states(bench) == ["running", "queued"]
    bench.report(session, bench.ended(f"{first.id}.1"))

    assert states(bench) == ["succeeded", "dispatched"]


def test_a_run_waits_for_a_full_pool_as_long_as_it_takes() -> None:
    """That no agent could take it would not be true."""
    bench = pooled(1)
    bench.put(job(schedule=[], overlap="allow", pool="db"))
    bench.request("backup", "backup")

    bench.pass_time(100, steps=5)

    assert states(bench) == ["dispatched", "queued"]


def test_a_lost_run_frees_its_slot() -> None:
    """Nobody knows whether it still uses what the pool protects; the pool goes on."""
    bench = pooled(1)
    bench.put(job(schedule=[], overlap="allow", pool="db"))
    bench.request("backup", "backup")

    bench.hello(spool="other", slots=50)

    assert states(bench) == ["lost", "dispatched"]


def test_a_due_time_begins_later_by_the_jobs_own_jitter() -> None:
    """Always the same, counted from the due time; the record tells until when it waits."""
    bench = Bench(POLICY)
    bench.hello()
    bench.put(job(jitter_s=30.0))
    later_us = spread_us("backup", 30_000_000)

    bench.pass_time(60)
    (run,) = bench.records()
    assert (run.state, run.not_before_us) == ("queued", bench.wall_us + later_us)
    bench.pass_time(later_us / 1e6 - 0.001)
    assert bench.orders() == []
    bench.pass_time(0.001)

    assert len(bench.orders()) == 1


def test_hosts_have_a_jitter_each() -> None:
    """By job and host, so that a fleet does not begin at once."""
    bench = Bench(POLICY)
    for agent_id in "AB":
        bench.hello(agent_id)
    bench.put(job(jitter_s=30.0, target=Target(agents="all")))

    bench.pass_time(60)

    waits = {run.agent: run.not_before_us for run in bench.records()}
    assert waits == {name: bench.wall_us + spread_us(f"backup@{name}", 30_000_000) for name in "ab"}


def test_a_request_begins_at_once_whatever_the_jitter() -> None:
    """Somebody waits for it."""
    bench = Bench(POLICY)
    bench.hello()
    bench.put(job(schedule=[], jitter_s=30.0))

    (run,) = bench.request("backup")

    assert run.state == "dispatched"


def test_a_run_that_waits_out_its_jitter_is_under_way_for_the_next_due_time() -> None:
    """And a restart lets it wait for what is left."""
    bench = Bench(POLICY)
    bench.put(job(jitter_s=3000.0))
    bench.pass_time(60)
    (run,) = bench.records()
    bench.restart(60)

    bench.hello()
    bench.pass_time(spread_us("backup", 3_000_000_000) / 1e6 - 60)

    assert states(bench)[:2] == ["dispatched", "skipped"]
    assert bench.records()[1].reason == "overlap"
    assert run.state == "queued"


def test_catch_ups_are_spread_from_now() -> None:
    """Else a fleet would begin at once after an outage."""
    bench = Bench(POLICY)
    bench.hello()
    bench.put(job(schedule=["@hourly"], jitter_s=30.0, missed={"policy": "latest"}))

    bench.pass_time(3700)

    (run,) = bench.records()
    assert run.trigger == "catchup"
    assert run.not_before_us == bench.wall_us + spread_us("backup", 30_000_000)


def refuse(bench: Bench, run: Run, times: int) -> None:
    """Have whichever agent gets it refuse a run so often."""
    for _ in range(times):
        at = bench.runs[run.id]
        session = next(s for s in bench.machine.sessions() if s.agent.id == at.agent_id)
        said = bench.ended(f"{run.id}.{at.attempt}", Status.REFUSED, None)
        bench.report(session.id, said, agent_id=at.agent_id)
        bench.pass_time(50)


def test_an_attempt_that_never_began_uses_up_no_retry() -> None:
    """It is tried again, elsewhere if possible, also without any retry of the job."""
    bench = Bench(POLICY)
    for agent_id in "ABC":
        bench.hello(agent_id)
    bench.put(job(schedule=[], retry=Retry(elsewhere=False)))
    (run,) = bench.request("backup")

    refuse(bench, run, 2)

    found = bench.runs[run.id]
    assert (found.state, found.attempt, found.launch_failures) == ("dispatched", 3, 2)
    assert {order.key for agent_id in "ABC" for order in bench.orders(agent_id)} == {
        f"{run.id}.{number}" for number in (1, 2, 3)
    }
    assert all(len(bench.orders(agent_id)) == 1 for agent_id in "ABC")


def test_the_fourth_launch_failure_is_the_end() -> None:
    """Three are tried again."""
    bench = Bench(POLICY)
    bench.hello()
    bench.put(job(schedule=[]))
    (run,) = bench.request("backup")

    refuse(bench, run, 4)

    found = bench.runs[run.id]
    assert (found.state, found.attempt, found.launch_failures) == ("refused", 4, 4)


def test_failures_count_without_the_attempts_that_never_began() -> None:
    """One retry is one retry, whatever came between."""
    bench = Bench(POLICY)
    bench.hello()
    bench.put(job(schedule=[], retry=Retry(limit=1, delay_s=1)))
    (run,) = bench.request("backup")
    refuse(bench, run, 1)

    for _ in range(2):
        at = bench.runs[run.id]
        session = bench.machine.sessions()[0].id
        bench.report(session, bench.ended(f"{run.id}.{at.attempt}", Status.FAILED, 1))
        bench.pass_time(50)

    assert (bench.runs[run.id].state, bench.runs[run.id].attempt) == ("failed", 3)


def test_a_retry_avoids_every_agent_on_which_it_failed() -> None:
    """Not only the last one; a job with a home finds another."""
    for rule in Choose:
        bench = Bench(POLICY)
        for agent_id in "ABC":
            bench.hello(agent_id)
        target = Target(choose=rule)
        bench.put(job(schedule=[], target=target, retry=Retry(limit=3, delay_s=1)))
        (run,) = bench.request("backup")
        for _ in range(2):
            at = bench.runs[run.id]
            session = next(s for s in bench.machine.sessions() if s.agent.id == at.agent_id)
            said = bench.ended(f"{run.id}.{at.attempt}", Status.FAILED, 1)
            bench.report(session.id, said, agent_id=at.agent_id)
            bench.pass_time(50)

        assert all(len(bench.orders(agent_id)) == 1 for agent_id in "ABC"), rule
        assert "it failed on" in bench.runs[run.id].placed


def placed(bench: Bench, *names: str) -> list[str]:
    """Why each of these jobs' runs went where it did."""
    return [bench.runs[run.id].placed for name in names for run in bench.request(name)]


def test_a_run_says_why_it_went_where_it_did() -> None:
    """In a few words, for each rule."""
    bench = Bench(POLICY)
    bench.hello("A", slots=2)
    bench.put(job("one", schedule=[]))
    assert placed(bench, "one") == ["the only host that may take it"]
    for agent_id in "BC":
        bench.hello(agent_id, slots=1)
    for name, rule in [("least", "least_busy"), ("any", "random"), ("home", "sticky")]:
        bench.put(job(name, schedule=[], target=Target(choose=Choose(rule))))
    bench.put(job("all", schedule=[], target=Target(agents="all")))

    assert placed(bench, "least", "any") == [
        "least busy of 3: 0 of 1 slots taken",
        "random of 2",
    ]
    bench.put(job("last", schedule=[]))
    assert placed(bench, "last") == ["the only one with a free slot of 3"]
    assert placed(bench, "all") == ["pinned: one of its 3 hosts"] * 3
    alone = Bench(POLICY)
    alone.hello("A")
    alone.put(job("all", schedule=[], target=Target(agents="all")))
    assert placed(alone, "all") == ["pinned: its only host"]


def test_orders_of_a_herd_go_out_by_priority_over_all_queues() -> None:
    """Not one demand after the other."""
    bench = Bench(POLICY)
    bench.put(
        job("web", schedule=[], overlap="allow", target=Target(tags={"name": "*"})),
        job("db", schedule=[], overlap="allow", target=Target(tags={"name": "a"})),
    )
    bench.request("web", "db", "web", "db")

    bench.hello(slots=3)

    (message,) = bench.told(Dispatch)
    assert [order.job for order in message.orders] == ["web", "db", "web"]
