"""One drill: a fleet, jobs, requests, faults at random; then quiet, in which all must end."""

from __future__ import annotations

import heapq
import re
import time
from collections.abc import Callable
from random import Random  # noqa: TID251 - a seeded one
from typing import Final

import msgspec

from tests.sim.evidence import Violation
from tocsin.clock import monotonic_s
from tocsin.instants import SECOND_US

from .faults import Fault, Happening, plan
from .field import Field
from .jobs import make_jobs
from .members import AGENTS, COORDINATOR, DrillFleet
from .requester import Requester
from .watcher import Watcher
from .witness import true_us

WARM_UP_S: Final = 3.0
SETTLE_S: Final = 4.0
"""After everything is healed the fleet goes on for so long, so that recovery is seen."""
PAUSED_S: Final = 3.0
"""So long at least all jobs are paused, so that pauses are seen to hold."""
QUIET_S: Final = 90.0
"""So long may take what is under way when all is healed and paused."""
BETWEEN_S: Final = (0.3, 3.0)
TICK_S: Final = 0.05
RESTART_S: Final = 1.0


class Exit(msgspec.Struct, frozen=True):
    """A member that ended though nobody had ended it."""

    who: str
    at_us: int
    code: int


class Drill:
    """What happens in one drill. `fleet` is mustered by `run` and closed by whoever made it."""

    def __init__(self, fleet: DrillFleet, seed: int, faults: list[Fault]) -> None:
        self.fleet = fleet
        self.happenings: list[Happening] = []
        self.exits: list[Exit] = []
        self.violations: list[Violation] = []
        self.healed_us = 0
        self.stopped_us = 0
        """When the coordinator was stopped, in true time."""
        self._dice = Random(f"{seed} faults")
        self.field = Field(fleet, self._dice, faults)
        self.watcher = Watcher(fleet.store / "tocsin.db")
        self.requester = Requester(
            fleet, Random(f"{seed} requests"), lambda: list(self.watcher.open_ids)
        )
        self._jobs = make_jobs(Random(f"{seed} jobs"), fleet.home)
        self._heals: list[tuple[float, int, str, Callable[[], None], Happening]] = []
        self._taken: set[str] = set()
        self._reigns: list[tuple[int, int]] = []
        self._gone_s: dict[str, float] = {}

    def run(self, seconds: float) -> None:
        """Muster, live through faults for so long, heal, and come to rest."""
        self.fleet.muster()
        if not self.requester.put(self._jobs).done:
            raise Violation("client", "the jobs are not taken; see requests.log")
        self.watcher.start()
        self.requester.start()
        try:
            self._live(WARM_UP_S, with_faults=False)
            self._live(seconds, with_faults=True)
            self.requester.stop()
            self._heal()
            self._live(SETTLE_S, with_faults=False)
            self._come_to_rest()
        finally:
            self.requester.stop()
            self._heal()
            self.watcher.stop()
        if self.requester.failure is not None:
            raise self.requester.failure

    def _live(self, seconds: float, *, with_faults: bool) -> None:
        end_s = monotonic_s() + seconds
        next_s = monotonic_s()
        while (now_s := monotonic_s()) < end_s:
            self._heal_until(now_s)
            self._restart(now_s)
            self._note_reigns()
            if with_faults and now_s >= next_s and self.field.faults:
                self._befall(now_s)
                next_s = now_s + self._dice.uniform(*BETWEEN_S)
            time.sleep(TICK_S)

    def reigns_us(self) -> list[tuple[int, int]]:
        """When each coordinator was first seen to be ready, and its epoch."""
        return self._reigns

    def _note_reigns(self) -> None:
        log = (self.fleet.home / f"{COORDINATOR}.log").read_text(errors="replace")
        epochs = [int(number) for number in re.findall(r" coordinator\.ready .*epoch=(\d+)", log)]
        self._reigns += [(true_us(), epoch) for epoch in epochs[len(self._reigns) :]]

    # Faults.

    def _befall(self, now_s: float) -> None:
        planned = plan(self._dice, self.field.faults)
        if planned.resource in self._taken:
            return
        happening = Happening(planned.fault, planned.who, true_us(), amount=planned.amount)
        heal = self.field.befall(planned, happening)
        if heal is None:
            return
        self.happenings.append(happening)
        if planned.resource:
            self._taken.add(planned.resource)
        entry = (now_s + planned.seconds, len(self.happenings), planned.resource, heal, happening)
        heapq.heappush(self._heals, entry)

    def _heal_until(self, now_s: float) -> None:
        while self._heals and self._heals[0][0] <= now_s:
            _, _, resource, heal, happening = heapq.heappop(self._heals)
            heal()
            happening.until_us = true_us()
            self._taken.discard(resource)

    def _heal(self) -> None:
        self._heal_until(float("inf"))
        self._restart(monotonic_s())
        self.healed_us = self.healed_us or true_us()

    def _restart(self, now_s: float) -> None:
        """Start again what has ended, as a service manager does."""
        for who in (COORDINATOR, *AGENTS):
            if self.fleet.is_alive(who) or who in self.field.held_down:
                continue
            if self._was_ended(who):
                self._gone_s.pop(who, None)
                self.fleet.launch(who)
            elif who not in self._gone_s:
                self._gone_s[who] = now_s
                code = self.fleet.processes[who].returncode
                self.exits.append(Exit(who, true_us(), code))
            elif now_s >= self._gone_s[who] + RESTART_S:
                del self._gone_s[who]
                self.fleet.launch(who)

    def _was_ended(self, who: str) -> bool:
        code = self.fleet.processes[who].returncode
        return code in {0, -9}

    # The end.

    def _come_to_rest(self) -> None:
        end_s = monotonic_s() + QUIET_S
        names = self._names()
        while names and not self.requester.pause(names).done:
            names = self._names()
            self._live(1, with_faults=False)
        self._live(PAUSED_S, with_faults=False)
        while monotonic_s() < end_s and not self._is_quiet():
            self._live(0.5, with_faults=False)
        for who in AGENTS:
            self._say_if_down(who)
        self.fleet.stop(COORDINATOR)
        self.stopped_us = true_us()
        for who in AGENTS:
            self.fleet.stop(who)

    def _names(self) -> list[str]:
        return [job["name"] for job in self.fleet.json("job", "list")]

    def _is_quiet(self) -> bool:
        looks = self.watcher.looks
        self._live(1, with_faults=False)
        return not self.watcher.open_ids and self.watcher.looks > looks and not self.undelivered()

    def undelivered(self) -> list[str]:
        """The output of attempts that agents still hold."""
        return [
            str(file.relative_to(self.fleet.home))
            for who in AGENTS
            for file in (self.fleet.disk(who) / "agent" / "output").glob("*.out")
        ]

    def _say_if_down(self, who: str) -> None:
        states = {agent["name"]: agent["state"] for agent in self.fleet.json("agent", "list")}
        if states[who] != "up":
            after_s = (true_us() - self.healed_us) / SECOND_US
            message = f"agent {who} is {states[who]} {after_s:.0f} s after everything was healed"
            self.violations.append(Violation("over", message))
