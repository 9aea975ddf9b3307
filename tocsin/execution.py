"""The executor port: what runs an attempt, and what it says of it.

An executor is a class named by an entry point of the group `tocsin.executors`. The agent never
imports it: each executor lives in a host process of its own (`tocsin.hosting`), which calls
`start` once for an attempt and then awaits `Running.wait`. Timeouts, the output bound and the
reporting are the host's work; an executor starts, waits and cancels, and nothing more.

Its `config` is a msgspec Struct: the schema of the executor's block in a job file, checked when
the job is applied. So the module that holds the class must import without its heavy libraries.
"""

from __future__ import annotations

import enum
import re
from collections.abc import AsyncIterator, Container, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, NewType, Protocol

import msgspec
from msgspec import Meta

from tocsin.errors import ExecutorError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PORT_VERSION: Final = 1
ENTRY_POINT_GROUP: Final = "tocsin.executors"
DESCRIPTION_BYTES_MAX: Final = 64 << 10
"""The most that the published description of one executor may come to."""
OFFERS_MAX: Final = 256
"""The most executors of one agent."""

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
"""It becomes the name of a socket, and a key of a job file."""

AttemptKey = NewType("AttemptKey", str)
"""`<run id>.<attempt number>`: what everything on a wire is keyed by."""


def attempt_key(run_id: str, number: int) -> AttemptKey:
    """The key of attempt `number` (from 1) of a run."""
    return AttemptKey(f"{run_id}.{number}")


def split_key(key: AttemptKey) -> tuple[str, int]:
    """Run id and attempt number of a key; ValueError when it is none."""
    run_id, _, number = key.rpartition(".")
    return run_id, int(number)


def is_executor_name(text: str) -> bool:
    """Whether this may name an executor."""
    return _NAME.fullmatch(text) is not None


class Expect(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """When a run counts as a success. What is not given is not asked."""

    exit_codes: list[Annotated[int, Meta(ge=0, le=255)]] = []
    """These, and no others, mean success, in place of the executor's own rule."""
    match: str = ""
    """A regular expression (Python's `re`) that some line of the output must hold."""
    not_match: str = ""
    """A regular expression that no line of the output may hold."""
    json: dict[str, Any] = {}
    """Standard output is JSON, and at each path (`items[0].state`) stands this value."""


class Limits(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What an attempt, all its processes together, may use. What is not given is not limited."""

    memory_bytes: Annotated[int, Meta(ge=1)] | None = msgspec.field(default=None, name="memory")
    cpu_percent: Annotated[float, Meta(gt=0)] | None = msgspec.field(default=None, name="cpu")
    """Of one processor: 200 is two of them."""
    tasks: Annotated[int, Meta(ge=1)] | None = None
    """Processes and threads."""


class Order(msgspec.Struct, frozen=True, array_like=True):
    """One attempt to be run: all that an agent and its executor need to know."""

    key: AttemptKey
    job: str
    executor: str
    config: dict[str, Any]
    env: dict[str, str]
    due_us: int | None
    timeout_s: float
    kill_after_s: float
    keep_bytes: int
    """How much of each output stream is kept: its head and its tail, half and half."""
    secrets: dict[str, str] = {}
    """Variables of the attempt, each with the name under which the agent's host keeps its value."""
    expect: Expect | None = None
    limits: Limits | None = None
    run_as: str = ""
    """`user` or `user:group`; empty: whoever the agent is."""


class Status(enum.StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOST = "lost"
    """Nobody can know whether, or how, it ended."""
    REFUSED = "refused"
    """It was never started, and will not be."""


RETRY_AFTER_FACT: Final = "retry_after_s"
"""The fact by which any executor says how many seconds not to try again, see `retry` of a job."""


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """How an attempt ended, with what is known about it."""

    status: Status
    exit_code: int | None = None
    message: str = ""
    """One line for people: why it failed, in words."""
    facts: dict[str, Any] = {}
    """What is known besides, by names of the executor's own; `RETRY_AFTER_FACT` is heeded."""
    peak_memory_bytes: int | None = None
    cpu_us: int | None = None


class Capability(enum.StrEnum):
    """What an executor can do beyond running attempts."""

    REATTACH = "reattach"
    """Its runs outlive its host; see `Reattaching`."""
    LIMITS = "limits"
    """It enforces a job's `limits`."""
    RUN_AS = "run_as"
    """It runs an attempt as another user."""


class Health(msgspec.Struct, frozen=True, array_like=True):
    """Whether an executor can run anything just now on this machine."""

    available: bool
    message: str = ""
    """One line for people: why not, and what would help."""
    facts: dict[str, Any] = {}
    """What it found here: versions, for example."""


class Offer(msgspec.Struct, frozen=True, array_like=True):
    """One executor of an agent, as it is at this moment."""

    name: str
    """Under which jobs ask for it: its own name, or one that the agent's settings gave it."""
    digest: str = ""
    """Of its description; empty while there is none."""
    available: bool = True
    message: str = ""
    """Why it is not available, and what would help; one line."""
    facts: dict[str, Any] = {}
    """What it found on the host."""


class Sink(Protocol):
    """Where an attempt's output goes: two append files that outlive the agent and the host.

    `write` returns when the kernel has the data, so what an executor reads it reads no faster than
    the disk takes it: that is the back-pressure. Of a stream, `order.keep_bytes` are kept, its
    head and its tail, half and half; the space of what was written between them is given back as
    it grows, so output without an end fills no disk. What processes append to the files themselves
    is bounded the same way, by the agent.
    """

    @property
    def stdout(self) -> Path:
        """The file of stream 1; a process may be given it directly, opened with O_APPEND."""
        ...

    @property
    def stderr(self) -> Path:
        """The file of stream 2."""
        ...

    def write(self, data: bytes, *, stderr: bool = False) -> None:
        """Append `data`, whole, and without secrets; OSError when the disk is full."""
        ...


class Running(Protocol):
    """One attempt under way."""

    async def wait(self) -> Outcome:
        """Wait for its end; called once.

        `Status.CANCELLED` says that `cancel` ended it: its host then puts the reason, a timeout
        say, in its place. Any other status is what really happened, and stands.
        """
        ...

    async def cancel(self, grace_s: float) -> None:
        """Ask it to end, and make it end after `grace_s` seconds; `wait` then returns soon."""
        ...

    def handle(self) -> bytes | None:
        """What another host would need to find it again; None when nothing could."""
        ...


class Executor(Protocol):
    """Runs attempts of one kind. Constructed once in each host process, without arguments."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line: what it runs."""
    main_key: ClassVar[str]
    """The key of the block that a plain string stands for: `shell: "…"`."""
    config: ClassVar[type[msgspec.Struct]]
    """The schema of its block in a job file; construct with `msgspec.convert`."""
    # `capabilities: ClassVar[frozenset[Capability]]` may be left out: it has none then.
    # `port: ClassVar[int]`, the version of the port that it was written for, may be left out too.

    async def start(self, order: Order, config: Any, sink: Sink) -> Running:  # noqa: ANN401 - its own `config` type
        """Begin one attempt. `config` is an instance of `self.config`.

        When the attempt is to end before this returns, the task it runs in is cancelled.

        Raises:
            ExecutorError: it could not be started; nothing is left behind.
        """
        ...


class Reattaching(Protocol):
    """An executor with `Capability.REATTACH`: its runs go on when its host is gone."""

    async def reattach(self, order: Order, config: Any, sink: Sink, handle: bytes) -> Running:  # noqa: ANN401 - as above
        """Find an attempt again that an earlier host began, by what its `Running.handle` said.

        Raises:
            ExecutorError: nothing is left of it; nobody can know how it ended.
        """
        ...

    # Two more may be left out:
    #
    # `foresee(self, order: Order, config: Any) -> bytes | None` tells the handle that a start of
    # this order will have, or None where it cannot be found again. With it the handle is kept
    # before the start, so a host that dies in the middle of one loses nothing: the next host calls
    # `start` again, which must then find what was started before.
    #
    # `async forget(self, handle: bytes) -> None` says that the outcome is kept: whatever remains
    # for the sake of `reattach` may go. It may be told more than once, and its host waits for it.


class Probing(Protocol):
    """An executor that knows whether it can run anything here."""

    def health(self) -> AsyncIterator[Health]:
        """Its health now, and then each time that it changes; the stream may end.

        The first item is asked for without any run, in a process that ends after it.
        """
        ...


def executor_entry_points() -> dict[str, EntryPoint]:
    """The installed executors by name, none of them imported yet."""
    from importlib.metadata import entry_points  # costs more than the rest of an idle agent's start

    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def load_executor(use: str) -> type[Executor]:
    """The class of an installed executor, by its name, or of any other as `module:Class`.

    Raises:
        ExecutorError: none of that name is installed, or its module does not import.
    """
    points = executor_entry_points()
    if use in points:
        point = points[use]
    elif ":" in use:
        from importlib.metadata import EntryPoint

        point = EntryPoint(use, use, ENTRY_POINT_GROUP)
    else:
        raise ExecutorError(
            f"no executor is called {use!r}; installed are: {', '.join(sorted(points))}"
        )
    try:
        loaded: type[Executor] = point.load()
    # A module from elsewhere may raise anything, and call sys.exit.
    except (Exception, SystemExit) as error:
        raise ExecutorError(
            f"executor {use!r} does not import: {type(error).__name__}: {error}",
            f"install what it needs: pip install 'tocsin[{use}]'" if ":" not in use else "",
        ) from error
    wrong = wrong_about(loaded)
    if wrong:
        raise ExecutorError(f"executor {use!r} is none: {wrong}")
    return loaded


def wrong_about(loaded: object) -> str:
    """What a class lacks to be an executor."""
    for key in ("summary", "main_key"):
        if not isinstance(getattr(loaded, key, None), str):
            return f"its `{key}` is no text"
    config = getattr(loaded, "config", None)
    if not (isinstance(config, type) and issubclass(config, msgspec.Struct)):
        return "its `config` is no msgspec.Struct"
    if not callable(getattr(loaded, "start", None)):
        return "it has no `start`"
    port = getattr(loaded, "port", PORT_VERSION)
    if port != PORT_VERSION:
        return f"it is written for version {port} of the port, and this is version {PORT_VERSION}"
    return ""


def check_config(executor: type[Executor], block: object) -> dict[str, Any]:
    """The keys that the block of a job file gives, as plain data, checked against the schema.

    Keys that are not given stay out, so that an agent's settings may fill them in.

    Raises:
        msgspec.ValidationError: with the path of the fault below the block.
    """
    if isinstance(block, str):
        block = {executor.main_key: block}
    checked = msgspec.convert(block, executor.config, strict=True)
    plain: Mapping[str, Any] = msgspec.to_builtins(checked)
    given = block if isinstance(block, Mapping) else plain
    return {key: value for key, value in plain.items() if key in given}


def beyond(
    name: str, capabilities: Container[Capability], limits: Limits, run_as: str
) -> Iterator[tuple[str, str]]:
    """The keys by which a job asks an executor for what it cannot do, each with what is wrong."""
    if limits != Limits() and Capability.LIMITS not in capabilities:
        yield "limits", f"the executor {name} cannot enforce any"
    if run_as and Capability.RUN_AS not in capabilities:
        yield "run_as", f"the executor {name} runs nothing as another user"


def capabilities_of(executor: type[Executor]) -> frozenset[Capability]:
    """What an executor says that it can do beyond running attempts."""
    found: frozenset[Capability] = getattr(executor, "capabilities", frozenset())
    return found
