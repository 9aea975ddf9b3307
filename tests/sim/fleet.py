"""Which agents there are, as the ledger has them and as they are heard: a second opinion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from tocsin.coordinator.machine.events import AgentsHeld, AgentsRevoked
from tocsin.model import Agent, AgentState, Job, Pause, Run

from .decision import Decision
from .evidence import Violation
from .upkeep import is_paused


class Fleet:
    """All agents by id. `rejoin_us`: how long one that went away is waited for."""

    def __init__(self, rejoin_us: int, pauses: Mapping[str, Pause]) -> None:
        self.agents: dict[str, Agent] = {}
        self.revoked_us: dict[str, int] = {}
        """True instants at which agents were revoked."""
        self._rejoin_us = rejoin_us
        self._pauses = pauses
        self._near_us: dict[str, int] = {}
        """True instant at which an agent was last heard."""

    def saved(self, agent: Agent, true_us: int = 0) -> None:
        """What is known of an agent became durable."""
        self.agents[agent.id] = agent
        if agent.state is AgentState.REVOKED:
            self.revoked_us.setdefault(agent.id, true_us)

    def near(
        self, agents: Iterable[Agent], true_us: int, heard_us: Mapping[str, int] | None = None
    ) -> None:
        """These agents are connected, but for those that were last heard at an instant."""
        for agent in agents:
            self._near_us[agent.id] = (heard_us or {}).get(agent.id, true_us)

    def restarted(self, true_us: int) -> None:
        """Those that were connected when the last coordinator ended are waited for again."""
        self.near([a for a in self.agents.values() if a.state is not AgentState.DOWN], true_us)

    def is_gone(self, agent_id: str, true_us: int) -> bool:
        """Whether an agent has been away for longer than it is waited for."""
        near_us = self._near_us.get(agent_id)
        return near_us is None or true_us - near_us >= self._rejoin_us

    def is_to_be_had(self, agent: Agent, decision: Decision) -> bool:
        """Whether a fire may count on an agent."""
        if agent.held is not None or agent.state is AgentState.REVOKED:
            return False
        if not all(offer.available for offer in agent.offers):
            return False
        if is_paused(agent, self._pauses.values(), decision.now.wall_us):
            return False
        return not self.is_gone(agent.id, decision.true_us)

    def meant(self, job: Job) -> list[Agent]:
        """The agents that a job is for."""
        agents = [a for a in self.agents.values() if a.state is not AgentState.REVOKED]
        return [agent for agent in agents if fits(agent, job)]

    # Judging.

    def check_held(self, agent: Agent, decision: Decision) -> None:
        """Only people hold agents, or take that back."""
        if isinstance(decision.event, AgentsHeld | AgentsRevoked):
            return
        known = self.agents[agent.id]
        before, after = (known.held, known.held_by), (agent.held, agent.held_by)
        if before != after:
            raise Violation("held", f"{agent.id} was {before}, and is {after} by itself")

    def check_fire(self, runs: list[Run], job: Job, decision: Decision) -> None:
        """The records of a fire on several agents are for the right ones."""
        meant = self.meant(job)
        reachable = {agent.id for agent in decision.reachable}
        pins = {run.pin for run in runs if run.pin}
        if job.target.agents == "all":
            if pins != {agent.id for agent in meant}:
                raise Violation("hosts", f"is for {pins}, and {meant} are meant", runs[0].id)
            return
        if not pins <= {a.id for a in meant if self.is_to_be_had(a, decision)}:
            raise Violation("hosts", f"is for {pins} of {meant}", runs[0].id)
        there = [a for a in meant if a.id in reachable and self.is_to_be_had(a, decision)]
        if len(pins) < min(int(job.target.agents), len(there)):
            raise Violation("hosts", f"is for {pins}, and there were {there}", runs[0].id)
        if (len(pins) < int(job.target.agents)) is (len(runs) == len(pins)):
            raise Violation("hosts", "has not one record for all that are missing", runs[0].id)

    def check_barred(self, run: Run, decision: Decision) -> None:
        """An agent that got no run of a fire was not to be had."""
        agent = self.agents[run.pin]
        if self.is_to_be_had(agent, decision):
            raise Violation("reason", f"{agent.id} was to be had", run.id)


def fits(agent: Agent, job: Job) -> bool:
    """Whether an agent is one of those that a job is for."""
    for key, globs in job.target.tags.items():
        wanted = [globs] if isinstance(globs, str) else globs
        if not any(fnmatchcase(agent.tags.get(key, ""), glob) for glob in wanted):
            return False
    return True
