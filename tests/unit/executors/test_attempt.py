"""The life of an attempt under executors that misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from tocsin.errors import ExecutorError
from tocsin.execution import AttemptKey, Order, Outcome, Running, Sink, Status
from tocsin.executors import attempt as attempt_module
from tocsin.executors.attempt import Attempt
from tocsin.executors.handles import Handles
from tocsin.executors.output_files import OutputFiles
from tocsin.executors.sound_outcome import FACTS_BYTES_MAX, MESSAGE_CHARS_MAX

SUCCESS = Outcome(Status.SUCCEEDED, 0)
Wait = Callable[["Fake"], Awaitable[Outcome]]


class Config(msgspec.Struct, forbid_unknown_fields=True):
    """No keys."""


class Fake:
    """An executor, and its one run, made of functions."""

    name: ClassVar[str] = "fake"
    summary: ClassVar[str] = "what a test needs"
    main_key: ClassVar[str] = ""
    config: ClassVar[type[msgspec.Struct]] = Config

    def __init__(
        self,
        wait: Wait,
        cancel: Callable[[Fake], Awaitable[None]] | None = None,
        start: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._start = start
        self._wait = wait
        self._cancel = cancel
        self.cancelled = asyncio.Event()

    async def start(self, order: Order, config: Any, sink: Sink) -> Running:
        del order, config
        sink.write(b"started\n")
        if self._start is not None:
            await self._start()
        return self

    async def wait(self) -> Outcome:
        return await self._wait(self)

    async def cancel(self, grace_s: float) -> None:
        del grace_s
        if self._cancel is not None:
            await self._cancel(self)
        self.cancelled.set()

    def handle(self) -> bytes | None:
        return None


async def until_cancelled(fake: Fake) -> Outcome:
    """A run that ends as it should when cancelled."""
    await fake.cancelled.wait()
    return Outcome(Status.CANCELLED, message="stopped")


def play(
    tmp_path: Path, make: Callable[[], Fake], stop: Status | None = None, **changes: Any
) -> Attempt:
    """Live through an attempt, stopped for `stop` as soon as it has begun."""
    order = Order(AttemptKey("R.1"), "job", "fake", {}, {}, None, 3600.0, 10.0, 1 << 20)
    order = msgspec.structs.replace(order, **changes)

    async def live() -> Attempt:
        over = asyncio.Event()
        fake = make()
        attempt = Attempt(
            order,
            fake,
            OutputFiles(str(tmp_path / order.key), order.keep_bytes),
            Handles(fake, str(tmp_path), "fake", lambda: None),
            on_began=lambda attempt: attempt.stop(stop) if stop else None,
            on_ended=lambda _: over.set(),
        )
        attempt.begin(asyncio.get_running_loop())
        attempt.keep_time()
        await over.wait()
        return attempt

    return asyncio.run(live())


def outcome_of(attempt: Attempt) -> Outcome:
    """The outcome, which is there."""
    assert attempt.outcome is not None
    return attempt.outcome


def raises(error: BaseException) -> Callable[..., Awaitable[Any]]:
    """A step that fails."""

    async def step(*_: object) -> None:
        raise error

    return step


async def succeed(_: Fake) -> Outcome:
    """A run that is over at once."""
    return SUCCESS


async def hang(*_: object) -> Any:
    """A step that does not end by itself."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ExecutorError("two\nlines"), "two lines"),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
        (ValueError("x" * 9_999), None),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt:"),
        (GeneratorExit(), "GeneratorExit:"),
        (asyncio.CancelledError("mine"), "CancelledError: mine"),
        (ValueError("no file \udc80"), "ValueError: no file ?"),
    ],
)
@pytest.mark.parametrize("where", ["start", "wait"])
def test_an_error_is_a_failure(
    tmp_path: Path, error: BaseException, message: str | None, where: str
) -> None:
    """Whatever an executor raises becomes a failed outcome with one line that says why."""
    make = (
        (lambda: Fake(succeed, start=raises(error)))
        if where == "start"
        else (lambda: Fake(raises(error)))
    )
    attempt = play(tmp_path, make)
    outcome = outcome_of(attempt)
    assert outcome.status is Status.FAILED
    assert len(outcome.message) <= MESSAGE_CHARS_MAX
    assert message is None or outcome.message == message
    assert (attempt.began_us is None) is (where == "start")


@pytest.mark.parametrize("reason", [Status.CANCELLED, Status.TIMED_OUT])
def test_the_reason_takes_the_place_of_cancelled(tmp_path: Path, reason: Status) -> None:
    """An executor says that it was cancelled; the host knows why."""
    outcome = outcome_of(play(tmp_path, lambda: Fake(until_cancelled), stop=reason))
    assert outcome.status is reason
    why = "cancelled" if reason is Status.CANCELLED else "no end after 1h"
    assert outcome.message == f"{why}; stopped"


@pytest.mark.parametrize("really", [SUCCESS, Outcome(Status.FAILED, 9, "exit code 9")])
def test_what_really_happened_stands(tmp_path: Path, really: Outcome) -> None:
    """A run that was over before its cancel took effect is told as it was."""

    async def wait(fake: Fake) -> Outcome:
        await fake.cancelled.wait()
        return really

    assert outcome_of(play(tmp_path, lambda: Fake(wait), stop=Status.CANCELLED)) == really


def test_an_error_while_being_cancelled(tmp_path: Path) -> None:
    """An executor that stumbles over its cancel has been cancelled."""

    async def wait(fake: Fake) -> Outcome:
        await fake.cancelled.wait()
        raise ConnectionResetError

    outcome = outcome_of(play(tmp_path, lambda: Fake(wait), stop=Status.TIMED_OUT))
    assert outcome == Outcome(Status.TIMED_OUT, message="no end after 1h")


def test_a_cancel_that_fails(tmp_path: Path) -> None:
    """When `cancel` raises, the wait is given up and the attempt is over."""
    make = lambda: Fake(hang, cancel=raises(RuntimeError("no")))  # noqa: E731
    assert outcome_of(play(tmp_path, make, stop=Status.CANCELLED)).status is Status.CANCELLED


def test_a_cancel_without_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When neither `cancel` nor `wait` comes to an end, the attempt is given up in the end."""
    monkeypatch.setattr(attempt_module, "CANCEL_OVERDUE_S", 0.01)
    for make in (lambda: Fake(hang), lambda: Fake(hang, cancel=hang)):
        attempt = play(tmp_path, make, stop=Status.CANCELLED, kill_after_s=0.01)
        assert outcome_of(attempt).status is Status.CANCELLED


@pytest.mark.parametrize("where", ["start", "wait"])
def test_code_that_is_not_to_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """An executor that goes on when its task is cancelled is left behind, the attempt ends."""
    monkeypatch.setattr(attempt_module, "CANCEL_OVERDUE_S", 0.01)
    monkeypatch.setattr(attempt_module, "LET_GO_S", 0.01)

    async def deaf(*_: object) -> Any:
        for _time in range(2):  # the second is the end of the loop
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    make = (
        (lambda: Fake(succeed, start=deaf))
        if where == "start"
        else (lambda: Fake(deaf, cancel=hang))
    )
    attempt = play(tmp_path, make, timeout_s=0.01, kill_after_s=0.01)
    assert outcome_of(attempt) == Outcome(
        Status.TIMED_OUT, message="no end after 10ms; its executor does not let go of it"
    )


def test_a_cancel_that_exits(tmp_path: Path) -> None:
    """A `sys.exit` in `cancel` ends the attempt and nothing else."""
    make = lambda: Fake(hang, cancel=raises(SystemExit(3)))  # noqa: E731
    assert outcome_of(play(tmp_path, make, stop=Status.CANCELLED)).status is Status.CANCELLED


def _nested(depth: int) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for _ in range(depth):
        facts = {"in": facts}
    return facts


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "its executor gave NoneType in place of an Outcome"),
        ("succeeded", "its executor gave str in place of an Outcome"),
        (Outcome("fine"), "Invalid enum value 'fine' - at status"),  # type: ignore[arg-type]
        (Outcome(Status.FAILED, "3"), "Expected `int | null`, got `str` - at exit_code"),  # type: ignore[arg-type]
        (Outcome(Status.FAILED, 1 << 63), "its executor gave an outcome with 9223372036854775808"),
        (Outcome(Status.FAILED, 1 << 99), "can't serialize ints"),
        (Outcome(Status.FAILED, 3, "", {"o": object()}), "objects of type object is unsupported"),
        (Outcome(Status.FAILED, 3, "", [1]), "Expected `object`, got `array` - at facts"),  # type: ignore[arg-type]
        (Outcome(Status.FAILED, 3, "", _nested(100_000)), "makes no sense"),
        (Outcome(Status.CANCELLED, None, "so"), "says cancelled, which it cannot know; so"),
        (Outcome(Status.REFUSED, None, "so"), "says refused, which it cannot know; so"),
    ],
)
def test_an_outcome_that_makes_no_sense(tmp_path: Path, given: Any, message: str) -> None:
    """Whatever an executor gives for an outcome, there is one, and it says what was wrong."""

    async def wait(_: Fake) -> Any:
        return given

    outcome = outcome_of(play(tmp_path, lambda: Fake(wait)))
    assert outcome.status is Status.FAILED
    assert message in outcome.message
    assert outcome.facts == {}


def test_facts_become_plain_data(tmp_path: Path) -> None:
    """Keys are texts and bytes base64, so that every reader takes them."""

    async def wait(_: Fake) -> Outcome:
        return Outcome(Status.SUCCEEDED, 0, "\udcff", {"parts": {1: b"\0"}, "seen": {2}})

    said = outcome_of(play(tmp_path, lambda: Fake(wait)))
    assert said == Outcome(Status.SUCCEEDED, 0, "?", {"parts": {"1": "AA=="}, "seen": [2]})


def test_a_log_that_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An executor that closed the host's streams ends as any that fails."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    outcome = outcome_of(play(tmp_path, lambda: Fake(raises(ValueError("oh")))))
    assert outcome.message == "ValueError: oh"


def test_a_start_that_hangs(tmp_path: Path) -> None:
    """The timeout counts from the start's begin, and a start that hangs is cut off."""
    attempt = play(tmp_path, lambda: Fake(succeed, start=hang), timeout_s=0.01)
    assert outcome_of(attempt) == Outcome(Status.TIMED_OUT, message="no end after 10ms")
    assert attempt.began_us is None


@pytest.mark.parametrize("timeout_s", [0.0, float("inf"), 1e300])
def test_no_timeout(tmp_path: Path, timeout_s: float) -> None:
    """A timeout of zero, or of for ever, is none."""
    assert outcome_of(play(tmp_path, lambda: Fake(succeed), timeout_s=timeout_s)) == SUCCESS


def test_a_stop_before_the_begin(tmp_path: Path) -> None:
    """An attempt that is stopped before it begins is over, and never begins."""

    async def live() -> None:
        ends: list[Attempt] = []
        order = Order(AttemptKey("R.1"), "job", "fake", {}, {}, None, 1.0, 1.0, 0)
        sink = OutputFiles(str(tmp_path / "R.1"), 1 << 20)
        fake = Fake(succeed)
        handles = Handles(fake, str(tmp_path), "fake", lambda: None)
        attempt = Attempt(order, fake, sink, handles, ends.append, ends.append)
        attempt.stop(Status.CANCELLED)
        attempt.begin(asyncio.get_running_loop())
        attempt.stop(Status.TIMED_OUT)
        await asyncio.sleep(0)
        assert ends == [attempt]
        assert attempt.outcome == Outcome(Status.CANCELLED, message="cancelled")
        assert not (tmp_path / "R.1.out").exists()

    asyncio.run(live())


def test_an_outcome_is_bounded(tmp_path: Path) -> None:
    """A message is one short line, and facts without measure are left out."""

    async def wait(_: Fake) -> Outcome:
        return Outcome(Status.FAILED, message="a\n" * 10_000, facts={"f": "x" * FACTS_BYTES_MAX})

    outcome = outcome_of(play(tmp_path, lambda: Fake(wait)))
    assert len(outcome.message) == MESSAGE_CHARS_MAX
    assert outcome.facts == {}


def test_facts_are_kept(tmp_path: Path) -> None:
    """Facts of a usual size are passed on as they are."""
    said = Outcome(Status.SUCCEEDED, 200, "", {"bytes": 12})

    async def wait(_: Fake) -> Outcome:
        return said

    assert outcome_of(play(tmp_path, lambda: Fake(wait))) == said


def test_a_config_that_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A block that does not convert fails the attempt and names the key, without a traceback."""
    outcome = outcome_of(play(tmp_path, lambda: Fake(succeed), config={"nonsense": 1}))
    assert outcome.status is Status.FAILED
    assert outcome.message == "fake: Object contains unknown field `nonsense`"
    assert "Traceback" not in capsys.readouterr().err


def test_an_unexpected_error_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback of an error that nobody meant is in the host's log."""
    play(tmp_path, lambda: Fake(raises(ZeroDivisionError("oh"))))
    assert "ZeroDivisionError: oh" in capsys.readouterr().err
