"""The screen of agents: who is there, what depends on them, and what people order of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from tests.tui.coordinator import Coordinator
from tests.tui.driving import expect, lines, screen, shown, until
from tests.tui.fleet import RUNNING, at
from tests.tui.hosts import ASKS, DB, DOWN, ON_ETL, hosts
from tocsin.messages.client_link import (
    AcceptAgent,
    CordonAgents,
    DrainAgents,
    ListAgents,
    RevokeAgents,
    UncordonAgents,
    UndrainAgents,
)
from tocsin.messages.enrolment import fingerprint
from tocsin.model import AgentState, Role, RunState

Test = Callable[[Pilot[None], Coordinator], Awaitable[None]]


def _drive(test: Test, role: Role = Role.ADMIN, **how: Any) -> None:
    async def drive() -> None:
        async with shown(serving, **how) as pilot:
            await pilot.press("4")
            await expect(pilot, "[4 Agents]", "web-018", "● live")
            await until(pilot, lambda: bool(_asked(serving, ListAgents)))
            await test(pilot, serving)

    with hosts() as serving:
        serving.role = role
        asyncio.run(drive())


async def _go_to(pilot: Pilot[None], name: str) -> None:
    await pilot.press("g")
    for _ in range(len(_rows(pilot))):
        if _cursor(pilot) == name:
            return
        await pilot.press("down")
        await pilot.pause()
    assert _cursor(pilot) == name


def _rows(pilot: Pilot[None]) -> list[str]:
    return [line[5:].split()[0] for line in lines(pilot)[3:20] if line[3:4] and line[:2] != "─ "]


def _cursor(pilot: Pilot[None]) -> str:
    return next(line[5:].split()[0] for line in lines(pilot) if line.startswith(">"))


def _asked(coordinator: Coordinator, kind: type[Any]) -> list[Any]:
    return [ask for ask in coordinator.asks if isinstance(ask, kind)]


def test_who_needs_somebody_is_at_the_top() -> None:
    """Hosts that ask to be let in, then those that are down; sorted otherwise on demand."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        order = ["web-018", "web-017", "etl-01", "etl-03", "app-04", "db-02"]
        await until(pilot, lambda: [name for name in _rows(pilot) if name in order] == order)
        await expect(pilot, "agents 6, 1 to let in", "2/2 ████", "✗ python")
        await pilot.press("s")
        await expect(pilot, "AGENT ^")
        await until(pilot, lambda: _rows(pilot)[0] == "app-04")

    _drive(test)


def test_detail_says_what_depends_on_the_agent() -> None:
    """What it means that one is down, and what one has that is up."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await _go_to(pilot, "web-017")
        await expect(
            pilot, "✗ DOWN for 4m", "can run 2 jobs: 1 due in the next hour!", "cert-renew"
        )
        await _go_to(pilot, "etl-03")
        await expect(pilot, "1 job can run nowhere else now: etl-orders", RUNNING.id[-6:])

    _drive(test)


def test_enter_gives_the_detail_the_screen_and_escape_takes_it_back() -> None:
    """The rows give way, and the cursor still goes from agent to agent."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await _go_to(pilot, "web-017")
        await expect(pilot, "3 lines more: enter shows all")
        await pilot.press("enter")
        await expect(pilot, "esc closes it", "executors shell", "id        web-017")
        assert "app-04" not in screen(pilot)
        await pilot.press("down")
        await expect(pilot, "cordoned by bo: new disks")
        await pilot.press("escape")
        await expect(pilot, "app-04", "enter shows all")

    _drive(test, size=(80, 24))


def test_drain_says_what_follows_and_is_undone() -> None:
    """The question names the jobs that only this agent can run, and the run that it has."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _go_to(pilot, "etl-03")
        await pilot.press("d")
        await expect(pilot, "Drain etl-03?", "the 2 runs that it has", "can run etl-orders:")
        await pilot.press("n")
        await expect(pilot, "[4 Agents]")
        assert not _asked(coordinator, DrainAgents)
        await pilot.press("d")
        await expect(pilot, "Drain etl-03?")
        await pilot.press("y")
        await expect(pilot, "✓ drain etl-03  U undoes it", "same as: tocsin agent drain etl-03")
        await expect(pilot, "◐  etl-03", "draining by ana")
        assert _asked(coordinator, DrainAgents) == [DrainAgents(["etl-03"])]
        await pilot.press("U")
        await expect(pilot, "✓ undone: drain etl-03", "►  etl-03")
        assert _asked(coordinator, UncordonAgents) == [UncordonAgents(["etl-03"])]

    _drive(test)


def test_what_was_ordered_shows_before_the_agent_answers() -> None:
    """The agents are asked for anew behind the answer, also when it is taken back."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        coordinator.tells_holds = False
        await _go_to(pilot, "etl-03")
        await pilot.press("d")
        await expect(pilot, "Drain etl-03?")
        await pilot.press("y")
        await expect(pilot, "✓ drain etl-03", "◐  etl-03", "draining by ana")
        await pilot.press("U")
        await expect(pilot, "✓ undone: drain etl-03", "►  etl-03")

    _drive(test)


def test_drain_with_a_reason() -> None:
    """It is typed first, and stands in the question's command; nothing typed does nothing."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _go_to(pilot, "app-04")
        await pilot.press("P")
        await expect(pilot, "drain it because:")
        await pilot.press("enter")
        await expect(pilot, "P drain, why")
        await pilot.press("P", *"new disks", "enter")
        await expect(pilot, "Drain app-04?", "--reason 'new disks'")
        await pilot.press("y")
        await expect(pilot, "draining by ana: new disks")
        assert _asked(coordinator, DrainAgents) == [DrainAgents(["app-04"], "new disks")]

    _drive(test)


def test_cordon_asks_and_both_keys_give_runs_again() -> None:
    """It is asked as draining is; an agent that is held is given runs again by d, and by c."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _go_to(pilot, "app-04")
        await pilot.press("c")
        await expect(pilot, "Cordon app-04?", "can run billing-sync and reindex:")
        await pilot.press("y")
        await expect(pilot, "✓ cordon app-04", "‖  app-04")
        assert _asked(coordinator, CordonAgents) == [CordonAgents(["app-04"])]
        await pilot.press("c")
        await expect(pilot, "✓ give runs again app-04", "●  app-04")
        assert _asked(coordinator, UncordonAgents) == [UncordonAgents(["app-04"])]
        await _go_to(pilot, "etl-01")
        await expect(pilot, "cordoned by bo: new disks", "d give runs again")
        await pilot.press("d")
        await expect(pilot, "✓ give runs again etl-01", "●  etl-01")
        assert _asked(coordinator, UndrainAgents) == [UndrainAgents(["etl-01"])]
        await pilot.press("U")
        await expect(pilot, "✓ undone: give runs again etl-01", "cordoned by ana: new disks")

    _drive(test)


def test_a_host_is_let_in_after_its_fingerprint_was_shown() -> None:
    """It stays under the cursor, and is an agent then."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await expect(pilot, "a accept", f"fingerprint {fingerprint(ASKS.key)}")
        await pilot.press("a")
        await expect(pilot, "Let in the host that calls itself web-018?", fingerprint(ASKS.key))
        await pilot.press("y")
        await expect(pilot, "✓ accept web-018", "✗  web-018")
        await until(pilot, lambda: "to let in" not in screen(pilot))
        assert _asked(coordinator, AcceptAgent) == [AcceptAgent(fingerprint(ASKS.key))]

    _drive(test)


def test_a_host_that_asks_cannot_be_revoked() -> None:
    """It may call itself like an agent that is in: that one would be struck off."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await pilot.press("X")
        await expect(pilot, "revoke: it waits to be let in")
        await _go_to(pilot, "etl-03")
        await pilot.press("X")
        await expect(pilot, "Revoke etl-03, for good?", "lost ten minutes later", "cannot be")
        await pilot.press("y")
        await until(pilot, lambda: bool(_asked(coordinator, RevokeAgents)))

    _drive(test)


def test_rows_follow_what_happens() -> None:
    """A run that ends frees its slot; an agent that goes away rises to the top."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        done = msgspec.structs.replace(ON_ETL, state=RunState.SUCCEEDED, finished_us=at(-1))
        coordinator.change(done)
        await expect(pilot, "1/2 ██··")
        gone = msgspec.structs.replace(DB, state=AgentState.DOWN, down_since_us=at(-3))
        coordinator.change(gone)
        await expect(pilot, "✗  db-02")
        await until(pilot, lambda: _rows(pilot)[1] == "db-02")

    _drive(test)


def test_its_runs_and_finding_it_by_name() -> None:
    """`o` lists its runs; behind the colon an agent has its name from anywhere."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await _go_to(pilot, "etl-03")
        await pilot.press("o")
        await expect(pilot, "[3 Runs]", "/agent:etl-03  2 of 6")
        await pilot.press("colon", *"agent web-017", "enter")
        await expect(pilot, "[4 Agents]", "/name:web-017  1 of 6", "✗ DOWN for 4m")
        await pilot.press("colon", *"agent db-02", "enter")
        await expect(pilot, "/name:db-02  1 of 6")
        await pilot.press("escape")
        await expect(pilot, "agents 6")
        await pilot.press("colon", *"agent etl-01", "enter")
        await expect(pilot, "cordoned by bo", "esc closes it")

    _drive(test)


def test_a_command_weighs_the_agent_that_it_names() -> None:
    """Not the one under the cursor."""

    async def test(pilot: Pilot[None], _: Coordinator) -> None:
        await pilot.press("2")
        await expect(pilot, "[2 Jobs]")
        await pilot.press("colon", *"drain etl-03", "enter")
        await expect(pilot, "Drain etl-03?", "the 2 runs that it has", "can run etl-orders:")

    _drive(test)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_what_one_may_not_do_is_not_offered(role: Role) -> None:
    """A viewer orders nothing, an operator lets nobody in."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await until(pilot, lambda: "a accept" not in screen(pilot))
        await pilot.press("a")
        await expect(pilot, f"accept: it needs the role admin, and yours is {role}")
        await _go_to(pilot, DOWN.name)
        await until(pilot, lambda: ("d drain" in screen(pilot)) is (role is Role.OPERATOR))
        assert not _asked(coordinator, AcceptAgent)

    _drive(test, role)


def test_several_at_once() -> None:
    """Marked agents are drained together; jobs that only they can run are named."""

    async def test(pilot: Pilot[None], coordinator: Coordinator) -> None:
        await _go_to(pilot, "etl-03")
        await pilot.press("space")
        await _go_to(pilot, "app-04")
        await pilot.press("space", "d")
        await expect(pilot, "Drain etl-03 and app-04?", "can run 3 jobs: billing-sync")
        await pilot.press("y")
        await expect(pilot, "✓ drain etl-03 and app-04")
        assert _asked(coordinator, DrainAgents) == [DrainAgents(["etl-03", "app-04"])]

    _drive(test)
