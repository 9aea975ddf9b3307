"""A job's block is held against what the fleet's agents publish of their executors."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from tocsin.config_schema import schema_of
from tocsin.coordinator.catalogue import DESCRIPTIONS_MAX, Catalogue
from tocsin.coordinator.machine.commands import SaveAgent
from tocsin.coordinator.store.sqlite import SqliteStore
from tocsin.errors import ExecutorError
from tocsin.execution import Limits, Offer
from tocsin.executors.http import Http
from tocsin.messages.client_answers import Declined, ExecutorsPage
from tocsin.messages.client_link import ListExecutors, PutJobs
from tocsin.model import Agent, AgentState, Description, Job
from tocsin.wire import encode

from .office import Office


class BackupConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The block of an executor that is not installed here."""

    volume: Annotated[str, Meta(min_length=2, pattern="^vol")]
    keep: Annotated[int, Meta(ge=1)] = 7


def description(
    name: str = "backup",
    config: type[msgspec.Struct] = BackupConfig,
    defaults: dict[str, Any] | None = None,
    **changes: Any,
) -> bytes:
    """What an agent publishes."""
    keys: dict[str, Any] = {
        "use": name,
        "capabilities": [],
        "version": "plugin 1",
        "summary": "it backs up",
        "main_key": "volume",
    }
    return encode(
        Description(
            name=name,
            port=1,
            schema=schema_of(config),
            defaults=defaults or {},
            **{**keys, **changes},
        )
    )


def digest(body: bytes) -> str:
    """By which it is known."""
    return hashlib.sha256(body).hexdigest()[:32]


def agent(name: str, *bodies: bytes, available: bool = True, **fields: Any) -> Agent:
    """An agent that offers these."""
    offers = []
    for body in bodies:
        described = msgspec.msgpack.decode(body, type=Description)
        offers.append(Offer(described.name, digest(body), available, "" if available else "broken"))
    able = [offer.name for offer in offers if offer.available]
    return Agent(id=name, key=name, name=name, offers=offers, executors=able, **fields)


def catalogue(*agents: Agent, bodies: tuple[bytes, ...] = ()) -> Catalogue:
    """What is known of these agents' executors."""
    made = Catalogue(SqliteStore(None), lambda: agents)
    made.take(bodies)
    return made


def test_a_block_is_checked_by_the_published_schema() -> None:
    """Where the executor is not installed; the fault has its place."""
    body = description()
    known = catalogue(agent("a", body), bodies=(body,))
    known.check("backup", {"volume": "vol1", "keep": 3})
    with pytest.raises(msgspec.ValidationError, match=r"\$\.keep"):
        known.check("backup", {"volume": "vol1", "keep": 0})
    with pytest.raises(msgspec.ValidationError, match="nonsense"):
        known.check("backup", {"volume": "vol1", "nonsense": 1})
    with pytest.raises(msgspec.ValidationError, match="volume"):
        known.check("backup", {"keep": 1})


def test_patterns_of_strangers_are_not_run_here() -> None:
    """They might take for ever; the agent itself checks them."""
    body = description()
    catalogue(agent("a", body), bodies=(body,)).check("backup", {"volume": "no match"})


def test_keys_that_agents_fill_in_need_not_be_given() -> None:
    """One kind of agent that takes a block is enough."""
    bodies = (description(), description(defaults={"volume": "vol9"}))
    known = catalogue(agent("a", bodies[0]), agent("b", bodies[1]), bodies=bodies)
    known.check("backup", {})
    with pytest.raises(msgspec.ValidationError, match="keep"):
        known.check("backup", {"keep": 0})


def test_an_executor_that_is_installed_here_knows_more_than_its_schema() -> None:
    """Under another name too, and with what agents fill in."""
    body = description("api", Http.config, {"url": "http://x"}, use="http")
    known = catalogue(agent("a", body), bodies=(body,))
    known.check("api", {})
    with pytest.raises(msgspec.ValidationError, match="must begin with http"):
        known.check("api", {"url": "ftp://x"})


def test_what_nobody_offers_is_refused() -> None:
    """And the executors that are installed are named."""
    with pytest.raises(ExecutorError, match="no executor is called 'backup'"):
        catalogue().check("backup", {})


def test_what_an_executor_cannot_do_is_refused() -> None:
    """Limits and other users: unless one kind of agent is able to."""
    unable, able = description(), description(capabilities=["limits", "run_as", "of tomorrow"])
    limited = Job(name="a", executor="backup", config={}, limits=Limits(tasks=5))
    other = Job(name="b", executor="backup", config={}, run_as="nobody")
    known = catalogue(agent("a", unable), bodies=(unable,))
    with pytest.raises(ExecutorError, match="limits: the executor backup cannot enforce any"):
        known.check_capabilities(limited)
    with pytest.raises(ExecutorError, match="run_as: the executor backup runs nothing as another"):
        known.check_capabilities(other)
    known.check_capabilities(Job(name="c", executor="backup", config={}))
    both = catalogue(agent("a", unable), agent("b", able), bodies=(unable, able))
    both.check_capabilities(limited)
    both.check_capabilities(other)


def test_what_an_installed_executor_cannot_do_is_refused() -> None:
    """Where no agent has published it yet."""
    with pytest.raises(ExecutorError, match="run_as: the executor scripted"):
        catalogue().check_capabilities(Job(name="a", executor="scripted", config={}, run_as="x"))
    catalogue().check_capabilities(Job(name="a", executor="shell", config={}, run_as="x"))


def test_what_was_not_described_yet_is_taken() -> None:
    """The agent will say what is wrong."""
    offering = Agent(id="a", key="a", name="a", executors=["backup"], offers=[Offer("backup")])
    catalogue(offering).check("backup", {"anything": 1})


@pytest.mark.parametrize(
    "schema",
    [{}, {"$ref": "#/$defs/X"}, {"type": "string"}, {"properties": 5}, {"properties": {"a": 5}}],
)
def test_a_schema_that_is_none_stops_nobody(schema: dict[str, Any]) -> None:
    """The agent that published it is the one to say what is wrong with a block."""
    body = encode(_odd(schema))
    catalogue(agent("a", body), bodies=(body,)).check("backup", {"x": 1})


def _odd(schema: dict[str, Any]) -> Description:
    return Description(
        name="backup", use="backup", version="", port=1, summary="", main_key="x",
        capabilities=["what"], schema=schema,
    )  # fmt: skip


def test_only_what_is_not_known_is_asked_for() -> None:
    """Each description once, however many agents have it; and never without bound."""
    body = description()
    known = catalogue(agent("a", body))
    assert known.missing([digest(body), ""]) == [digest(body)]
    known.take([body, b"garbage", b""])
    assert known.missing([digest(body)]) == []
    many = [f"{n:032x}" for n in range(DESCRIPTIONS_MAX + 5)]
    assert 0 < len(known.missing(many)) <= 64


def test_descriptions_outlive_the_coordinator() -> None:
    """Those that no agent has any more do not."""
    store, kept, gone = SqliteStore(None), description(), description("old")
    store.stage([SaveAgent(agent("a", kept))])
    Catalogue(store, list).take([kept, gone])
    again = Catalogue(store, store.agents)
    assert again.missing([digest(kept), digest(gone)]) == [digest(gone)]
    assert list(store.descriptions()) == [digest(kept)]


def test_who_offers_what_is_told() -> None:
    """With the reasons of those that do not, and without hosts that are out."""
    body = description()
    office = Office(
        [
            agent("a", body),
            agent("b", body, available=False),
            agent("c", body, state=AgentState.REVOKED),
        ]
    )
    office.requests.catalogue.take([body])
    page = office.ask(ListExecutors())
    assert isinstance(page, ExecutorsPage)
    (row,) = page.rows
    assert (row.agents, row.some) == (1, ["a"])
    assert (row.unavailable, row.unavailable_agents) == ({"b": "broken"}, 1)
    assert row.description.summary == "it backs up"


def test_a_wrong_block_is_declined_whoever_sends_it() -> None:
    """Also by a client that checks nothing."""
    body = description()
    office = Office([agent("a", body)])
    office.requests.catalogue.take([body])
    answer = office.ask(PutJobs([Job(name="n", executor="backup", config={"volume": 5})]))
    assert isinstance(answer, Declined)
    assert answer.message == "job n: backup: Expected `str`, got `int` - at `$.volume`"
    assert office.jobs() == {}
