"""What a host keeps of its runs for the next one, with an executor that finds them again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from tocsin import clock
from tocsin.errors import ExecutorError
from tocsin.execution import AttemptKey, Capability, Order, Outcome, Status
from tocsin.executors.attempt import Attempt
from tocsin.executors.handles import Found, Handles
from tocsin.executors.output_files import OutputFiles
from tocsin.hosting import RunEnded

KEY = AttemptKey("R.1")
ORDER = Order(KEY, "job", "fake", {}, {"A": "b"}, None, 3600.0, 10.0, 1 << 20, {"PW": "pg"})
END = RunEnded(KEY, 1, 2, Outcome(Status.FAILED, 3, "exit code 3"))


class Config(msgspec.Struct):
    """No keys."""


class Runs:
    """Runs that outlive their host: by their handles."""

    name: ClassVar[str] = "fake"
    summary: ClassVar[str] = ""
    main_key: ClassVar[str] = ""
    config: ClassVar[type[msgspec.Struct]] = Config
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.REATTACH})

    def __init__(self, *, handle: bytes | None = b"h", left: bool = True) -> None:
        self.said: list[str] = []
        self.over = asyncio.Event()
        self._handle = handle
        self._left = left

    async def start(self, order: Order, config: Any, sink: Any) -> Runs:
        del order, config, sink
        self.said.append("start")
        return self

    async def reattach(self, order: Order, config: Any, sink: Any, handle: bytes) -> Runs:
        del order, config, sink
        self.said.append(f"reattach {handle.decode()}")
        if not self._left:
            raise ExecutorError("it is gone")
        return self

    def foresee(self, order: Order, config: Any) -> bytes | None:
        del order, config
        return self._handle

    async def forget(self, handle: bytes) -> None:
        self.said.append(f"forget {handle.decode()}")

    async def wait(self) -> Outcome:
        await self.over.wait()
        return Outcome(Status.CANCELLED)

    async def cancel(self, grace_s: float) -> None:
        self.said.append(f"cancel {grace_s:g}")
        self.over.set()

    def handle(self) -> bytes | None:
        return self._handle


def live(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Play a scene in a loop of its own."""
    asyncio.run(asyncio.wait_for(scene(), 30))


def of(runs: Runs, folder: Path, forgotten: Callable[[], None] = lambda: None) -> Handles:
    """The handles of a host in a folder."""
    return Handles(runs, str(folder), "fake", forgotten)


def files(folder: Path) -> list[str]:
    """The journals that are there."""
    return sorted(path.name for path in (folder / "fake.handles").iterdir())


def test_a_journal_tells_the_next_host_everything(tmp_path: Path) -> None:
    """Order, handle, begin and end; the values of secrets are nowhere in it."""

    async def scene() -> None:
        handles = of(Runs(), tmp_path)
        assert handles.find() == []
        handles.starting(ORDER, Config())
        assert of(Runs(), tmp_path).find() == [Found(ORDER, b"h")]
        handles.began(ORDER, Runs(handle=b"h2"), 77)
        (found,) = of(Runs(), tmp_path).find()
        assert found.began is not None
        assert (found.began.at_us, found.handle, found.end) == (77, b"h2", None)
        assert 3590 < found.left_s(3600) <= 3600
        handles.ended(END)
        (found,) = of(Runs(), tmp_path).find()
        assert found.end == END

    live(scene)


def test_a_journal_goes_when_its_end_is_confirmed_and_forgotten(tmp_path: Path) -> None:
    """In this order, so a host that dies in between leaves no unit behind."""

    async def scene() -> None:
        runs, forgotten = Runs(), asyncio.Event()
        handles = of(runs, tmp_path, forgotten.set)
        handles.find()
        handles.starting(ORDER, Config())
        handles.began(ORDER, runs, 77)
        handles.ended(END)
        handles.confirmed(KEY)
        assert (files(tmp_path), handles.are_settled) == (["R.1"], False)
        await forgotten.wait()
        assert handles.are_settled
        assert (files(tmp_path), runs.said) == ([], ["forget h"])

    live(scene)


def test_a_run_that_nobody_could_find_again_has_no_journal(tmp_path: Path) -> None:
    """An executor may see only at the start that it is such a one."""

    async def scene() -> None:
        runs = Runs()
        handles = of(runs, tmp_path)
        handles.find()
        handles.starting(ORDER, Config())
        handles.began(ORDER, Runs(handle=None), 77)
        assert files(tmp_path) == []
        handles.ended(END)
        handles.confirmed(KEY)
        assert (handles.are_settled, runs.said) == (True, [])

    live(scene)


def test_what_makes_no_sense_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a journal, an empty one, a stranger's, one under another name, one of another boot."""

    async def scene() -> None:
        handles = of(Runs(), tmp_path)
        handles.find()
        handles.starting(ORDER, Config())
        folder = tmp_path / "fake.handles"
        whole = (folder / KEY).read_bytes()
        (folder / "R.2").write_bytes(whole)
        (folder / "R.3").write_bytes(whole[:9])
        (folder / "R.4").touch()
        (folder / "R.5").write_bytes(b"\xc1 strange")
        (folder / KEY).write_bytes(whole + whole[:5])
        assert len(of(Runs(), tmp_path).find()) == 1
        assert files(tmp_path) == ["R.1"]
        monkeypatch.setattr(clock, "boot_id", lambda: "another")
        assert of(Runs(), tmp_path).find() == []
        assert files(tmp_path) == []

    live(scene)


class Resumed:
    """An attempt of an earlier host, in a new one."""

    def __init__(self, folder: Path, runs: Runs, *, began: bool, **changes: Any) -> None:
        folder.mkdir(exist_ok=True)
        order = msgspec.structs.replace(ORDER, secrets={}, **changes)
        earlier = of(Runs(), folder)
        earlier.find()
        earlier.starting(order, Config())
        if began:
            earlier.began(order, Runs(), 77)
        handles = of(runs, folder)
        (found,) = handles.find()
        self.began, self._ended = asyncio.Event(), asyncio.Event()
        sink = OutputFiles(str(folder / KEY), 1 << 20)
        self.attempt = Attempt(
            order, runs, sink, handles, lambda _: self.began.set(), lambda _: self._ended.set()
        )
        self.attempt.resume(asyncio.get_running_loop(), found)

    async def end(self) -> Outcome:
        """Wait for its end."""
        await self._ended.wait()
        assert self.attempt.outcome is not None
        return self.attempt.outcome


def test_a_run_goes_on_in_the_next_host(tmp_path: Path) -> None:
    """With its begin; a cancel that comes before it is found again waits for that."""

    async def scene() -> None:
        runs = Runs()
        resumed = Resumed(tmp_path, runs, began=True)
        assert resumed.attempt.began_us == 77
        resumed.attempt.stop(Status.CANCELLED)
        assert (await resumed.end()).status is Status.CANCELLED
        assert runs.said == ["reattach h", "cancel 10"]

    live(scene)


def test_its_time_goes_on(tmp_path: Path) -> None:
    """One whose time was over while there was no host is ended at once, in its own grace."""

    async def scene() -> None:
        runs = Runs()
        resumed = Resumed(tmp_path, runs, began=True, timeout_s=1e-9)
        assert (await resumed.end()).status is Status.TIMED_OUT
        assert runs.said == ["reattach h", "cancel 10"]

    live(scene)


def test_what_is_gone_is_lost_if_it_had_begun(tmp_path: Path) -> None:
    """And started, if it had not: its host died on the way to it."""

    async def scene() -> None:
        resumed = Resumed(tmp_path / "a", Runs(left=False), began=True)
        assert await resumed.end() == Outcome(Status.LOST, message="it is gone")
        runs = Runs(left=False)
        resumed = Resumed(tmp_path / "b", runs, began=False)
        await resumed.began.wait()
        assert runs.said == ["reattach h", "start"]
        resumed.attempt.stop(Status.CANCELLED)
        assert (await resumed.end()).status is Status.CANCELLED

    live(scene)
