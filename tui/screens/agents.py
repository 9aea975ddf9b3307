"""All agents, and what is known of the one under the cursor, with what depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

import msgspec
from textual.widget import Widget

from tocsin.errors import LinkError, RequestError
from tocsin.instants import SECOND_US
from tocsin.model import Agent, AgentState, Run
from tocsin.tui.actions.action import Flag, Place, Situation
from tocsin.tui.agent_facts import Known, Line, facts
from tocsin.tui.agent_hour import AgentHour, agent_hour
from tocsin.tui.agent_rows import AGENT_COLUMNS, agent_cells, by_load, by_seen, by_state
from tocsin.tui.dependence import Demands, by_demand, only_on, under_way
from tocsin.tui.filtering import Filter, holds, of_agent, read
from tocsin.tui.memo import Memo
from tocsin.tui.plain import fit, rule
from tocsin.tui.scene import TABS_CELLS, Scene, nothing_yet
from tocsin.tui.state import agent_key
from tocsin.tui.widgets.columns import Cell, Column
from tocsin.tui.widgets.one_line import OneLine
from tocsin.tui.widgets.table import CellsOf

from .listing import ListScreen, Sort, quiet

ASK_S: Final = 5.0
"""How often all agents are asked for, while they are looked at."""
ASK_EACH_S: Final = 0.02
"""So much longer for each agent: a big fleet is a long answer."""
MINUTE_US: Final = 60 * SECOND_US
_LINES_MAX: Final = 30
_LINES: Final = ((28, 9), (22, 7), (0, 0))
"""How many lines the detail has on a screen of so many lines, from the highest down."""
_ZOOMED_TABLE: Final = 2
"""The titles, and the agent under the cursor."""
_FRAME_LINES: Final = 5
_NEEDY: Final = (
    (AgentState.PENDING, "to let in"),
    (AgentState.DOWN, "down"),
    (AgentState.DRAINING, "draining"),
    (AgentState.CORDONED, "cordoned"),
)


class AgentsScreen(ListScreen):
    """The list of agents."""

    PLACE = Place.AGENTS
    NOUN = "agents"
    COLUMNS: ClassVar[Sequence[Column]] = AGENT_COLUMNS
    SORTS: ClassVar[Sequence[Sort]] = (
        Sort("STATE", by_state),
        Sort("AGENT", lambda agent: agent.name),
        Sort("SEEN", by_seen),
        Sort("SLOTS", by_load),
        Sort("VER", lambda agent: (agent.version, agent.name)),
    )

    def __init__(self) -> None:
        super().__init__()
        self._zoomed = False
        self._asking = False
        self._asked_us = 0
        self._asked_of: tuple[object, ...] = ()
        self._had: Memo[dict[str, list[Run]]] = Memo()
        self._known: Memo[dict[str, Agent]] = Memo()
        self._listed: Memo[list[str]] = Memo()
        self._demands: Memo[Demands] = Memo()
        self._alone: Memo[list[str]] = Memo()
        self._alone_here: Memo[list[str]] = Memo()
        self._hour: Memo[AgentHour] = Memo()
        self.doings = {**self.doings, "agent": self._open}

    def below(self) -> Iterable[Widget]:
        """What is known of the agent under the cursor."""
        yield OneLine(id="preview-title")
        for number in range(_LINES_MAX):
            yield OneLine(id=f"preview-{number}")

    def keys(self, scene: Scene, terms: Filter) -> tuple[Sequence[str], int]:
        """What agents are told apart by."""
        fleet = self._fleet(scene)

        def make() -> list[str]:
            found = [agent for agent in fleet.values() if holds(terms, of_agent(agent))]
            found.sort(key=self.sort.key, reverse=self.falling)
            return [agent_key(agent) for agent in found]

        order = f"{self.sort.title} {self.reverse}"
        return self._listed.of(make, fleet, self.filter_text, order), len(fleet)

    def cells(self, scene: Scene) -> CellsOf:
        """What is in a row."""
        fleet = self._fleet(scene)
        return lambda key: agent_cells(fleet[key], scene.now_us)

    def empty(self, scene: Scene) -> str:
        """How one comes by agents."""
        return nothing_yet(scene, "no agents yet: tocsin agent token prints what lets a host in")

    def look(self, scene: Scene) -> Situation:
        """The agents, with the runs that they have and the jobs that only they could run."""
        fleet, had = self._fleet(scene), self._runs_of(scene)
        keys = [key for key in self.table.chosen if key in fleet]
        agents = tuple(fleet[key] for key in keys)
        zoomed = {Flag.NARROWED} if self._zoomed else set[Flag]()
        return Situation(
            place=self.PLACE,
            agents=agents,
            runs=tuple(run for agent in agents for run in had.get(agent.name, ())),
            alone=tuple(self._only_on(scene, agents, self._alone)),
            flags=self.flags() | zoomed,
        )

    def crumb(self) -> str:
        """How many there are, and as far as there is room how many need somebody."""
        states = [agent.state for agent in self.stage.scene().view.agents.values()]
        crumb, room = super().crumb(), self.size.width - TABS_CELLS
        for state, word in _NEEDY:
            more = f", {states.count(state)} {word}"
            if state in states and len(crumb) + len(more) <= room:
                crumb += more
        return crumb

    def draw_body(self, scene: Scene) -> None:
        """The list and the detail."""
        super().draw_body(scene)
        self._draw_detail(scene)
        self._ask_soon(scene)

    def on_screen_resume(self) -> None:
        """Ask at once: nothing was asked under another screen."""
        self._asked_of = ()

    # The detail.

    def _draw_detail(self, scene: Scene) -> None:
        agent = self._fleet(scene).get(self.table.cursor_key)
        room = 0 if agent is None else self._room()
        lines = self._facts(agent, scene) if agent is not None and room else []
        if len(lines) > room:
            more = f"… {len(lines) - room + 1} lines more"
            more += "" if self._zoomed else ": enter shows all"
            lines = [*lines[: room - 1], (Cell(more, "quiet"),)]
        title = self.query_one("#preview-title", OneLine)
        title.display = bool(room)
        name = "" if agent is None else agent.name
        hint = "esc closes it" if self._zoomed else "enter shows all"
        title.say(quiet(rule(name, hint, self.size.width)))
        for number in range(_LINES_MAX):
            line = self.query_one(f"#preview-{number}", OneLine)
            line.display = number < room
            line.say(*_fitted(lines[number] if number < len(lines) else (), self.size.width))

    def _facts(self, agent: Agent, scene: Scene) -> list[Line]:
        status = scene.connection.status
        jobs, alone = scene.view.jobs, self._only_on(scene, (agent,), self._alone_here)
        return facts(
            Known(
                agent,
                self._runs_of(scene).get(agent.name, ()),
                [jobs[name] for name in alone],
                "" if status is None else status.version,
                scene.now_us,
                scene.zone,
                self._hour_of(scene, agent),
                scene.view.since_us,
            )
        )

    def _hour_of(self, scene: Scene, agent: Agent) -> AgentHour:
        runs, minute = scene.view.runs, scene.now_us // MINUTE_US
        return self._hour.of(
            lambda: agent_hour(runs.values(), agent.name, scene.now_us), runs, agent.name, minute
        )

    def _room(self) -> int:
        height = self.size.height
        if self._zoomed:
            return max(min(height - _FRAME_LINES - _ZOOMED_TABLE, _LINES_MAX), 0)
        return next(lines for least, lines in _LINES if height >= least)

    def _open(self, at: Situation) -> None:
        """Zoom; an agent that was called by its name is gone to first."""
        key = agent_key(at.agents[0])
        if key not in self.table.chosen:
            keys, _ = self.keys(self.stage.scene(), read(self.filter_text))
            if key not in keys:
                self.stage.go(Place.AGENTS, f"name:{at.agents[0].name}")
                return
            self.table.move_to(keys.index(key))
            self._zoomed = False
        self._zoom(not self._zoomed)

    def _zoom(self, zoomed: bool) -> None:  # noqa: FBT001 - the state itself
        self._zoomed = zoomed
        styles = self.table.styles
        styles.height = _ZOOMED_TABLE if zoomed else "1fr"
        styles.scrollbar_size_vertical = 0 if zoomed else 1
        self.draw()

    def _unfilter(self) -> None:
        if self._zoomed:
            self._zoom(zoomed=False)
        else:
            super()._unfilter()

    # What is known.

    def _fleet(self, scene: Scene) -> Mapping[str, Agent]:
        """The agents, each with as many runs as it has now."""
        view, had = scene.view, self._runs_of(scene)
        return self._known.of(
            lambda: {
                key: msgspec.structs.replace(agent, busy=len(had.get(agent.name, ())))
                for key, agent in view.agents.items()
            },
            view.agents,
            had,
        )

    def _runs_of(self, scene: Scene) -> dict[str, list[Run]]:
        runs = scene.view.runs
        return self._had.of(lambda: under_way(runs.values()), runs)

    def _only_on(self, scene: Scene, agents: Sequence[Agent], memo: Memo[list[str]]) -> list[str]:
        view = scene.view
        demands = self._demands.of(lambda: by_demand(view.jobs.values()), view.jobs)
        chosen = " ".join(agent_key(agent) for agent in agents)
        return memo.of(
            lambda: only_on(agents, view.agents.values(), demands), demands, view.agents, chosen
        )

    def _ask_soon(self, scene: Scene) -> None:
        """Updates tell neither who asks to be let in nor when somebody was heard last."""
        agents = scene.view.agents
        known = (scene.connection.phase, len(agents))
        every_us = round((ASK_S + ASK_EACH_S * len(agents)) * SECOND_US)
        is_due = known != self._asked_of or scene.now_us - self._asked_us >= every_us
        if is_due and not self._asking and scene.view.whole and not scene.connection.blocks():
            self._asking, self._asked_of, self._asked_us = True, known, scene.now_us
            self.run_worker(self._load(), group="agents")

    async def _load(self) -> None:
        try:
            await self.stage.session.load_agents()
        except (LinkError, RequestError) as error:
            self.say(f"agents: {error.message}", failed=True)
        finally:
            self._asking = False


def _fitted(line: Line, width: int) -> tuple[Cell, ...]:
    """A line in exactly the width of the screen."""
    cells, room = [], width - 1
    for cell in line:
        if room > 0:
            text = cell.text if len(cell.text) <= room else fit(cell.text, room)
            cells.append(Cell(text, cell.tone))
            room -= len(text)
    return (Cell(" "), *cells)
